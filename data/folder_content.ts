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

/** Inner folders that are looked into. */
const MOST_FOLDERS = 200;
/** Folders within folders that are looked into: torchvision's `MNIST/raw`, and one around it. */
const DEEPEST = 3;
/** Names that a message lists. */
const MOST_NAMED = 5;

/** Characters of a path that a message shows. */
const LONGEST_PATH = 4096;

/** For each missing file the names it may have, the usual one first. */
export type MissingNames = readonly (readonly string[])[];

/**
 * The entries of a folder, by name.
 *
 * @throws {StudyError} If it cannot be read.
 */
export async function readEntries(folder: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  try {
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
      const leadsToFolder = isSymlink && await isFolder(join(folder, name)).catch(() => false);
      entries.push({ name, isDirectory: isDirectory || leadsToFolder });
    }
  } catch (error) {
    const reason = isNotPermitted(error)
      ? unreadableReason(error)
      : `${(error as Error).message}. Make it a folder that can be read`;
    throw new StudyError(`Cannot read ${folder}: ${reason}.`, { cause: error });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a folder holds in place of the files that are missing in it, in whole sentences. */
export async function describeContent(folder: string, missing: MissingNames): Promise<string> {
  const entries = await readEntries(folder);
  if (entries.length === 0) return "The folder is empty.";
  const inner = await innerFolders(folder, entries);
  const whole = inner.find(({ files }) =>
    missing.every((names) => names.some((name) => files.includes(name)))
  );
  if (whole !== undefined) {
    return `They are in ${printable(whole.path, LONGEST_PATH)}: name that folder.`;
  }
  const sameName = folderOfThatName(entries, missing);
  if (sameName !== undefined) return sameName;
  for (const { path, files } of [{ path: folder, files: filesOf(entries) }, ...inner]) {
    const others = otherNames(files, missing);
    if (others === undefined) continue;
    return `${path === folder ? "It" : printable(path, LONGEST_PATH)} holds ${others}`;
  }
  return `It holds ${listed(entries.map(({ name }) => name))}.`;
}

/** A folder in the one that was named. */
interface InnerFolder {
  path: string;
  /** Names of the files that lie in it. */
  files: string[];
}

/** The folders below a folder, nearest first, those left out that cannot be read. */
async function innerFolders(folder: string, entries: readonly Entry[]): Promise<InnerFolder[]> {
  const found: InnerFolder[] = [];
  const queue = entries.map((entry) => ({ entry, above: folder, depth: 1 }));
  for (const { entry: { name, isDirectory }, above, depth } of queue) {
    if (!isDirectory) continue;
    if (found.length === MOST_FOLDERS) break;
    const path = join(above, name);
    const inside = await readEntries(path).catch(() => []);
    found.push({ path, files: filesOf(inside) });
    if (depth === DEEPEST) continue;
    queue.push(...inside.map((entry) => ({ entry, above: path, depth: depth + 1 })));
  }
  return found;
}

function filesOf(entries: readonly Entry[]): string[] {
  return entries.filter(({ isDirectory }) => !isDirectory).map(({ name }) => name);
}

/** Some unpacking programs put a file into a folder of its own name. */
function folderOfThatName(entries: readonly Entry[], missing: MissingNames): string | undefined {
  const names = entries.filter(({ isDirectory, name }) =>
    isDirectory && missing.some((usual) => usual.includes(name))
  ).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return `${listed(names)} ${names.length === 1 ? "is a folder" : "are folders"} there: move the ` +
    "file in it out of it.";
}

/** Files that look like those of a set under names of its own, such as EMNIST's. */
function otherNames(files: readonly string[], missing: MissingNames): string | undefined {
  const candidates = files.flatMap((name) => {
    const match = /(train|t10k|test)-(images|labels)[-.]idx\d-(?:ubyte|int)(\.gz)?$/.exec(name);
    if (match === null) return [];
    const [, part, what, packed = ""] = match;
    const stem = `${part === "test" ? "t10k" : part}-${what}`;
    const usual = missing.flat().find((name) => name.startsWith(stem));
    return usual === undefined || usual + packed === name ? [] : [{ name, usual: usual + packed }];
  });
  const [first] = candidates;
  if (first === undefined) return undefined;
  return `${listed(candidates.map(({ name }) => name))}: give the four files of one set their ` +
    `usual names, ${printable(first.name)} for one ${first.usual}.`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).map((name) => printable(name, 80)).join(", ");
  const more = names.length - MOST_NAMED;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
