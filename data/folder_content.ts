/**
 * What lies in a folder in which the files of a set were looked for in vain, and what to do.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../io/errors.ts";
import { isFolder } from "../io/path_kind.ts";
import { printable } from "../io/printable.ts";
import { isNotPermitted, PERMISSION_REMEDY, systemReason } from "../io/system_reason.ts";

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
/** Characters of names that a message lists, about. */
const LONGEST_LIST = 60;

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
    throw new StudyError(`Cannot read ${folder}`, {
      reason: isNotPermitted(error) ? systemReason(error) : (error as Error).message,
      remedy: isNotPermitted(error) ? PERMISSION_REMEDY : "make it a folder that can be read",
      cause: error,
    });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a folder holds in place of the files that are missing in it. */
export interface FolderContent {
  /** As a phrase: `it is empty`. */
  found: string;
  /** What to do, where what was found tells it. */
  advice?: string;
}

/** Looks for what a folder holds in place of the files that are missing in it. */
export async function describeContent(
  folder: string,
  missing: MissingNames,
): Promise<FolderContent> {
  const entries = await readEntries(folder);
  if (entries.length === 0) return { found: "it is empty" };
  const inner = await innerFolders(folder, entries);
  const whole = inner.find(({ files }) =>
    missing.every((names) => names.some((name) => files.includes(name)))
  );
  if (whole !== undefined) {
    return {
      found: `they are in ${printable(whole.path, LONGEST_PATH)}`,
      advice: "name that folder",
    };
  }
  const sameName = folderOfThatName(entries, missing);
  if (sameName !== undefined) return sameName;
  for (const { path, files } of [{ path: folder, files: filesOf(entries) }, ...inner]) {
    const others = otherNames(files, missing);
    if (others === undefined) continue;
    const holder = path === folder ? "it" : printable(path, LONGEST_PATH);
    return { ...others, found: `${holder} holds ${others.found}` };
  }
  return { found: `it holds ${listed(entries.map(({ name }) => name))}` };
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
function folderOfThatName(
  entries: readonly Entry[],
  missing: MissingNames,
): FolderContent | undefined {
  const names = entries.filter(({ isDirectory, name }) =>
    isDirectory && missing.some((usual) => usual.includes(name))
  ).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return {
    found: `${listed(names)} ${names.length === 1 ? "is a folder" : "are folders"} there`,
    advice: "move the file in it out of it",
  };
}

/** Files that look like those of a set under names of its own, such as EMNIST's. */
function otherNames(
  files: readonly string[],
  missing: MissingNames,
): FolderContent | undefined {
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
  return {
    found: listed(candidates.map(({ name }) => name)),
    advice: `give the files of one set their usual names, ${first.usual} for the first`,
  };
}

function listed(names: readonly string[]): string {
  const shown: string[] = [];
  let length = 0;
  for (const name of names.slice(0, MOST_NAMED)) {
    const text = printable(name, LONGEST_LIST);
    length += text.length + ", ".length;
    if (shown.length > 0 && length > LONGEST_LIST) break;
    shown.push(text);
  }
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
