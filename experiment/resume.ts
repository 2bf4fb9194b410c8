/**
 * Finds the run that `--resume` resumes.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../io/errors.ts";
import { exists, PathAccessError } from "../io/path_kind.ts";
import { ProblemList } from "../report/record/problems.ts";
import { readResults, type ResultRow, resultsPath } from "../report/record/results.ts";
import { CHECKPOINT, type Manifest, readHistory, runFolder } from "../report/record/run_folder.ts";
import { listRunFolders, ownManifest } from "../report/record/run_folders.ts";
import { isRunning } from "../report/record/run_lock.ts";
import { readProgress, type TrainingProgress } from "../training/checkpoint.ts";
import type { EpochResult } from "../training/trainer.ts";

export { CHECKPOINT };

/** What a run must have left to be resumed. */
export interface ResumePoint {
  /** A file in its folder without which there is nothing to go on with. */
  file: typeof CHECKPOINT | "manifest.json";
  /**
   * Looks at what else an unfinished run has left in its folder.
   *
   * @returns How many test images it has done.
   * @throws {StudyError} If the run cannot be resumed.
   */
  check?: (folder: string) => Promise<number>;
}

/** How {@linkcode findRun} treats what it finds. */
export interface FindRunOptions extends ResumePoint {
  /**
   * Takes an unfinished run for this process; false if another process has it.
   *
   * @default {no other process has it}
   */
  claim?: (folder: string) => Promise<boolean>;
  /** Told what was passed over, a line each. */
  note?: (line: string) => void;
}

/** What {@linkcode findRun} looks for. */
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

/** What a run has on disk to go on from. */
export interface Kept {
  /** Epochs in its checkpoint; empty if there is nothing to resume or it has none. */
  history: EpochResult[];
  /** Seconds of computing the features that it was trained on, where that came first. */
  featureSeconds: number | undefined;
  /** Test images done, where they are kept one by one. */
  testedImages: number;
}

/** A run in the results folder. */
export interface FoundRun extends Kept {
  /** As in the CSV. */
  runId: string;
  /** When it was first started. */
  startedAt: string;
  /** Its row if it is finished; `undefined` if there is something to resume. */
  row: ResultRow | undefined;
  /** What its manifest says. */
  manifest: Manifest;
}

export type Resumption =
  /** The run asked for, finished or not. */
  | (FoundRun & { kind: "same" })
  /** A finished run with fewer epochs: a run of its own begins where that one ended. */
  | (FoundRun & { kind: "longer"; checkpoint: string })
  /** A finished run that cannot go on, and why. */
  | { kind: "none"; reason: string };

/** What of the run that is gone on with lies on disk; nothing where there is none. */
export function keptOf(
  found: Resumption | undefined,
): Omit<Kept, "history"> & { earlier: EpochResult[] } {
  if (found === undefined || found.kind === "none") return { earlier: [], ...NOTHING_ELSE };
  const { history: earlier, featureSeconds, testedImages } = found;
  return { earlier, featureSeconds, testedImages };
}

/** What a run has besides epochs before it has anything. */
const NOTHING_ELSE: Omit<Kept, "history"> = { featureSeconds: undefined, testedImages: 0 };

/** A run with what keeps it from being resumed. */
type Candidate = Omit<FoundRun, keyof Kept> & {
  differences: string[];
  /** Whether it has the file that it could go on from. */
  canGoOn: boolean;
};

/**
 * The newest run with these settings, unfinished or finished as far as is asked for; else the one that
 * finished after the most of fewer epochs; `undefined` if there is none. Runs that another process has
 * are passed over, and so are those that cannot be resumed where there is another. Temporary files that
 * a killed run left are removed.
 *
 * @throws {StudyError} If the only unfinished runs of the model and seed have other settings, are going
 *   on in other processes, have more epochs than are asked for or a damaged checkpoint, or `check` says
 *   so.
 */
export async function findRun(
  out: string,
  wanted: WantedRun,
  options: FindRunOptions,
): Promise<Resumption | undefined> {
  const { extent } = wanted;
  const { check, claim = () => Promise.resolve(true), note } = options;
  const unusable: StudyError[] = [];
  const taking = <Found>(found: Found): Found => {
    for (const { message } of unusable) note?.(`Passed over: ${message}`);
    return found;
  };
  const runs = await runsOf(out, wanted, options);
  const matching = runs.filter(({ row, differences }) =>
    differences.length === 0 &&
    (!row || (row.epochs === extent.epochs && row.test_images === extent.test_images))
  );
  let taken: string | undefined;
  for (const { differences: _, canGoOn, ...found } of matching) {
    const { runId, row } = found;
    if (row !== undefined) {
      return taking({ kind: "same", ...found, history: [], ...NOTHING_ELSE });
    }
    const folder = runFolder(out, runId);
    // One in its first epoch has nothing to go on from yet.
    const isFree = canGoOn ? await claim(folder) : !await isRunning(folder).catch(() => false);
    if (!isFree) {
      note?.(`Run ${runId} is going on in another process: passed over`);
      taken ??= runId;
      continue;
    }
    // The other process may have finished it just now.
    if ((await finishedRuns(out, wanted.part)).has(runId)) return findRun(out, wanted, options);
    if (!canGoOn) continue;
    await removeTemporaries(folder);
    const kept = await unlessUnusable(unusable, async () => {
      const testedImages = await check?.(folder) ?? 0;
      return { testedImages, history: await finishedEpochs(folder, runId, extent) };
    });
    if (kept === undefined) continue;
    return taking({
      kind: "same",
      ...found,
      ...kept,
      featureSeconds: await featureSecondsOf(folder),
    });
  }
  if (taken !== undefined) {
    throw new StudyError(
      `Cannot resume ${taken}: it is going on in another process. Wait for it to end, or start a ` +
        "new run without --resume",
    );
  }
  const longer = await longerRun(out, runs, { extent, unusable });
  if (longer?.kind === "longer") return taking(longer);
  if (unusable.length > 0) throw unusable[0]!;
  const other = runs.find(({ row, canGoOn }) => row === undefined && canGoOn);
  if (other === undefined) return longer;
  // Only some processors have it, and `auto` takes it there alone.
  const where = other.manifest.settings.precision === "bfloat16" &&
      wanted.settings.precision !== "bfloat16"
    ? ", --precision bf16 among them, on a processor that has bfloat16"
    : "";
  throw new StudyError(
    `Cannot resume ${other.runId}: it has ${other.differences.join(", ")}. Give it the same ` +
      `flags${where}, or start a new run without --resume`,
  );
}

/** The finished run that has come furthest towards as many epochs, with its checkpoint. */
async function longerRun(
  out: string,
  runs: readonly Candidate[],
  { extent, unusable }: Pick<WantedRun, "extent"> & { unusable: StudyError[] },
): Promise<Resumption | undefined> {
  const finished = runs.filter(({ row, canGoOn }) => row !== undefined && canGoOn);
  const shorter = finished
    .filter(({ row, differences }) =>
      differences.length === 0 && (row!.epochs ?? Infinity) < (extent.epochs ?? 0)
    )
    .sort((a, b) => b.row!.epochs! - a.row!.epochs!);
  if (shorter.length === 0) {
    const scheduled = finished.find(({ differences }) =>
      differences.length === 1 && differences[0]!.startsWith("epochs ")
    );
    if (scheduled === undefined) return undefined;
    const reason = `Run ${scheduled.runId} cannot go on: its learning rate was scheduled for ` +
      `${scheduled.row!.epochs} epochs`;
    return { kind: "none", reason };
  }
  for (const { differences: _, canGoOn: __, ...run } of shorter) {
    const { runId } = run;
    const folder = runFolder(out, runId);
    const history = await unlessUnusable(unusable, () => finishedEpochs(folder, runId, extent));
    if (history === undefined || history.length === 0) continue;
    const kept = { history, featureSeconds: await featureSecondsOf(folder), testedImages: 0 };
    return { kind: "longer", ...run, ...kept, checkpoint: join(folder, CHECKPOINT) };
  }
  return undefined;
}

/** What there is of a run; nothing where that cannot be gone on with, which is added to `unusable`. */
async function unlessUnusable<Found>(
  unusable: StudyError[],
  look: () => Promise<Found>,
): Promise<Found | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    unusable.push(error);
    return undefined;
  }
}

/** The runs of this part, model and seed, newest first. */
async function runsOf(
  out: string,
  { part, model, settings }: WantedRun,
  { file, note }: FindRunOptions,
): Promise<Candidate[]> {
  const finished = await finishedRuns(out, part);
  const { runIds, foreign } = await listRunFolders(out);
  const runs: Candidate[] = [];
  for (const runId of runIds) {
    const folder = runFolder(out, runId);
    const manifest = await ownManifest(folder, runId);
    if (manifest === undefined && await isThere(join(folder, file))) foreign.push(runId);
    if (manifest?.part !== part || manifest.model !== model) continue;
    if (manifest.settings.seed !== settings.seed) continue;
    runs.push({
      runId,
      startedAt: manifest.started_at,
      manifest,
      row: finished.get(runId),
      differences: settingDifferences(manifest.settings, settings),
      canGoOn: await isThere(join(folder, file)),
    });
  }
  if (foreign.length > 0) {
    note?.(`Passed over in ${join(out, "runs")}, as they are no runs: ${foreign.join(", ")}`);
  }
  return runs.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

/** Whether there is such a file, in a folder that may be entered. */
async function isThere(path: string): Promise<boolean> {
  try {
    return await exists(path);
  } catch (error) {
    // Reading its manifest fails too.
    if (error instanceof PathAccessError) return true;
    throw error;
  }
}

/** The epochs in a run's checkpoint; none if it has no checkpoint. */
async function finishedEpochs(
  folder: string,
  runId: string,
  { epochs }: WantedRun["extent"],
): Promise<EpochResult[]> {
  const checkpoint = join(folder, CHECKPOINT);
  if (!(await exists(checkpoint))) return [];
  let history: EpochResult[];
  try {
    ({ history } = await readProgress(checkpoint));
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new StudyError(
      `Cannot resume ${runId} from its checkpoint: start a new run without --resume (${reason})`,
      { cause: error },
    );
  }
  const done = history.length;
  if (epochs !== null && done > epochs) {
    throw new StudyError(
      `Cannot resume ${runId}: it has ${done} epochs already, more than --epochs ${epochs}. Ask ` +
        `for ${done} or more, or start a new run without --resume`,
    );
  }
  return history;
}

/** What `history.csv` has of features. A damaged one is no hindrance: the run writes it anew. */
async function featureSecondsOf(folder: string): Promise<number | undefined> {
  const rows = await readHistory(folder).catch(() => []);
  return rows.find(({ epoch }) => epoch === 0)?.time_s;
}

function settingDifferences(theirs: Manifest["settings"], ours: Manifest["settings"]): string[] {
  // TensorFlow's runs do not say what they ran on.
  const [before, now]: Manifest["settings"][] = [theirs, ours].map((settings) => ({
    backend: "tensorflow",
    ...settings,
  }));
  return Object.keys(now!).filter((name) => before![name] !== now![name])
    .map((name) => `${name} ${before![name]}, not ${now![name]}`);
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
