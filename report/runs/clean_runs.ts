/**
 * What killed processes left in results folders.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { isTemporary } from "../../io/atomic.ts";
import { folderEntries, totalBytes } from "../../io/folder_size.ts";
import { tryLock } from "../../io/lock.ts";
import { isNotPermitted } from "../../io/system_reason.ts";
import { gatherRows } from "../record/gather_rows.ts";
import { findLeftovers } from "../record/leftovers.ts";
import { type Problem, ProblemList } from "../record/problems.ts";
import { findRemains, refuseReference, removeRun } from "../record/remove_run.ts";
import { isResumable, stateAtRest } from "../record/run_state.ts";
import type { ListedRun } from "./list_runs.ts";

/** Something that may go. */
export interface Removable {
  path: string;
  bytes: number;
  /** What it is, a phrase. */
  what: string;
  kind: "temporary" | "remains" | "run";
  /** The run, where it is one's folder. */
  run?: ListedRun;
}

/** Options of {@linkcode findRemovables}. */
export interface CleanOptions {
  /** The runs in the folders. */
  runs: readonly ListedRun[];
  /** Leaves killed runs from which another could go on. */
  keepResumable: boolean;
  /** Gets what stays as it may have a row that could not be read. */
  problems: ProblemList;
}

/**
 * Finds it: temporary files that no process is writing, folders of killed runs without a row, and what
 * is left of removed runs. Where some of a part's rows could not be read, its killed runs stay.
 *
 * @throws {StudyError} If a folder is that of the committed results.
 */
export async function findRemovables(
  folders: readonly string[],
  { runs, keepResumable, problems }: CleanOptions,
): Promise<Removable[]> {
  const found: Removable[] = [];
  for (const results of folders) {
    await refuseReference(results);
    for (const { path, bytes } of await findRemains(results)) {
      found.push({ path, bytes, what: "what is left of a removed run", kind: "remains" });
    }
    let kept: Promise<KeptRows> | undefined;
    const rows = () => kept ??= readKept(results);
    for (const run of runs.filter((one) => one.results === results)) {
      const orphan = await orphanOf(run, { rows, problems });
      if (orphan !== undefined && !(keepResumable && orphan.resumable)) found.push(orphan);
    }
    for (const path of await findLeftovers(results)) {
      if (found.some(({ kind, path: folder }) => kind === "run" && folder === dirname(path))) {
        continue;
      }
      const bytes = await Deno.stat(path).then(({ size }) => size, () => 0);
      found.push({ path, bytes, what: "a temporary file", kind: "temporary" });
    }
  }
  return found;
}

/**
 * Removes it.
 *
 * @returns False if it is no longer what it was: some process has taken it up.
 */
export async function removeRemovable({ kind, path, run }: Removable): Promise<boolean> {
  switch (kind) {
    case "remains":
      await Deno.remove(path, { recursive: true });
      return true;
    case "temporary": {
      using lock = await tryLock(join(dirname(path), ".lock"));
      if (lock === undefined) return false;
      await Deno.remove(path).catch(passOverMissing);
      return true;
    }
    case "run": {
      const rows = () => readKept(run!.results);
      const isStillWanted = () => isOrphan(run!, { rows, problems: new ProblemList() });
      return await removeRun({ ...run!, file: null }, { isStillWanted });
    }
  }
}

/** The runs that have a row in a folder of results, and what was left out of its files. */
interface KeptRows {
  runIds: ReadonlySet<string>;
  skipped: readonly Problem[];
}

async function readKept(results: string): Promise<KeptRows> {
  const read = new ProblemList();
  const { runIds } = await gatherRows([results], read, { mayBeEmpty: true, keepAll: true });
  return { runIds, skipped: read.list().filter(({ skipped }) => skipped) };
}

/** What {@linkcode isOrphan} goes by besides the run. */
interface OrphanOptions extends Pick<CleanOptions, "problems"> {
  /** Of the run's folder of results; it is asked only about runs that were killed. */
  rows: () => Promise<KeptRows>;
}

/** A run's folder, if it is left of a process that was killed. */
async function orphanOf(
  run: ListedRun,
  options: OrphanOptions,
): Promise<Removable & { resumable: boolean } | undefined> {
  const { state, folder, note } = run;
  const mayBe = folder !== null && (state === "killed" || state === "broken");
  if (!mayBe || !await isOrphan(run, options)) return undefined;
  const bytes = totalBytes(await folderEntries(folder));
  const resumable = await isResumable(folder);
  const what = state === "broken" ? "a run killed as it began" : `a run killed ${note}`;
  return { path: folder, bytes, what, kind: "run", run, resumable };
}

/** Whether a run that no other process is at has no row and was killed. */
async function isOrphan(
  { folder, runId, row }: ListedRun,
  { rows, problems }: OrphanOptions,
): Promise<boolean> {
  const state = await stateAtRest(folder!, runId);
  if (state === "killed") {
    // It may have been finished since it was listed.
    const { runIds, skipped } = await rows();
    if (runIds.has(runId)) return false;
    const unread = skipped.find(({ file }) => mayHaveRows(file, row.part));
    if (unread === undefined) return true;
    const text = `stays, as its row may be in what was left out of ${unread.file}`;
    problems.add(text, { file: folder! });
    return false;
  }
  return state === "broken" && await holdsNothing(folder!);
}

/** Whether a folder holds nothing but what a run leaves that is killed as it begins. */
async function holdsNothing(folder: string): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      // A folder with anything else in it is somebody's.
      if (name !== ".lock" && !isTemporary(name)) return false;
    }
    return true;
  } catch (error) {
    // What is not seen may be anything.
    if (error instanceof Deno.errors.NotFound || isNotPermitted(error)) return false;
    throw error;
  }
}

/** Whether a file may have rows of this part: all but another part's, as a copy's name says little. */
function mayHaveRows(file: string, part: number): boolean {
  const [, of] = /^part(\d+)\.csv$/.exec(file) ?? [];
  return of === undefined || Number(of) === part;
}

function passOverMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
