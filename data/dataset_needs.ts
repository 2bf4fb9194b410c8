/**
 * Whether a data set is on this machine, and what would be fetched if not; nothing is.
 *
 * @module
 */

import { isFolder } from "../io/path_kind.ts";
import { silentReporter } from "../io/reporter.ts";
import type { Dataset } from "./dataset.ts";
import { publishedAs, readIdxFolder } from "./idx_folder.ts";
import { type DatasetSources, defaultSources, loadDataset } from "./load_dataset.ts";
import { inspectCache, inspectPackage, isComplete } from "./pinned_files.ts";
import type { PinnedDataset } from "./sources.ts";

/** A data set that is here, or what a run would fetch first. */
export type DatasetNeeds =
  | { state: "here"; dataset: Dataset }
  | { state: "missing"; title: string; from: string; bytes: number };

/**
 * Looks for the data that `--data` asks for.
 *
 * @param data As in {@linkcode loadDataset}.
 * @throws {StudyError} If a folder of one's own is not what it should be.
 */
export async function datasetNeeds(
  data: string,
  sources: DatasetSources = defaultSources(),
): Promise<DatasetNeeds> {
  const set = data === "fashion"
    ? sources.fashion
    : data === "auto" || data === "mnist"
    ? sources.mnist
    : undefined;
  const isHere = set === undefined || await isOnThisMachine(set, sources);
  if (isHere) {
    const dataset = await loadDataset({ data, reporter: silentReporter }, sources);
    return { state: "here", dataset };
  }
  const bytes = Object.values(set.files).reduce((sum, file) => sum + file.bytes, 0);
  const from = set.package?.title ?? new URL(set.mirrors[0]!).host;
  return { state: "missing", title: set.title, from, bytes };
}

async function isOnThisMachine(set: PinnedDataset, sources: DatasetSources): Promise<boolean> {
  if (set.package !== undefined && isComplete(await inspectPackage(set, set.package))) return true;
  if (isComplete(await inspectCache(set, sources.cache))) return true;
  const { fashion, fashionFolder } = sources;
  if (set !== fashion || !await isFolder(fashionFolder)) return false;
  const files = await readIdxFolder(fashionFolder).catch(() => undefined);
  return files !== undefined && publishedAs(files, [fashion]) !== undefined;
}
