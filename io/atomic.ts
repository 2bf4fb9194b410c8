/**
 * Files appear whole or not at all: written under a temporary name in the same folder, then renamed.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { WriteError } from "./disk_error.ts";

/** Options of {@linkcode writeFileAtomic}. */
export interface AtomicWriteOptions {
  /**
   * Makes what takes the place of the file's first bytes, once all others are written: for a header
   * that says something of what follows it.
   */
  finalHead?: () => Uint8Array;
}

/**
 * Writes `data` to `path` so that no reader ever sees half of it.
 *
 * The folder is made if missing. An existing file is replaced in one step; if anything fails it is
 * left as it was and the temporary file is removed.
 *
 * @param path File to create or replace.
 * @param data Bytes, the pieces of a file too large to be put together, or text to be stored as
 *   UTF-8.
 * @throws {WriteError} If the disk does not take it. What `data` throws comes as it is.
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | Iterable<Uint8Array> | string,
  { finalHead }: AtomicWriteOptions = {},
): Promise<void> {
  const onDisk = <T>(step: Promise<T>) =>
    step.catch((error) => {
      throw new WriteError(path, error);
    });
  await onDisk(Deno.mkdir(dirname(path), { recursive: true }));
  const temporary = temporaryName(path);
  const pieces = typeof data === "string"
    ? [new TextEncoder().encode(data)]
    : data instanceof Uint8Array
    ? [data]
    : data;
  try {
    const file = await onDisk(Deno.open(temporary, { write: true, createNew: true }));
    try {
      for (const piece of pieces) await onDisk(writeAll(file, piece));
      if (finalHead !== undefined) {
        const head = finalHead();
        await onDisk(file.seek(0, Deno.SeekMode.Start));
        await onDisk(writeAll(file, head));
      }
      await onDisk(file.sync());
    } finally {
      file.close();
    }
    await onDisk(Deno.rename(temporary, path));
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/**
 * {@linkcode writeFileAtomic} for what can be found out again: it never fails, and where Deno would have
 * to ask the user whether it may write, nothing is written.
 */
export async function writeIfPermitted(path: string, text: string): Promise<void> {
  const { state } = await Deno.permissions.query({ name: "write", path });
  if (state === "granted") await writeFileAtomic(path, text).catch(() => {});
}

/**
 * Makes sure that files can be written into a folder, by writing one and removing it. The folder is
 * made if missing.
 *
 * @throws {WriteError} If they cannot.
 */
export async function checkWritable(folder: string): Promise<void> {
  const path = join(folder, ".write-test");
  await writeFileAtomic(path, new Uint8Array(4096));
  await Deno.remove(path).catch((error) => {
    // Another process may have looked at the same moment.
    if (!(error instanceof Deno.errors.NotFound)) throw new WriteError(path, error);
  });
}

/** Whether a file's name is one of those under which files are written before they are renamed. */
export function isTemporary(name: string): boolean {
  return /\.\d+-[0-9a-f]{8}\.tmp$/.test(name);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/** A name beside `path`, unique to this process and call, that readers of `path` do not look for. */
function temporaryName(path: string): string {
  return `${path}.${Deno.pid}-${crypto.randomUUID().slice(0, 8)}.tmp`;
}
