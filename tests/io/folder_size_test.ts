import { assertEquals } from "@std/assert";
import { basename, join } from "node:path";
import { folderEntries, largestFile } from "../../io/folder_size.ts";
import { withFolder } from "../report/result_rows.ts";
import { withReplaced } from "./replaced_call.ts";

Deno.test("folderEntries() counts one that vanishes or may not be read as nothing, and the rest", () =>
  withFolder({ "a": "1", "b": "22", "c": "333", "d": "4444" }, async (folder) => {
    await Deno.mkdir(join(folder, "e"));
    await Deno.writeTextFile(join(folder, "e", "f"), "55555");
    const { NotFound, PermissionDenied } = Deno.errors;
    const failures: Record<string, Error> = { a: new NotFound(), c: new PermissionDenied() };
    await withReplaced("lstat", (own) => async (path) => {
      const failure = failures[basename(String(path))];
      if (failure !== undefined) throw failure;
      return await own(path);
    }, async () => {
      const found = (await folderEntries(folder)).map(({ name, bytes }) => [name, bytes]);
      assertEquals(found, [["a", 0], ["b", 2], ["c", 0], ["d", 4], ["e", 5]]);
    });
  }));

Deno.test("largestFile() looks into folders, and knows of none where there is none", () =>
  withFolder({ "a": "1", "b": "22" }, async (folder) => {
    assertEquals(await largestFile(folder), 2);
    await Deno.mkdir(join(folder, "e", "f"), { recursive: true });
    await Deno.writeTextFile(join(folder, "e", "f", "g"), "55555");
    await Deno.writeTextFile(join(folder, "e", "h"), "4444");
    assertEquals(await largestFile(folder), 5);
    assertEquals(await largestFile(join(folder, "none")), 0);
  }));
