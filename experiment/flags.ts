/**
 * The flags that the parts of the study share.
 *
 * A script that has more of its own spreads them into the table:
 * `{ ...runFlags(DEFAULTS), weights: { kind: "path", help: "..." } }`.
 *
 * @module
 */

import type { FlagTable } from "../io/parse_flags.ts";

export { type FlagTable, type FlagValues, parseFlags } from "../io/parse_flags.ts";
export { type HelpOptions, helpText } from "../io/help_text.ts";

/** The defaults in which the parts differ. */
export interface RunDefaults {
  epochs: number;
  batchSize: number;
  /** Adam's learning rate. */
  lr: number;
}

/** Low enough that `seed + runs` is still a 32-bit integer, as TensorFlow wants seeds. */
const MAX_SEED = 2_000_000_000;

/** The table of flags of a part that trains, with its own defaults. */
export function runFlags(defaults: RunDefaults) {
  return {
    seed: {
      kind: "integer",
      min: 0,
      max: MAX_SEED,
      default: 1,
      help: "fixes initial weights, shuffling and dropout",
    },
    seeds: {
      kind: "integers",
      min: 0,
      max: MAX_SEED,
      excludes: ["seed", "runs"],
      help: "one run for each of these seeds",
    },
    runs: {
      kind: "integer",
      min: 1,
      max: 1000,
      default: 1,
      help: "so many runs, with seeds counted up from --seed",
    },
    epochs: {
      kind: "integer",
      min: 1,
      max: 1000,
      default: defaults.epochs,
      help: "passes over the training images",
    },
    batchSize: {
      kind: "integer",
      min: 1,
      max: 60_000,
      default: defaults.batchSize,
      help: "images for each step",
    },
    lr: { kind: "number", above: 0, default: defaults.lr, help: "Adam's learning rate" },
    data: {
      kind: "choice",
      choices: ["auto", "mnist", "fashion"],
      orFolder: true,
      default: "auto",
      help: "the images: MNIST, which auto takes too; Fashion-MNIST; or a folder of IDX files",
    },
    limit: { kind: "integer", min: 1, help: "train on the first N images only" },
    testLimit: { kind: "integer", min: 1, help: "test on the first N images only" },
    backend: {
      kind: "choice",
      choices: ["auto", "tensorflow"],
      default: "auto",
      help: "what does the arithmetic",
    },
    device: {
      kind: "choice",
      choices: ["auto", "cpu", "gpu"],
      default: "auto",
      help: "where; gpu fails where there is none",
    },
    precision: {
      kind: "choice",
      choices: ["fp32", "bf16"],
      help: "of convolutions and products; bf16 on processors that have it [default: fp32]",
    },
    libtensorflow: {
      kind: "path",
      help: "the library to use, instead of one found or fetched",
    },
    out: { kind: "path", default: "results", help: "folder that results are written to" },
    resume: { kind: "boolean", help: "go on with a run that was interrupted" },
    strict: { kind: "boolean", help: "fail rather than use a substitute" },
    quiet: { kind: "boolean", help: "print warnings only" },
    json: { kind: "boolean", help: "print the result as JSON, everything else on standard error" },
    verbose: { kind: "boolean", help: "show stacks of errors and the engine's own messages" },
    help: { kind: "boolean", help: "show this page; -h does too" },
  } as const satisfies FlagTable;
}

/** What the engine calls the values of `--precision`. */
export const PRECISIONS = { fp32: "float32", bf16: "bfloat16", auto: "auto" } as const;

/** The seeds of all runs that `--seed`, `--seeds` and `--runs` ask for, in order. */
export function seedList(
  { seed, seeds, runs }: { seed: number; seeds: number[] | undefined; runs: number },
): number[] {
  return seeds ?? Array.from({ length: runs }, (_, i) => seed + i);
}
