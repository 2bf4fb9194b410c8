/**
 * A cache without features: what is measured must not depend on what was run before.
 *
 * @module
 */

import { join } from "node:path";
import { cacheDir } from "../io/cache.ts";
import { weightsFolder } from "../models/checkpoint/cached_weights.ts";
import type { Program } from "./child.ts";
import { inOwnFolder, removeLeftFolders } from "./own_folder.ts";

/** What of the cache a part of the study makes itself, in minutes to hours. */
const FEATURES = "features";

/** What the folders made here begin with. */
const PREFIX = "bench-";

/**
 * Runs something with a cache in which there is all of the suite's but features: libraries, data sets,
 * weights, and what is known of the backends. It is removed afterwards.
 *
 * @param shared The suite's cache; tests put their own in place.
 */
export async function inFreshCache<T>(
  action: (cache: string) => Promise<T>,
  shared: string = cacheDir(),
): Promise<T> {
  // What is fetched meanwhile stays.
  await Deno.mkdir(weightsFolder(shared), { recursive: true });
  return await inOwnFolder({ dir: shared, prefix: PREFIX }, async (cache) => {
    for await (const { name, isFile } of Deno.readDir(shared)) {
      if (name === FEATURES || name.startsWith(PREFIX)) continue;
      await Deno.symlink(join(shared, name), join(cache, name), { type: isFile ? "file" : "dir" });
    }
    return await action(cache);
  });
}

/** Removes the caches of runs that were killed. */
export async function removeLeftCaches(): Promise<void> {
  await removeLeftFolders({ dir: cacheDir(), prefix: PREFIX });
}

/** A program that has another cache than the suite's. */
export function withCache(program: Program, cache: string): Program {
  return { ...program, env: { ...program.env, MNIST_STUDY_CACHE: cache } };
}
