/** What a killed run of the bench leaves. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { inOwnFolder, removeLeftFolders } from "../../bench/own_folder.ts";
import { withFolder } from "../report/result_rows.ts";

/** The names in a folder, in order. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("inOwnFolder() removes what killed runs have left, and nothing that is in use", () =>
  withFolder({}, async (dir) => {
    const place = { dir, prefix: "bench-" };
    for (const name of ["bench-left", "bench-unlocked", "other"]) {
      await Deno.mkdir(join(dir, name));
      await Deno.writeTextFile(join(dir, name, "features"), "gigabytes");
    }
    await Deno.writeTextFile(join(dir, "bench-left.lock"), "");
    const rest = ["bench-unlocked", "other"];
    await inOwnFolder(place, async (first) => {
      assertEquals(namesIn(dir).filter((name) => !first.includes(name.slice(0, 42))), rest);
      await Deno.writeTextFile(join(first, "features"), "ours");
      await inOwnFolder(place, async (second) => {
        await removeLeftFolders(place);
        assertEquals([namesIn(first), namesIn(second)], [["features"], []]);
      });
      assertEquals(namesIn(first), ["features"]);
    });
    assertEquals(namesIn(dir), rest);
  }));
