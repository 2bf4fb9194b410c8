import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { checkWritable, isTemporary, writeFileAtomic } from "../../io/atomic.ts";
import { diskRemedy, isDiskFull, WriteError } from "../../io/disk_error.ts";
import { withFolder } from "../report/result_rows.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("writeFileAtomic() writes the beginning again when all else is there", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "file");
    let sum = 0;
    function* pieces() {
      yield Uint8Array.of(0, 0);
      for (const value of [5, 6, 7]) {
        sum += value;
        yield Uint8Array.of(value);
      }
    }
    await writeFileAtomic(path, pieces(), { finalHead: () => Uint8Array.of(9, sum) });
    assertEquals(await Deno.readFile(path), Uint8Array.of(9, 18, 5, 6, 7));
    assertEquals(namesIn(folder), ["file"]);
  }));

Deno.test("writeFileAtomic() says what it cannot write, why, and what helps", () =>
  withFolder({ "file": "", "folder.txt": "" }, async (folder) => {
    await Deno.mkdir(join(folder, "folder", "inner"), { recursive: true });
    for (const path of [join(folder, "file", "inner"), join(folder, "folder")]) {
      const { message } = await assertRejects(() => writeFileAtomic(path, "text"), WriteError);
      assertEquals(
        message.replace(/\(.*\)/, "(…)"),
        `Cannot write ${path} (…): a file or folder of that name is in the way: move it, or ` +
          "choose another folder",
      );
    }
    assertEquals(namesIn(folder), ["file", "folder", "folder.txt"]);
  }));

Deno.test("writeFileAtomic() passes on what the data throws, and leaves the file as it was", () =>
  withFolder({ "file": "before" }, async (folder) => {
    function* pieces(): Generator<Uint8Array> {
      yield Uint8Array.of(1);
      throw new RangeError("not finite");
    }
    const path = join(folder, "file");
    await assertRejects(() => writeFileAtomic(path, pieces()), RangeError, "not finite");
    assertEquals(await Deno.readTextFile(path), "before");
    assertEquals(namesIn(folder), ["file"]);
  }));

Deno.test("checkWritable() writes and leaves nothing", () =>
  withFolder({ "file": "" }, async (folder) => {
    await Promise.all([1, 2, 3].map(() => checkWritable(join(folder, "new"))));
    assertEquals(namesIn(join(folder, "new")), []);
    await assertRejects(() => checkWritable(join(folder, "file")), WriteError);
  }));

Deno.test("diskRemedy() knows a full disk from a read-only one", () => {
  const full = new WriteError("x", new Error("No space left on device (os error 28)"));
  assertEquals(isDiskFull(full), true);
  assertEquals(
    full.message,
    "Cannot write x (No space left on device (os error 28)): free space on its disk, or choose a " +
      "folder on another one",
  );
  assertEquals(isDiskFull(new Error("Disk quota exceeded (os error 122)")), true);
  for (
    const error of [
      new Error("Read-only file system (os error 30)"),
      new Deno.errors.PermissionDenied("Permission denied (os error 13)"),
    ]
  ) {
    assertEquals(isDiskFull(error), false);
    assertEquals(diskRemedy(error), "make the folder writable, or choose another one");
  }
});

Deno.test("isTemporary() knows the names under which files are written", () => {
  assertEquals(isTemporary("checkpoint.safetensors.123-0a1b2c3d.tmp"), true);
  for (const name of ["notes.tmp", "x.12-34.tmp", "row.csv"]) {
    assertEquals(isTemporary(name), false);
  }
});
