/**
 * What a comparison of runs with the study consists of.
 *
 * @module
 */

import type { Problem } from "./problems.ts";
import type { PublishedResult } from "./published.ts";
import type { ResultRow } from "./result_row.ts";
import type { SettingResult } from "./settings.ts";

/** One model: what was published and what was found. */
export interface ModelComparison {
  /** The model's name. */
  model: string;
  /** The study's result, or `null` for a model that it does not have. */
  published: PublishedResult | null;
  /** The newest ok run; if none is ok the newest run; `null` if there is none. */
  row: ResultRow | null;
  /** A run that ended in an error or was interrupted after the one in `row`. */
  newerFailure: ResultRow | null;
  /** Why `row` can't be held against the published values; empty if it can. */
  differences: string[];
  /** Every setting with an ok run, newest first. */
  settings: SettingResult[];
}

/** All models, and what was odd on the way. */
export interface Comparison {
  /** The study's models in its order, then others in the order in which they were first seen. */
  models: ModelComparison[];
  /** What was odd in the files. */
  problems: Problem[];
}
