/**
 * All that can be said of one run.
 *
 * @module
 */

import type { TestScores } from "../analysis/comparison.ts";
import { scorePredictions } from "../analysis/test_scores.ts";
import type { ProblemList } from "../record/problems.ts";
import type { Predictions } from "../record/run_folder.ts";
import { readRunFiles, type RunFiles } from "../record/run_files.ts";
import type { ListedRun } from "./list_runs.ts";

/** A run with its files. */
export interface RunDetails extends Omit<RunFiles, "predictions"> {
  run: ListedRun;
  predictions: Predictions | null;
  /** What its predictions say; `null` without them. */
  scores: TestScores | null;
}

/** Reads the files of a run; what can't be read is noted in `problems`. */
export async function readDetails(run: ListedRun, problems: ProblemList): Promise<RunDetails> {
  const { row, results } = run;
  const files = await readRunFiles(
    { row, folder: results, file: `part${row.part}.csv`, line: 0 },
    { folders: [results], problems },
  );
  const { predictions } = files;
  return { run, ...files, scores: predictions && scorePredictions(predictions, row) };
}
