/**
 * `row.csv` in a run's folder: the row of a finished run from the run's end until it is in
 * `partN.csv`, which may be not at all if the disk is full or another process holds the file.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../../io/atomic.ts";
import { exists } from "../../io/path_kind.ts";
import { ProblemList } from "./problems.ts";
import { formatRow, HEADER, readResults, type ResultRow } from "./results.ts";

export async function writeKeptRow(folder: string, row: ResultRow): Promise<void> {
  await writeFileAtomic(pathIn(folder), `${HEADER}\n${formatRow(row)}\n`);
}

/** The row that a run has kept; `undefined` if there is none, or if it is damaged or of another run. */
export async function readKeptRow(folder: string, runId: string): Promise<ResultRow | undefined> {
  if (!await exists(pathIn(folder))) return undefined;
  const [located, ...more] = await readResults(pathIn(folder), new ProblemList());
  const isSound = more.length === 0 && located?.row.run_id === runId && located.row.status === "ok";
  return isSound ? located.row : undefined;
}

/** Removes a run's `row.csv`, once it is in `partN.csv`. */
export async function removeKeptRow(folder: string): Promise<void> {
  await Deno.remove(pathIn(folder)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

function pathIn(folder: string): string {
  return join(folder, "row.csv");
}
