/**
 * Files that a command writes again are its own: what a user put there under the same name is not
 * written over.
 *
 * @module
 */

import { StudyError } from "./errors.ts";
import { pathKind } from "./path_kind.ts";
import { readRegularText } from "./regular_file.ts";

/** A file that a command is about to write. */
export interface OwnFile {
  path: string;
  /** Whether what lies there is from the command, by what it holds; asked where a file is there. */
  isOwn: (path: string) => Promise<boolean>;
}

/** Options of {@linkcode refuseForeign}. */
export interface RefuseForeignOptions {
  /** The command: `deno task export`. */
  command: string;
  /** Its flag that says where the files go: `--out`. */
  flag: string;
}

/** More than a page, a card or a model's description has. */
const MOST_TEXT_BYTES = 16e6;

/**
 * Makes sure that nothing of others is in the way of what a command writes.
 *
 * @throws {StudyError} At the first path where something lies that the command did not write.
 */
export async function refuseForeign(
  files: readonly OwnFile[],
  { command, flag }: RefuseForeignOptions,
): Promise<void> {
  for (const { path, isOwn } of files) {
    const kind = await pathKind(path);
    if (kind === "nothing" || (kind === "file" && await isOwn(path))) continue;
    throw new StudyError(
      `${path} is there already and ${command} did not write it: move it, or choose another place ` +
        `with ${flag}`,
    );
  }
}

/** The text of a file that may be anything; empty where it cannot be read, or is far too long. */
export async function textIfReadable(path: string): Promise<string> {
  return await readRegularText(path, { maxBytes: MOST_TEXT_BYTES }).catch(() => "");
}
