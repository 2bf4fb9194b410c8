/**
 * Whether the files of a cached library are still those that were unpacked.
 *
 * A damaged library may pass every look from outside and end the process without a word when it is
 * opened. Hashing it takes seconds, so it is done once, and again when the file's size or times have
 * changed since. The system sets the time of the last change of status itself, so whatever writes to
 * a file is noticed; a disk that loses bits by itself is not.
 *
 * @module
 */

import { join } from "node:path";
import { writeIfPermitted } from "../../io/atomic.ts";
import { readRegularText } from "../../io/regular_file.ts";
import { formatBytes } from "../../io/reporter.ts";
import { sha256File } from "../../io/sha256.ts";
import type { UnpackedFile } from "../../io/unpack_archive.ts";

/** What the library's folder keeps of the last comparison. */
const STAMPS = "checked.json";

/** Ten times what the stamps of two files take. */
const MOST_BYTES = 10_000;

/** A file's size and times, in words. */
type Stamps = Readonly<Record<string, string>>;

/** Options of {@linkcode damageIn}. */
export interface DamageOptions {
  /**
   * Hash files although nothing has changed since they last were.
   *
   * @default {false}
   */
  again?: boolean;
  /** Shows what is being hashed; called with nothing when that is over. */
  live?: ((text: string) => void) | undefined;
}

/**
 * What is wrong with files in a folder whose SHA-256 is known, as a sentence's end after the folder's
 * name; `undefined` if nothing is.
 *
 * @throws {Error} If a file cannot be read.
 */
export async function damageIn(
  folder: string,
  files: readonly UnpackedFile[],
  { again = false, live = () => {} }: DamageOptions = {},
): Promise<string | undefined> {
  const known = again ? {} : await readStamps(folder);
  const found: Record<string, string> = {};
  for (const { name, size, sha256 } of files) {
    const path = join(folder, name);
    const stamp = await stampOf(path);
    if (stamp !== known[name]) {
      live(`Checking ${name} (${formatBytes(size)})`);
      const actual = await sha256File(path);
      live("");
      if (actual !== sha256) {
        return `is damaged: ${name} has the SHA-256 ${actual}, not ${sha256}`;
      }
    }
    found[name] = stamp;
  }
  // Where nothing can be kept, as in a shared cache, files are hashed at every start.
  if (JSON.stringify(found) !== JSON.stringify(known)) await writeStamps(folder, found);
  return undefined;
}

/** Has {@linkcode damageIn} take files as they are now for sound ones, as their bytes are known. */
export async function markSound(folder: string, files: readonly UnpackedFile[]): Promise<void> {
  const stamps: Record<string, string> = {};
  for (const { name } of files) stamps[name] = await stampOf(join(folder, name));
  await writeStamps(folder, stamps);
}

async function writeStamps(folder: string, stamps: Stamps): Promise<void> {
  await writeIfPermitted(join(folder, STAMPS), `${JSON.stringify(stamps, null, 2)}\n`);
}

async function stampOf(path: string): Promise<string> {
  const { size, mtime, ctime } = await Deno.stat(path);
  return [size, mtime?.toISOString(), ctime?.toISOString()].join(" ");
}

async function readStamps(folder: string): Promise<Stamps> {
  try {
    const text = await readRegularText(join(folder, STAMPS), { maxBytes: MOST_BYTES });
    const stamps: unknown = JSON.parse(text);
    return typeof stamps === "object" && stamps !== null ? stamps as Stamps : {};
  } catch {
    // None, half a one, or one that may not be read: the files are hashed.
    return {};
  }
}
