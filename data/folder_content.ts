/**
 * What lies in a folder in which the files of a set were looked for in vain, and what to do.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../io/errors.ts";
import { isFolder } from "../io/path_kind.ts";
import { printable } from "../io/printable.ts";
import { isNotPermitted, unreadableReason } from "../io/system_reason.ts";

/** An entry of a folder. */
export interface Entry {
  name: string;
  isDirectory: boolean;
}

/** Entries of a folder that are looked at. */
const MOST_ENTRIES = 10_000;
/** Inner folders that are looked into. */
const MOST_FOLDERS = 200;
/** Names that a message lists. */
const MOST_NAMED = 5;

/**
 * The entries of a folder.
 *
 * @throws {StudyError} If it cannot be read.
 */
export async function readEntries(folder: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  try {
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
      const leadsToFolder = isSymlink && await isFolder(join(folder, name)).catch(() => false);
      entries.push({ name, isDirectory: isDirectory || leadsToFolder });
      if (entries.length === MOST_ENTRIES) break;
    }
  } catch (error) {
    const reason = isNotPermitted(error)
      ? unreadableReason(error)
      : `${(error as Error).message}. Make it a folder that can be read`;
    throw new StudyError(`Cannot read ${folder}: ${reason}.`, { cause: error });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * What a folder holds in place of the files that are missing in it, in whole sentences.
 *
 * @param missing For each missing file the names it may have, the usual one first.
 */
export async function describeContent(
  folder: string,
  missing: readonly (readonly string[])[],
): Promise<string> {
  const entries = await readEntries(folder);
  if (entries.length === 0) return "The folder is empty.";
  return await innerFolder(folder, entries, missing) ??
    folderOfThatName(entries, missing) ??
    otherNames(entries, missing) ??
    `It holds ${listed(entries.map(({ name }) => name))}.`;
}

/** An inner folder, such as torchvision's `MNIST/raw`, that has what is missing. */
async function innerFolder(
  folder: string,
  entries: readonly Entry[],
  missing: readonly (readonly string[])[],
): Promise<string | undefined> {
  const queue = entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  for (let looked = 0; looked < queue.length && looked < MOST_FOLDERS; looked++) {
    const inner = queue[looked]!;
    const found = await readEntries(join(folder, inner)).catch(() => []);
    const files = new Set(found.filter((entry) => !entry.isDirectory).map(({ name }) => name));
    if (missing.every((names) => names.some((name) => files.has(name)))) {
      return `They are in ${join(folder, printable(inner))}: name that folder.`;
    }
    const depth = inner.split(/[\\/]/).length;
    if (depth > 2) continue;
    for (const { name, isDirectory } of found) if (isDirectory) queue.push(join(inner, name));
  }
}

/** Some unpacking programs put a file into a folder of its own name. */
function folderOfThatName(
  entries: readonly Entry[],
  missing: readonly (readonly string[])[],
): string | undefined {
  const names = entries.filter(({ isDirectory, name }) =>
    isDirectory && missing.some((usual) => usual.includes(name))
  ).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return `${listed(names)} ${names.length === 1 ? "is a folder" : "are folders"} there: move the ` +
    "file in it out of it.";
}

/** Files that look like those of a set under names of its own, such as EMNIST's. */
function otherNames(
  entries: readonly Entry[],
  missing: readonly (readonly string[])[],
): string | undefined {
  const candidates = entries.filter(({ isDirectory }) => !isDirectory).flatMap(({ name }) => {
    const match = /(train|t10k|test)-(images|labels)[-.]idx\d-(?:ubyte|int)(\.gz)?$/.exec(name);
    if (match === null) return [];
    const [, part, what, packed = ""] = match;
    const stem = `${part === "test" ? "t10k" : part}-${what}`;
    const usual = missing.flat().find((name) => name.startsWith(stem));
    return usual === undefined ? [] : [{ name, wanted: `${usual}${packed}` }];
  });
  if (candidates.length === 0) return undefined;
  const { name, wanted } = candidates[0]!;
  const all = listed(candidates.map(({ name }) => name));
  return `It holds ${all}: give the four files of one set their usual names, ${
    printable(name)
  } for one ${wanted}.`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).map((name) => printable(name, 80)).join(", ");
  const more = names.length - MOST_NAMED;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
