/**
 * A folder with the four IDX files of a set, under their usual names.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../io/errors.ts";
import { sha256Hex } from "../io/sha256.ts";
import type { ImageSet } from "./dataset.ts";
import { type IdxData, type IdxKind, pairImagesAndLabels, readIdx } from "./idx.ts";
import { FILE_STEMS, type FileStem, type PinnedDataset } from "./sources.ts";

/** The four files of a set. */
export type IdxFiles = Record<FileStem, IdxData>;

/**
 * Reads the four files of a set from a folder, gzip or not.
 *
 * @throws {StudyError} Naming what is missing or which file is not what it should be.
 */
export async function readIdxFolder(folder: string): Promise<IdxFiles> {
  const names = await fileNames(folder);
  const missing: string[] = [];
  const found = FILE_STEMS.map((stem) => {
    const name = usualNames(stem).find((name) => names.has(name));
    if (name === undefined) missing.push(usualNames(stem)[0]!);
    return join(folder, name ?? "");
  });
  if (missing.length > 0) {
    throw new StudyError(
      `Cannot find ${missing.join(", ")} in ${folder}`,
      {
        remedy: `put the set's ${FILE_STEMS.length} IDX files there, each as NAME-idxN-ubyte or ` +
          "NAME.idxN-ubyte, with .gz or without",
      },
    );
  }
  return await eachStem((stem, index) => readIdx(found[index]!, kindOf(stem)));
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

/** Whether there is a folder at `path`. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return false;
    throw unreadable(path, error);
  }
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

async function fileNames(folder: string): Promise<Set<string>> {
  const names = new Set<string>();
  try {
    for await (const entry of Deno.readDir(folder)) if (!entry.isDirectory) names.add(entry.name);
  } catch (error) {
    throw unreadable(folder, error);
  }
  return names;
}

function unreadable(path: string, error: unknown): StudyError {
  return new StudyError(
    `Cannot read ${path}: ${(error as Error).message}. Make it a folder that can be read.`,
    { cause: error },
  );
}
