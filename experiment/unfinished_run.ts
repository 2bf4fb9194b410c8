/**
 * How a run that did not end well is left: its row, and what is said of going on with it.
 *
 * A run that is resumed has what lies in its folder, whether or not its process has come as far as
 * to restore that.
 *
 * @module
 */

import { WriteError } from "../io/disk_error.ts";
import { failureLine, InterruptedError, StudyError } from "../io/errors.ts";
import { appendRow, type ResultRow } from "../report/record/results.ts";
import { NOT_TIMED, type StudyModel } from "../study.ts";
import type { EpochResult } from "../training/trainer.ts";
import { type Recorder, waitVisibly } from "./recording.ts";
import { type FoundRun, type Kept, keptOf, type ResumePoint, type Resumption } from "./resume.ts";

/** What has to be known of a run to leave it. */
export interface UnfinishedRun extends Recorder, Partial<Omit<Kept, "history">> {
  readonly plan: {
    readonly model: Pick<StudyModel, "name">;
    readonly seed: number;
    readonly columns: Partial<Pick<ResultRow, "epochs">>;
    readonly resume: Pick<ResumePoint, "file">;
    readonly keptEarly?: string;
  };
  readonly row: ResultRow;
  readonly dataset: { readonly test: { readonly count: number } };
  /** The command line, which says which weights are asked for. */
  readonly command: readonly string[];
  /** Epochs on disk of the run that is gone on with, which `history` has once it is restored. */
  readonly earlier: readonly EpochResult[];
  readonly history: readonly EpochResult[];
}

/** Writes the row of a run that did not end well; returns what is to be thrown. */
export async function leaveRow(run: UnfinishedRun, error: unknown): Promise<unknown> {
  const { plan, row, reporter, out, testedImages = 0 } = run;
  const interrupted = error instanceof InterruptedError;
  stopRow(row, error);
  if (interrupted) row.training_time_s = trainingTime(run);
  const epochs = epochsOf(run).length;
  if (plan.columns.epochs !== undefined) row.epochs = epochs;
  await appendRow(out, row, waitVisibly(out, reporter, run.signal)).catch(({ message }) => {
    reporter.warn(`The row of run ${row.run_id} is missing from the results: ${message}`);
  });
  if (error instanceof WriteError && epochs + testedImages > 0) {
    const remedy = `${error.message}; then add --resume to the same command to go on`;
    return new StudyError(remedy, { cause: error });
  }
  return interrupted ? withRemedy(run) : error;
}

/**
 * The same of a run that failed before its weights were found. One that is resumed has its row: it is
 * that which changes, if it was begun with the same words about weights.
 *
 * @param found What there is to go on with, whatever weights it has.
 */
export async function leaveEarly(
  run: UnfinishedRun,
  found: Resumption | undefined,
  error: unknown,
): Promise<unknown> {
  const { plan: { model, seed }, row } = run;
  if (found === undefined || !("manifest" in found) || !isAskedAlike(run, found)) {
    return await leaveRow(run, error);
  }
  if (found.kind !== "same") return await leaveRow({ ...run, ...keptOf(found) }, error);
  const { runId: run_id, startedAt: started_at, manifest: { settings } } = found;
  if (found.row === undefined) {
    const { weights = "", weights_sha256 = "" } = settings;
    Object.assign(row, { run_id, started_at, weights, weights_sha256 });
    return await leaveRow({ ...run, ...keptOf(found) }, error);
  }
  if (!(error instanceof InterruptedError)) return await leaveRow(run, error);
  return new InterruptedError(
    `${model.name} (seed ${seed}) was interrupted; its run ${run_id} is finished already`,
  );
}

/** Whether a run was begun with the weights that are asked for now, as its command line says. */
function isAskedAlike({ command }: UnfinishedRun, { manifest }: FoundRun): boolean {
  const { command: before } = manifest.settings;
  return Array.isArray(before) &&
    lastValue(before, "--weights") === lastValue(command, "--weights");
}

/** The last value of a flag, as `--weights WORD` or `--weights=WORD`; `undefined` without it. */
export function lastValue(command: readonly unknown[], flag: string): unknown {
  return command.flatMap((word, i) =>
    word === flag
      ? [command[i + 1]]
      : typeof word === "string" && word.startsWith(`${flag}=`)
      ? [word.slice(flag.length + 1)]
      : []
  ).at(-1);
}

/** Makes a row that of a run stopped by `error`: an interruption, or anything that went wrong. */
export function stopRow(row: ResultRow, error: unknown): ResultRow {
  if (error instanceof InterruptedError) {
    row.status = "interrupted";
    return row;
  }
  row.status = "error";
  row.error = error instanceof StudyError
    ? failureLine(error)
    : error instanceof Error
    ? error.message
    : String(error);
  row.training_time_s = NOT_TIMED.error;
  row.test_loss = row.accuracy = row.f1 = NaN;
  return row;
}

/** Seconds of features and epochs without loading the data or testing; words where nothing is trained. */
export function trainingTime(run: UnfinishedRun): number | string {
  const { plan, featureSeconds = 0 } = run;
  if (plan.columns.epochs === undefined) return NOT_TIMED.inferenceOnly;
  return epochsOf(run).reduce((sum, { seconds }) => sum + seconds, featureSeconds);
}

function epochsOf({ earlier, history }: UnfinishedRun): readonly EpochResult[] {
  return history.length > 0 ? history : earlier;
}

function withRemedy(run: UnfinishedRun): InterruptedError {
  const { plan: { model, seed, columns, resume, keptEarly }, testedImages = 0 } = run;
  const resumed = "add --resume to the same command to go on";
  const epochs = epochsOf(run).length;
  const what = testedImages > 0
    ? `after ${testedImages} of ${run.dataset.test.count} test images; what is done is kept: ` +
      resumed
    : epochs > 0
    ? `after epoch ${epochs} of ${columns.epochs}, which is kept: ${resumed}`
    : resume.file === "manifest.json"
    ? `before the first test image; what is done is kept: ${resumed}`
    : `before the first epoch was finished: ${keptEarly ?? "nothing is kept"}; start it again`;
  return new InterruptedError(`${model.name} (seed ${seed}) was interrupted ${what}`);
}
