/**
 * How much lies in a folder.
 *
 * @module
 */

import { join } from "node:path";
import { isNotPermitted } from "./system_reason.ts";

/** A file or folder and what it holds. */
export interface SizedEntry {
  name: string;
  bytes: number;
}

/**
 * What lies directly in a folder, each entry with the bytes of all that is in it, by name.
 *
 * Links inside are not followed; what vanishes meanwhile or may not be read counts as nothing.
 *
 * @returns An empty list if there is no such folder.
 */
export function folderEntries(folder: string): Promise<SizedEntry[]> {
  return entriesOf(folder, async (inner) => totalBytes(await folderEntries(inner)));
}

/** Bytes of the largest file in a folder, however deep; 0 if there is none. */
export async function largestFile(folder: string): Promise<number> {
  const entries = await entriesOf(folder, largestFile);
  return Math.max(0, ...entries.map(({ bytes }) => bytes));
}

/** What lies directly in a folder, by name, with what `sizeOf` says of the folders among it. */
async function entriesOf(
  folder: string,
  sizeOf: (inner: string) => Promise<number>,
): Promise<SizedEntry[]> {
  const listed = await ifThere(() => Array.fromAsync(Deno.readDir(folder))) ?? [];
  const entries: SizedEntry[] = [];
  for (const { name, isDirectory } of listed) {
    const path = join(folder, name);
    const bytes = isDirectory
      ? await sizeOf(path)
      : (await ifThere(() => Deno.lstat(path)))?.size ?? 0;
    entries.push({ name, bytes });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The sum of their sizes. */
export function totalBytes(entries: readonly SizedEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What `look` finds; nothing where there is nothing, or nothing that may be read. */
async function ifThere<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    const isNone = error instanceof NotFound || error instanceof NotADirectory;
    if (!isNone && !isNotPermitted(error)) throw error;
    return undefined;
  }
}
