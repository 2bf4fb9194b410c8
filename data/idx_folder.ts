/**
 * A folder with the four IDX files of a set, under their usual names.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../io/errors.ts";
import { sha256Hex } from "../io/sha256.ts";
import type { ImageSet } from "./dataset.ts";
import { describeContent, readEntries } from "./folder_content.ts";
import { type IdxData, type IdxKind, pairImagesAndLabels, readIdx } from "./idx.ts";
import { FILE_STEMS, type FileStem, type PinnedDataset } from "./sources.ts";

/** What a folder of one's own must have. */
const USUAL = `put the set's ${FILE_STEMS.length} IDX files there, as NAME-idxN-ubyte or ` +
  "NAME.idxN-ubyte, with .gz or without";

/** The four files of a set. */
export type IdxFiles = Record<FileStem, IdxData>;

/**
 * Reads the four files of a set from a folder, gzip or not.
 *
 * @throws {StudyError} Naming what is missing or which file is not what it should be.
 */
export async function readIdxFolder(folder: string): Promise<IdxFiles> {
  const entries = await readEntries(folder);
  const files = new Set(entries.filter((entry) => !entry.isDirectory).map(({ name }) => name));
  const missing: string[][] = [];
  const paths = FILE_STEMS.map((stem) => {
    const names = usualNames(stem);
    const name = names.find((name) => files.has(name));
    if (name === undefined) missing.push(names);
    return join(folder, name ?? "");
  });
  if (missing.length > 0) {
    const { found, advice } = await describeContent(folder, missing);
    throw new StudyError(
      `Cannot find ${missing.map(([name]) => name).join(", ")} in ${folder}`,
      { remedy: `${found}: ${advice ?? USUAL}` },
    );
  }
  return await eachStem((stem, index) => readIdx(paths[index]!, kindOf(stem)));
}

/** The training and the test part of four files. */
export function imageSets(files: IdxFiles): { train: ImageSet; test: ImageSet } {
  return {
    train: pairImagesAndLabels(files["train-images"], files["train-labels"]),
    test: pairImagesAndLabels(files["t10k-images"], files["t10k-labels"]),
  };
}

/** Which of some published sets four files are, once unpacked. */
export function publishedAs(
  files: IdxFiles,
  sets: readonly PinnedDataset[],
): PinnedDataset | undefined {
  const found = FILE_STEMS.map((stem) => sha256Hex(files[stem].content));
  return sets.find((set) =>
    FILE_STEMS.every((stem, index) => found[index] === set.files[stem].contentSha256)
  );
}

/** What the file of a stem holds. */
export function kindOf(stem: FileStem): IdxKind {
  return stem.endsWith("images") ? "images" : "labels";
}

/** One result for each of the four files, made one after the other. */
export async function eachStem<T>(
  action: (stem: FileStem, index: number) => Promise<T>,
): Promise<Record<FileStem, T>> {
  const results: [FileStem, T][] = [];
  for (const [index, stem] of FILE_STEMS.entries()) {
    results.push([stem, await action(stem, index)]);
  }
  return Object.fromEntries(results) as Record<FileStem, T>;
}

function usualNames(stem: FileStem): string[] {
  const rank = kindOf(stem) === "images" ? 3 : 1;
  return ["-", "."].flatMap((mark) => {
    const name = `${stem}${mark}idx${rank}-ubyte`;
    return [name, `${name}.gz`];
  });
}
