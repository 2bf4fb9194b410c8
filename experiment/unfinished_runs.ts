/**
 * Finds the run that `--resume` goes on with.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../io/errors.ts";
import { exists } from "../io/exists.ts";
import { ProblemList } from "../report/record/problems.ts";
import { readResults, type ResultRow, resultsPath } from "../report/record/results.ts";
import { type Manifest, readManifest, runFolder } from "../report/record/run_folder.ts";
import { readProgress, type TrainingProgress } from "../training/checkpoint.ts";

/** A run that can be gone on with, or is finished. */
export interface FoundRun {
  /** As in the CSV. */
  runId: string;
  /** When it was first started. */
  startedAt: string;
  /** Its row if it is finished; `undefined` if there is something to go on with. */
  row: ResultRow | undefined;
}

/** A run with a checkpoint. */
export interface ResumableRun extends FoundRun {
  /** Its checkpoint file. */
  checkpoint: string;
}

/** What {@linkcode findResumable} looks for. */
export interface WantedRun {
  /** Part of the study. */
  part: number;
  /** The model's name in the results. */
  model: string;
  /** Settings that the run must share, the seed among them. */
  settings: TrainingProgress["settings"];
  /** How far it is to go: one that is finished counts only if it went as far. */
  extent: { epochs: number | null; test_images: number };
}

/** Name of the checkpoint in a run's folder. */
export const CHECKPOINT = "checkpoint.safetensors";

/**
 * The training run that `--resume` means; see {@linkcode findRun}.
 *
 * @throws {StudyError} As `findRun()`, and if the run has more epochs than are asked for or its
 *   checkpoint is damaged.
 */
export async function findResumable(
  out: string,
  wanted: WantedRun & { extent: { epochs: number } },
): Promise<ResumableRun | undefined> {
  const found = await findRun(out, wanted, CHECKPOINT);
  if (found === undefined) return undefined;
  const run = { ...found, checkpoint: join(runFolder(out, found.runId), CHECKPOINT) };
  if (run.row !== undefined) return run;
  const done = await epochsDone(run);
  if (done > wanted.extent.epochs) {
    throw new StudyError(
      `Cannot resume ${run.runId}: it has ${done} epochs already, more than --epochs ` +
        `${wanted.extent.epochs}. Ask for ${done} or more, or start anew without --resume`,
    );
  }
  return run;
}

/**
 * The newest run with these settings, be it unfinished or finished; `undefined` if there is none.
 * Temporary files that a killed run left are removed.
 *
 * @param file A file in its folder without which there is nothing to go on with.
 * @throws {StudyError} If the only unfinished runs of the model and seed have other settings.
 */
export async function findRun(
  out: string,
  wanted: WantedRun,
  file: string,
): Promise<FoundRun | undefined> {
  const { extent } = wanted;
  const runs = await runsOf(out, wanted, file);
  const run = runs.find(({ row, differences }) =>
    differences.length === 0 &&
    (!row || (row.epochs === extent.epochs && row.test_images === extent.test_images))
  );
  if (run === undefined) {
    const other = runs.find(({ row }) => row === undefined);
    if (other === undefined) return undefined;
    throw new StudyError(
      `Cannot resume ${other.runId}: it has ${other.differences.join(", ")}. Give it the same ` +
        `flags, or start anew without --resume`,
    );
  }
  if (run.row === undefined) await removeTemporaries(runFolder(out, run.runId));
  return run;
}

/** The runs of this part, model and seed that have such a file, newest first. */
async function runsOf(
  out: string,
  { part, model, settings }: WantedRun,
  file: string,
): Promise<(FoundRun & { differences: string[] })[]> {
  const finished = await finishedRuns(out, part);
  const runs: (FoundRun & { differences: string[] })[] = [];
  for (const runId of await runIds(out)) {
    const folder = runFolder(out, runId);
    if (!(await exists(join(folder, file)))) continue;
    const manifest = await readManifest(folder).catch(() => undefined);
    if (manifest?.part !== part || manifest.model !== model) continue;
    if (manifest.settings.seed !== settings.seed) continue;
    runs.push({
      runId,
      startedAt: manifest.started_at,
      row: finished.get(runId),
      differences: settingDifferences(manifest.settings, settings),
    });
  }
  return runs.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

async function epochsDone({ runId, checkpoint }: ResumableRun): Promise<number> {
  try {
    return (await readProgress(checkpoint)).history.length;
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new StudyError(
      `Cannot resume ${runId} from its checkpoint: start anew without --resume (${reason})`,
      { cause: error },
    );
  }
}

function settingDifferences(theirs: Manifest["settings"], ours: Manifest["settings"]): string[] {
  return Object.keys(ours).filter((name) => theirs[name] !== ours[name])
    .map((name) => `${name} ${theirs[name]}, not ${ours[name]}`);
}

async function finishedRuns(out: string, part: number): Promise<Map<string, ResultRow>> {
  const rows = (await exists(resultsPath(out, part)))
    ? await readResults(resultsPath(out, part), new ProblemList())
    : [];
  return new Map(
    rows.filter(({ row }) => row.status === "ok").map(({ row }) => [row.run_id, row]),
  );
}

async function removeTemporaries(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".tmp")) await Deno.remove(join(folder, name));
  }
}

async function runIds(out: string): Promise<string[]> {
  const ids: string[] = [];
  try {
    for await (const entry of Deno.readDir(join(out, "runs"))) {
      if (entry.isDirectory) ids.push(entry.name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return ids;
}
