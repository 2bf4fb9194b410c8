/**
 * What a folder is that was given in place of a checkpoint.
 *
 * @module
 */

import { basename, join, resolve } from "node:path";
import { quoted } from "./state_dict.ts";

/** Ends of the names of files that can be read as checkpoints. */
const CHECKPOINT_NAME = /\.(pth|pt|ckpt|bin|safetensors)$/i;

/** The folder in words, and what to give instead. */
export async function describeFolder(path: string): Promise<string> {
  const entries = await entriesOf(path);
  for (const folder of [path, ...subfolders(path, entries)]) {
    if ((await entriesOf(folder)).some(({ name }) => name === "data.pkl")) {
      const name = quoted(basename(resolve(folder)));
      return `the unpacked folder of a .pth: pack it again, in the folder that ${name} is in, with ` +
        `zip -0 -r weights.pth ${name}, and give weights.pth`;
    }
  }
  const file = entries.find(({ isFile, name }) => isFile && CHECKPOINT_NAME.test(name));
  return file === undefined
    ? "a folder: give the .pth or .safetensors file"
    : `a folder: give the file in it, such as ${quoted(file.name)}`;
}

/** Most folders within the one given that are looked into. */
const MAX_SUBFOLDERS = 16;

function subfolders(path: string, entries: readonly Deno.DirEntry[]): string[] {
  return entries.filter(({ isDirectory }) => isDirectory).slice(0, MAX_SUBFOLDERS)
    .map(({ name }) => join(path, name));
}

/** What lies in a folder, by name; nothing if it cannot be read. */
async function entriesOf(path: string): Promise<Deno.DirEntry[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    if (error instanceof Error && ("code" in error || error.name === "NotCapable")) return [];
    throw error;
  }
}
