/**
 * Every run in some results folders: those with a row, and folders without one.
 *
 * @module
 */

import { basename, join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { exists } from "../../io/path_kind.ts";
import { type FoundRow, gatherRows } from "../record/gather_rows.ts";
import { readKeptRow } from "../record/kept_row.ts";
import type { ProblemList } from "../record/problems.ts";
import {
  COLUMNS,
  EMPTY_ROW,
  NUMBER_COLUMNS,
  type ResultRow,
  type Status,
} from "../record/result_row.ts";
import { type Manifest, readHistory, runFolder } from "../record/run_folder.ts";
import { listRunFolders, ownManifest } from "../record/run_folders.ts";
import { isRunning } from "../record/run_lock.ts";
import { type FolderState, folderState, isResumable } from "../record/run_state.ts";

/** How a run ended, or what else it is. */
export const STATES = [
  "ok",
  "error",
  "interrupted",
  "running",
  "killed",
  "unrecorded",
  "broken",
] as const;

export type RunState = typeof STATES[number];

/** A run, or what has a run's place. */
export interface ListedRun {
  runId: string;
  state: RunState;
  /** Results folder that it is in. */
  results: string;
  /** Its own folder; `null` if there is none. */
  folder: string | null;
  /** Its row; of a run without one what its folder says, all else empty. */
  row: ResultRow;
  /** Name of the `partN.csv` that has the row; `null` if none has. */
  file: string | null;
  /** What is wrong, a phrase; `""` if nothing is. */
  note: string;
}

/**
 * Finds them, oldest first; of equal age in the order of their names.
 *
 * @param problems Gets what could not be read.
 * @throws {StudyError} If a folder does not exist, or if a run has two ok rows that differ.
 */
export async function listRuns(
  folders: readonly string[],
  problems: ProblemList,
): Promise<ListedRun[]> {
  for (const folder of folders) {
    if (await exists(folder)) continue;
    throw new StudyError(
      `There is no folder ${folder}: run \`deno task part1\` first, or name the folder of the runs ` +
        "with --results",
    );
  }
  const { rows } = await gatherRows(folders, problems, { mayBeEmpty: true, keepAll: true });
  const recorded = new Set(rows.map(({ row }) => row.run_id));
  const runs: ListedRun[] = [];
  for (const results of folders) {
    const { runIds, foreign } = await listRunFolders(results);
    const there = new Set(runIds);
    for (const found of rows) {
      if (found.folder === results) runs.push(await recordedRun(found, there));
    }
    for (const runId of runIds) {
      if (!recorded.has(runId)) runs.push(await unrecordedRun(results, runId));
    }
    for (const name of foreign) {
      problems.add("not the folder of a run, passed over", { file: join(results, "runs", name) });
    }
  }
  const age = ({ row }: ListedRun) => Date.parse(row.started_at) || 0;
  return runs.sort((a, b) => age(a) - age(b) || (a.runId < b.runId ? -1 : 1));
}

async function recordedRun(
  { row, file, folder: results }: FoundRow,
  there: ReadonlySet<string>,
): Promise<ListedRun> {
  const { run_id: runId, status } = row;
  const run = { runId, results, row, file: basename(file) };
  if (!there.has(runId)) {
    // A run that failed early has left nothing but its row.
    const note = status === "ok" ? "its folder is missing" : "";
    return { ...run, state: status, folder: null, note };
  }
  const folder = runFolder(results, runId);
  const isLive = status !== "ok" && await isRunning(folder).catch(() => false);
  return {
    ...run,
    state: isLive ? "running" : status,
    folder,
    note: await missingIn(folder, { runId, isOk: status === "ok" }),
  };
}

/** What a run's folder lacks, as a phrase. */
async function missingIn(
  folder: string,
  { runId, isOk }: { runId: string; isOk: boolean },
): Promise<string> {
  if (await ownManifest(folder, runId) === undefined) return "no readable manifest of this run";
  const hasPredictions = !isOk || await exists(join(folder, "predictions.csv")).catch(() => false);
  return hasPredictions ? "" : "its predictions are missing";
}

const NOTES: Readonly<Record<Exclude<FolderState, "killed">, string>> = {
  running: "",
  unrecorded: "finished, but its row is only in its folder: --resume adds it",
  rowless: "finished, its row is missing: put its part's CSV right, or --resume adds it",
  broken: "a folder without a manifest of this run",
  forbidden: "a folder that may not be read: permission denied",
  unreadable: "a folder that cannot be read",
};

/** What such a folder's run is listed as. */
const STATE_OF: Readonly<Record<FolderState, RunState>> = {
  running: "running",
  unrecorded: "unrecorded",
  rowless: "unrecorded",
  killed: "killed",
  broken: "broken",
  forbidden: "broken",
  unreadable: "broken",
};

async function unrecordedRun(results: string, runId: string): Promise<ListedRun> {
  const folder = runFolder(results, runId);
  const found = await folderState(folder, runId);
  const state = STATE_OF[found];
  const empty: ResultRow = { ...EMPTY_ROW, run_id: runId };
  const row = state === "broken"
    ? empty
    : found === "unrecorded"
    ? await readKeptRow(folder, runId) ?? empty
    : await rowOf(folder, runId, found === "rowless" ? "ok" : "interrupted") ?? empty;
  const note = found === "killed" ? await describeKilled(folder, row) : NOTES[found];
  return { runId, state, results, folder, row, file: null, note };
}

async function describeKilled(folder: string, { epochs }: ResultRow): Promise<string> {
  if (!await isResumable(folder)) return "before there was anything to go on from";
  return `${epochs ? `after epoch ${epochs}; ` : ""}--resume goes on with it`;
}

/** What the folder of a run whose row nothing has says of it. */
async function rowOf(
  folder: string,
  runId: string,
  status: Status,
): Promise<ResultRow | undefined> {
  const manifest = await ownManifest(folder, runId);
  if (manifest === undefined) return undefined;
  const history = await readHistory(folder).catch(() => []);
  const epochs = history.filter(({ epoch }) => epoch > 0).length;
  const { run_id, started_at, part, model, settings, machine } = manifest;
  return {
    ...EMPTY_ROW,
    ...columnsOf(settings),
    ...columnsOf(machine),
    ...{ run_id, started_at, part, model, status },
    epochs: settings.epochs === null ? null : epochs,
  };
}

/** The values that have the names and types of columns. */
function columnsOf(values: Manifest["settings"]): Partial<ResultRow> {
  const fitting = COLUMNS.filter((column) => {
    const value = values[column];
    return NUMBER_COLUMNS.includes(column) ? typeof value === "number" : typeof value === "string";
  });
  return Object.fromEntries(fitting.map((column) => [column, values[column]]));
}
