/**
 * What data this machine has; the network is left alone.
 *
 * @module
 */

import { join } from "node:path";
import { EMBEDDED_NAME, EMBEDDED_SOURCE, isEmbeddedInstalled, loadEmbedded } from "./embedded.ts";
import { isFolder, publishedAs, readIdxFolder } from "./idx_folder.ts";
import { type DatasetSources, defaultSources } from "./load_dataset.ts";
import { type CachedFile, inspectCache } from "./pinned_files.ts";
import type { PinnedDataset } from "./sources.ts";

/** State of one data set on this machine. */
export interface DatasetState {
  /** Name as in the CSV. */
  name: string;
  /** `valid`: complete and its checksums right; `damaged`: something is there, but not that. */
  state: "valid" | "absent" | "damaged";
  /** Folder or package in which it is, or would be. */
  place: string;
  /** What lies there, in bytes, unfinished downloads included; 0 for a package. */
  bytes: number;
  /** One line on what is wrong; empty when nothing is. */
  problem: string;
}

/** All of them, and what `auto` would take. */
export interface DatasetStatusReport {
  /** One entry per data set and place. */
  datasets: DatasetState[];
  /** Name of the set that `auto` takes when no mirror can be reached; empty if there is none. */
  auto: string;
}

/** Looks at cache, local folder and package. Reads the data sets in full: about a second. */
export async function datasetStatus(
  sources: DatasetSources = defaultSources(),
): Promise<DatasetStatusReport> {
  const mnist = await cacheState(sources.mnist, sources.cache);
  const fashion = await cacheState(sources.fashion, sources.cache);
  const local = await folderState(sources.fashion, sources.fashionFolder);
  const embedded = await embeddedState();
  const auto = [mnist, embedded].find(({ state }) => state === "valid")?.name ?? "";
  return { datasets: [mnist, fashion, local, embedded], auto };
}

async function cacheState(set: PinnedDataset, cache: string): Promise<DatasetState> {
  const files = Object.values(await inspectCache(set, cache));
  const place = join(cache, set.name);
  const result = { name: set.name, place, bytes: await bytesIn(place) };
  const damaged = files.find((file): file is CachedFile & { state: "damaged" } =>
    file.state === "damaged"
  );
  if (damaged !== undefined) {
    return { ...result, state: "damaged", problem: `${damaged.path}: ${damaged.reason}` };
  }
  const absent = files.filter((file) => file.state === "absent").length;
  if (absent === 0) return { ...result, state: "valid", problem: "" };
  return { ...result, state: "absent", problem: `${absent} of 4 files are not in the cache` };
}

async function folderState(set: PinnedDataset, folder: string): Promise<DatasetState> {
  const result = { name: set.name, place: folder, bytes: await bytesIn(folder) };
  try {
    if (!await isFolder(folder)) return { ...result, state: "absent", problem: "no such folder" };
    if (publishedAs(await readIdxFolder(folder), [set]) === undefined) {
      return { ...result, state: "damaged", problem: `its files are not those of ${set.title}` };
    }
    return { ...result, state: "valid", problem: "" };
  } catch (error) {
    return { ...result, state: "damaged", problem: (error as Error).message };
  }
}

async function embeddedState(): Promise<DatasetState> {
  const result = { name: EMBEDDED_NAME, place: EMBEDDED_SOURCE, bytes: 0 };
  if (!isEmbeddedInstalled()) {
    return { ...result, state: "absent", problem: `not installed; run "deno install"` };
  }
  try {
    await loadEmbedded();
    return { ...result, state: "valid", problem: "" };
  } catch (error) {
    return { ...result, state: "damaged", problem: (error as Error).message };
  }
}

/** Sizes of the files directly in a folder; 0 when there is no such folder. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isFile) bytes += (await Deno.stat(join(folder, entry.name))).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
  return bytes;
}
