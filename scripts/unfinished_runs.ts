/**
 * Finds the run that `--resume` goes on with.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../io/errors.ts";
import { ProblemList } from "../report/problems.ts";
import { readResults, resultsPath } from "../report/results.ts";
import { readManifest, runFolder } from "../report/run_folder.ts";
import { readProgress, type TrainingProgress } from "../training/checkpoint.ts";

/** A run with a checkpoint. */
export interface ResumableRun {
  /** As in the CSV. */
  runId: string;
  /** When it was first started. */
  startedAt: string;
  /** Its checkpoint file. */
  checkpoint: string;
  /** Whether its result is in the CSV already. */
  finished: boolean;
}

/** Name of the checkpoint in a run's folder. */
export const CHECKPOINT = "checkpoint.safetensors";

/**
 * The newest run of a model and seed that `--resume` means: one not yet finished if there is one,
 * else one that is finished with these very settings; `undefined` if there is none.
 *
 * @param settings Settings the run must share.
 * @throws {StudyError} If the unfinished run has other settings: it cannot be gone on with.
 */
export async function findResumable(
  out: string,
  { part, model, seed, epochs }: { part: number; model: string; seed: number; epochs: number },
  settings: TrainingProgress["settings"],
): Promise<ResumableRun | undefined> {
  const finished = await finishedRuns(out, part);
  const runs: ResumableRun[] = [];
  for (const runId of await runIds(out)) {
    const folder = runFolder(out, runId);
    const checkpoint = join(folder, CHECKPOINT);
    if (!(await exists(checkpoint))) continue;
    const manifest = await readManifest(folder).catch(() => undefined);
    if (manifest?.part !== part || manifest.model !== model || manifest.settings.seed !== seed) {
      continue;
    }
    const startedAt = manifest.started_at;
    runs.push({ runId, startedAt, checkpoint, finished: finished.has(runId) });
  }
  runs.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  const unfinished = runs.find((run) => !run.finished);
  if (unfinished !== undefined) {
    const progress = await readProgress(unfinished.checkpoint);
    const differences = settingDifferences(progress.settings, settings);
    if (differences.length === 0) return unfinished;
    throw new StudyError(
      `Cannot resume ${unfinished.runId}: it has ${differences.join(", ")}. Give it the same ` +
        `flags, or start anew without --resume`,
    );
  }
  for (const run of runs) {
    const progress = await readProgress(run.checkpoint);
    const same = settingDifferences(progress.settings, settings).length === 0;
    if (same && progress.history.length === epochs) return run;
  }
  return undefined;
}

function settingDifferences(
  theirs: TrainingProgress["settings"],
  ours: TrainingProgress["settings"],
): string[] {
  return Object.keys(ours).filter((name) => theirs[name] !== ours[name])
    .map((name) => `${name} ${theirs[name]}, not ${ours[name]}`);
}

async function finishedRuns(out: string, part: number): Promise<Set<string>> {
  if (!(await exists(resultsPath(out, part)))) return new Set();
  const rows = await readResults(resultsPath(out, part), new ProblemList());
  return new Set(rows.filter(({ row }) => row.status === "ok").map(({ row }) => row.run_id));
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

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
