/**
 * Which runs are listed, and in which order.
 *
 * @module
 */

import type { ListedRun, RunState } from "./list_runs.ts";

/** What a run must be; what is absent does not matter. */
export interface RunFilter {
  /** Part of the model's name, whatever its case. */
  model?: string | undefined;
  parts?: readonly number[] | undefined;
  states?: readonly RunState[] | undefined;
  seeds?: readonly number[] | undefined;
  /** Part of the data set's name, whatever its case. */
  data?: string | undefined;
  /** Number format of the arithmetic. */
  precision?: string | undefined;
}

/** The runs that are as wanted, in their order. */
export function filterRuns(runs: readonly ListedRun[], filter: RunFilter): ListedRun[] {
  const { model, parts, states, seeds, data, precision } = filter;
  const holds = (text: string, wanted: string | undefined) =>
    wanted === undefined || text.toLowerCase().includes(wanted.toLowerCase());
  const isOneOf = <T>(value: T, wanted: readonly T[] | undefined) =>
    wanted === undefined || wanted.includes(value);
  return runs.filter(({ row, state }) =>
    holds(row.model, model) && holds(row.dataset, data) && isOneOf(row.part, parts) &&
    isOneOf(state, states) && isOneOf(row.seed, seeds) &&
    (precision === undefined || row.precision === precision)
  );
}

/** What runs can be sorted by: the newest, most accurate and fastest come first, names by the alphabet. */
export const SORT_KEYS = ["started", "model", "accuracy", "f1", "loss", "time", "seed"] as const;

export type SortKey = typeof SORT_KEYS[number];

/** The best value comes first, and that is the largest, unless told here. */
const SMALLEST_FIRST: readonly SortKey[] = ["model", "loss", "time", "seed"];

/**
 * Sorts runs; those without the value come last, and of equals the newest first.
 *
 * @param runs Oldest first.
 */
export function sortRuns(
  runs: readonly ListedRun[],
  { key, reverse = false }: { key: SortKey; reverse?: boolean },
): ListedRun[] {
  const sign = SMALLEST_FIRST.includes(key) === reverse ? -1 : 1;
  return runs.toReversed().map((run) => ({ run, value: valueOf(run, key) }))
    .sort(({ value: a }, { value: b }) => {
      if (a === undefined || b === undefined) {
        return Number(a === undefined) - Number(b === undefined);
      }
      return a === b ? 0 : (a < b ? -sign : sign);
    })
    .map(({ run }) => run);
}

function valueOf({ row }: ListedRun, key: SortKey): string | number | undefined {
  switch (key) {
    case "started":
      return finite(Date.parse(row.started_at));
    case "model":
      return row.model === "" ? undefined : row.model;
    case "accuracy":
      return finite(row.accuracy);
    case "f1":
      return finite(row.f1);
    case "loss":
      return finite(row.test_loss);
    case "time":
      return finite(row.training_time_s);
    case "seed":
      return finite(row.seed);
  }
}

function finite(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
