/**
 * The one-cycle learning rate.
 *
 * @module
 */

/** Settings of {@linkcode oneCycle}; names and defaults are PyTorch's. */
export interface OneCycleOptions {
  /** The largest learning rate, > 0. */
  maxLr: number;
  /** Steps of the whole run, >= 1. */
  totalSteps: number;
  /**
   * Share of the steps in which the rate rises.
   *
   * @default {0.3}
   */
  pctStart?: number;
  /**
   * The first rate is `maxLr / divFactor`.
   *
   * @default {25}
   */
  divFactor?: number;
  /**
   * The last rate is the first one over this.
   *
   * @default {1e4}
   */
  finalDivFactor?: number;
  /**
   * How the rate goes from one value to the next: along half a cosine or a straight line.
   *
   * @default {"cos"}
   */
  annealStrategy?: "cos" | "linear";
}

/**
 * `torch.optim.lr_scheduler.OneCycleLR` without cycling the momentum.
 *
 * Source: Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
 * Learning Rates", 2018.
 *
 * @returns The learning rate of a step, steps counted from 1.
 */
export function oneCycle(options: OneCycleOptions): (step: number) => number {
  const { maxLr, totalSteps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  const anneal = ANNEAL[options.annealStrategy ?? "cos"];
  const first = maxLr / divFactor;
  const last = first / finalDivFactor;
  const peak = pctStart * totalSteps - 1;
  return (step) => {
    const at = step - 1;
    if (at <= peak) return anneal(first, maxLr, peak === 0 ? 1 : at / peak);
    return anneal(maxLr, last, (at - peak) / (totalSteps - 1 - peak));
  };
}

/** From `from` to `to`, as `share` goes from 0 to 1. */
const ANNEAL = {
  cos: (from: number, to: number, share: number): number =>
    to + (from - to) / 2 * (1 + Math.cos(Math.PI * share)),
  linear: (from: number, to: number, share: number): number => from + (to - from) * share,
} as const;
