/**
 * Which run somebody means: an id, its beginning or another part of it, or a folder.
 *
 * @module
 */

import { basename, dirname, resolve } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { printable } from "../../io/printable.ts";
import { describeAmbiguity, runsMeantBy } from "../record/match_run_id.ts";
import type { ProblemList } from "../record/problems.ts";
import { type ListedRun, listRuns } from "./list_runs.ts";

/** Where {@linkcode findRun} looks. */
export interface FindOptions {
  /** Results folders whose runs have names. */
  folders: readonly string[];
  /** Folder that relative paths start from. */
  origin: string;
  problems: ProblemList;
}

/**
 * The one run that is meant. A folder `DIR/runs/ID` is looked for in the results folder `DIR`, also
 * where that is none of the folders named.
 *
 * @throws {StudyError} If there is none, or several.
 */
export async function findRun(
  word: string,
  { folders, origin, problems }: FindOptions,
): Promise<ListedRun> {
  const path = resolve(origin, word);
  const isPath = /[\\/]/.test(word) || await isRunFolder(path);
  const runs = isPath
    ? await runsBeside(path, problems)
    : runsMeantBy(word, await listRuns(folders, problems), ({ runId }) => runId);
  const [run, ...more] = runs;
  if (run !== undefined && more.length === 0) return run;
  if (run === undefined) {
    throw new StudyError(
      isPath
        ? `${printable(path)} is not the folder of a run: name DIR/runs/ID, or an id`
        : `No run "${printable(word)}" in ${
          folders.join(", ")
        }: \`deno task runs list\` says which ` +
          "there are",
    );
  }
  const names = runs.map(({ runId, folder, results }) =>
    runs.some((other) => other.runId === runId && other.results !== results)
      ? folder ?? results
      : runId
  );
  throw new StudyError(describeAmbiguity(word, names));
}

async function runsBeside(path: string, problems: ProblemList): Promise<ListedRun[]> {
  if (basename(dirname(path)) !== "runs") return [];
  const results = dirname(dirname(path));
  const runs = await listRuns([results], problems);
  return runs.filter(({ runId, folder }) => folder !== null && runId === basename(path));
}

async function isRunFolder(path: string): Promise<boolean> {
  if (basename(dirname(path)) !== "runs") return false;
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}
