/** What tests/reference/recipe.py has written. */

export interface RecipeGolden {
  labelSmoothing: {
    /** `[6, 10]`. */
    logits: number[];
    labels: number[];
    cases: { smoothing: number; loss: number; gradient: number[] }[];
  };
  muon: {
    options: { lr: number; weight_decay: number; momentum: number };
    cases: {
      /** PyTorch's, `[out, ...]`. */
      shape: number[];
      start: number[];
      gradients: number[][];
      after: number[];
      momentum: number[];
    }[];
  };
  affine: {
    settings: { shift: number; rotation: number; shear: number; scale: number };
    /** `[4, 6]`, from -1 to 1. */
    draws: number[][];
    /** `[4, 28, 28]`. */
    images: number[];
    warped: number[];
  };
  /** Matrices row by row. */
  eigen: { matrix: number[][]; values: number[]; vectors: number[][] };
  average: { decay: number; values: number[][]; means: number[][] };
}

export const golden: RecipeGolden = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/recipe.json`),
);

/** The largest difference between two lists of numbers. */
export function largestDifference(ours: ArrayLike<number>, theirs: readonly number[]): number {
  if (ours.length !== theirs.length) return Infinity;
  return theirs.reduce((most, value, i) => Math.max(most, Math.abs(ours[i]! - value)), 0);
}
