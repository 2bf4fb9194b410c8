/**
 * Axes that more than one figure has.
 *
 * @module
 */

/** A logarithmic axis with round numbers on it, as wide as what is on it and a margin. */
export function logarithmicAxis(
  values: readonly number[],
  { field, title, margin }: {
    field: string;
    title: string;
    /** How many times the smallest and the largest value are away from the ends, above 1. */
    margin: number;
  },
) {
  const [low, high] = [Math.min(...values) / margin, Math.max(...values) * margin];
  return {
    field,
    type: "quantitative",
    title: `${title}, logarithmic`,
    scale: { type: "log", domain: [low, high] as number[], nice: false },
    axis: { values: roundNumbers(low, high), format: "~f" },
  } as const;
}

/** An axis of accuracies, or of training accuracies; where they are shows, not where they could be. */
export function accuracyAxis({ title, tickCount }: { title: string; tickCount: number }) {
  return {
    field: "accuracy",
    type: "quantitative",
    title: `${title} (%)`,
    scale: { zero: false, nice: tickCount },
    axis: { tickCount, format: "~f" },
  } as const;
}

/** Least width of a range of accuracies, in percentage points: less is no difference to look at. */
const NARROWEST = 0.1;

/** From a bit below the smallest of some percentages to a bit above the largest. */
export function closeRange(percentages: readonly number[]): number[] {
  const [low, high] = [Math.min(...percentages), Math.max(...percentages)];
  const margin = Math.max(0.08 * (high - low), (NARROWEST - (high - low)) / 2);
  return [low - margin, high + margin];
}

/** Round numbers between two positive ones, the further apart these are the fewer. */
function roundNumbers(low: number, high: number): number[] {
  const tenfolds = Math.log10(high / low);
  const steps = tenfolds > 3.5 ? [1] : tenfolds > 1.2 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
  const result: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
    result.push(...steps.map((step) => Number(`${step}e${power}`)));
  }
  return result.filter((tick) => tick >= low && tick <= high);
}
