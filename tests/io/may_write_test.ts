/** What keeps files from being written is told without writing; closed folders are in path_kind_test.ts. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { KEPT_OUT, WriteError } from "../../io/disk_error.ts";
import { checkMayWrite, writeObstacle } from "../../io/may_write.ts";
import { withFolder } from "../report/result_rows.ts";
import { filesIn } from "../scripts/files_in.ts";
import { hasReadOnlyDisks, onReadOnlyDisk } from "./read_only_disk.ts";

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

Deno.test("writeObstacle() says what checkMayWrite() throws", () =>
  withFolder({ file: "" }, async (folder) => {
    assertEquals(await writeObstacle(join(folder, "a")), undefined);
    const file = join(folder, "file");
    const { message } = await assertRejects(() => checkMayWrite(file), WriteError);
    assertEquals((await writeObstacle(file))?.message, message);
  }));

Deno.test({
  name: "checkMayWrite() tells a read-only disk from a permission that is lacking",
  ignore: !await hasReadOnlyDisks(),
  fn: () =>
    withFolder({}, async (folder) => {
      const module = JSON.stringify(import.meta.resolve("../../io/may_write.ts"));
      const look = `import { checkMayWrite, writeObstacle } from ${module};
        const path = ${JSON.stringify(join(folder, "a", "b"))};
        const thrown = await checkMayWrite(path).catch(({ message }) => message);
        console.log(JSON.stringify([thrown, (await writeObstacle(path))?.message]));`;
      const { code, stdout, stderr } = await onReadOnlyDisk(folder, [
        ...[Deno.execPath(), "eval", "--no-lock", look],
      ]);
      assertEquals(code, 0, stderr);
      const message = `Cannot write ${join(folder, "a", "b")} (read-only file system): make the ` +
        "folder writable, or choose another one";
      assertEquals(JSON.parse(stdout), [message, message]);
    }),
});
