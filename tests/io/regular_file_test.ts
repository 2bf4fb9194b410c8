import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { withLock } from "../../io/lock.ts";
import { readRegularFile, readRegularText, UnusableFileError } from "../../io/regular_file.ts";

async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const onLinux = Deno.build.os === "linux";

/** Why the file is not read. */
async function reasonAgainst(path: string, maxBytes = 1000): Promise<string> {
  const error = await assertRejects(() => readRegularFile(path, { maxBytes }), UnusableFileError);
  return error.reason;
}

Deno.test("readRegularFile() gives a file's bytes, up to the limit", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "file");
    for (const size of [0, 1, 1000, 600_000]) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
      await Deno.writeFile(path, bytes);
      assertEquals(new Uint8Array(await readRegularFile(path, { maxBytes: size })), bytes);
    }
    assertEquals(await reasonAgainst(path, 599_999), "larger than 600.0 kB");
  });
});

Deno.test("readRegularText() leaves a byte order mark out", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "file");
    await Deno.writeTextFile(path, "\uFEFFä");
    assertEquals(await readRegularText(path, { maxBytes: 10 }), "ä");
  });
});

Deno.test("readRegularFile() reports a missing file as the system does", async () => {
  await assertRejects(
    () => readRegularFile("/nowhere/at/all", { maxBytes: 1 }),
    Deno.errors.NotFound,
  );
});

Deno.test({
  name: "readRegularFile() opens no pipe, device or folder, and follows no links for ever",
  ignore: !onLinux,
  fn: () =>
    withFolder(async (folder) => {
      const [pipe, loop] = [join(folder, "pipe"), join(folder, "loop")];
      await new Deno.Command("mkfifo", { args: [pipe] }).output();
      await Deno.symlink("loop", loop);
      assertEquals(await reasonAgainst(pipe), "a named pipe, not a regular file");
      assertEquals(await reasonAgainst(folder), "a folder, not a regular file");
      assertEquals(await reasonAgainst("/dev/zero"), "a device, not a regular file");
      assertEquals(
        await reasonAgainst(loop),
        "not readable: too many levels of symbolic links",
      );
      assertEquals(
        await reasonAgainst(join(folder, "x".repeat(300))),
        "not readable: file name too long",
      );
    }),
});

Deno.test({
  name: "readRegularFile() gives a reason where Deno itself refuses",
  ignore: !onLinux,
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, "file");
      await Deno.symlink("/proc/self/environ", path);
      assertEquals(await reasonAgainst(path), "not readable: Deno lets no task in there");
    }),
});

Deno.test({
  name: "withLock() does not wait at a named pipe",
  ignore: !onLinux,
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, ".lock");
      await new Deno.Command("mkfifo", { args: [path] }).output();
      await assertRejects(
        () => withLock(path, () => Promise.resolve()),
        UnusableFileError,
        `${path} cannot be used (a named pipe, not a regular file): move it away`,
      );
    }),
});
