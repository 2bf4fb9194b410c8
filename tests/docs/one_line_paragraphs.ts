/** Pages whose sentences a test looks for, wherever their lines break. */

import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";

/** A page of the repository with every paragraph and item on one line. */
export async function readUnwrapped(path: string): Promise<string> {
  const text = await Deno.readTextFile(join(repositoryRoot(), path));
  return text.replaceAll(/(?<=\S)\n *(?=\S)/g, " ");
}
