/** What keeps files from being written is told without writing; closed folders are in path_kind_test.ts. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { KEPT_OUT, WriteError } from "../../io/disk_error.ts";
import { checkMayWrite } from "../../io/may_write.ts";
import { withFolder } from "../report/result_rows.ts";
import { filesIn } from "../scripts/files_in.ts";

Deno.test("checkMayWrite() finds what is in the way, and makes nothing", () =>
  withFolder({ file: "" }, async (folder) => {
    const file = join(folder, "file");
    const link = join(folder, "link");
    const toFolder = join(folder, "to folder");
    await Deno.symlink(join(folder, "nowhere"), link);
    await Deno.symlink(folder, toFolder);
    const before = filesIn(folder);
    for (const fine of [folder, join(folder, "a", "b"), toFolder, join(toFolder, "c")]) {
      await checkMayWrite(fine);
    }
    const refused: [string, string][] = [
      [file, `(${file} is a file)`],
      [join(file, "a", "b"), `(${file} is a file)`],
      [link, `(${link} is a link to nothing)`],
      [join(link, "a"), `(${link} is a link to nothing)`],
      ...(Deno.build.os === "linux"
        ? [
          [
            "/proc/a",
            `(${KEPT_OUT})`,
          ] as [string, string],
        ]
        : []),
    ];
    for (const [path, reason] of refused) {
      const { message } = await assertRejects(() => checkMayWrite(path), WriteError);
      assertStringIncludes(message, `Cannot write ${path} ${reason}: `);
    }
    assertEquals(filesIn(folder), before);
  }));
