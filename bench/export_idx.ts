/**
 * Writes a data set as four IDX files, so that the peer in `bench/reference/` trains and tests on
 * exactly the images that the suite does:
 *
 * ```sh
 * deno run -A bench/export_idx.ts --data mnist --out DIR
 * python3 bench/reference/study_part1.py --data DIR --out peer.json
 * ```
 *
 * @module
 */

import { join } from "node:path";
import type { Dataset, ImageSet } from "../data/dataset.ts";
import { loadDataset } from "../data/load_dataset.ts";
import { writeFileAtomic } from "../io/atomic.ts";
import { createReporter } from "../io/reporter.ts";
import { SHARED_FLAGS } from "../experiment/flags.ts";
import { readCommandLine } from "../io/help_text.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { runScript } from "../io/run_script.ts";

/**
 * An IDX file's bytes: two zeros, 8 for unsigned bytes, the number of dimensions, each dimension
 * big-endian, then `values`.
 *
 * @param dimensions Sizes whose product is the number of values.
 */
export function encodeIdx(values: Uint8Array, dimensions: readonly number[]): Uint8Array {
  const count = dimensions.reduce((product, size) => product * size, 1);
  if (count !== values.length) {
    throw new RangeError(`Cannot encode ${values.length} values as [${dimensions}]`);
  }
  const start = 4 + 4 * dimensions.length;
  const file = new Uint8Array(start + values.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x0800 + dimensions.length);
  dimensions.forEach((size, i) => view.setUint32(4 + 4 * i, size));
  file.set(values, start);
  return file;
}

/** Writes the four files under the names that MNIST's have; returns their paths. */
export async function exportIdx(dataset: Dataset, folder: string): Promise<string[]> {
  const files = (prefix: string, { images, labels, count }: ImageSet) => [
    { name: `${prefix}-images-idx3-ubyte`, bytes: encodeIdx(images, [count, 28, 28]) },
    { name: `${prefix}-labels-idx1-ubyte`, bytes: encodeIdx(labels, [count]) },
  ];
  const paths: string[] = [];
  for (
    const { name, bytes } of [...files("train", dataset.train), ...files("t10k", dataset.test)]
  ) {
    const path = join(folder, name);
    await writeFileAtomic(path, bytes);
    paths.push(path);
  }
  return paths;
}

async function main(): Promise<void> {
  const { data, limit, testLimit, help } = SHARED_FLAGS;
  const table = {
    data,
    limit: { ...limit, help: "write the first N training images only" },
    testLimit: { ...testLimit, help: "write the first N test images only" },
    out: { kind: "path", folder: true, default: "idx", help: "folder to write to" },
    help,
  } as const satisfies FlagTable;
  const flags = readCommandLine({
    usage: "deno run -A bench/export_idx.ts [flags]",
    description: "Writes a data set as four IDX files.",
    table,
    examples: ["deno run -A bench/export_idx.ts --data mnist --out /tmp/digits"],
  });
  if (flags === undefined) return;
  const reporter = createReporter();
  const dataset = await loadDataset({ ...flags, reporter });
  for (const path of await exportIdx(dataset, flags.out)) reporter.line(path);
  reporter.line(`${dataset.name}: ${dataset.train.count} to train, ${dataset.test.count} to test`);
}

if (import.meta.main) await runScript(main);
