/**
 * The rows of every `part*.csv` in some results folders, put in order.
 *
 * @module
 */

import { basename, join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import type { ProblemList } from "./problems.ts";
import { implausibleValues, type ResultRow } from "./result_row.ts";
import { type LocatedRow, readResults } from "./results.ts";

/** A row and the results folder that it is from. */
export interface FoundRow extends LocatedRow {
  /** The folder, as it was named. */
  folder: string;
}

/**
 * Reads the rows of all folders and notes which values cannot be right.
 *
 * Of ok rows with the same `run_id` and model the last one read counts, folders being read in the
 * order given and files in the order of their names.
 *
 * @returns `rows` by `started_at`, oldest first; of equals the one read first comes first. `models`
 *   in the order in which they were first seen.
 * @throws {StudyError} If a folder has no `part*.csv`.
 */
export async function gatherRows(
  folders: readonly string[],
  problems: ProblemList,
): Promise<{ rows: FoundRow[]; models: string[] }> {
  const found: FoundRow[] = [];
  for (const folder of folders) {
    const files = await resultFiles(folder);
    if (files.length === 0) {
      throw new StudyError(
        `No results in ${folder}: run \`deno task part1\` first, or name their folder with --results`,
      );
    }
    for (const name of files) {
      const file = placeName(folders, folder, name);
      try {
        for (const located of await readResults(join(folder, name), problems, file)) {
          found.push({ ...located, folder });
        }
      } catch (error) {
        if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
        problems.add("not readable, file skipped", { file });
      }
    }
  }
  for (const { row, ...where } of found) {
    for (const phrase of implausibleValues(row)) problems.add(phrase, where);
  }
  return {
    rows: sortByAge(withoutRepeats(found, problems)),
    models: [...new Set(found.map(({ row }) => row.model))],
  };
}

/** How a file is named in the report: with its results folder where there are several. */
export function placeName(folders: readonly string[], folder: string, file: string): string {
  return folders.length > 1 ? join(folder, file) : file;
}

/** Names of the result files in a folder, sorted. */
async function resultFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.isDirectory && /^part.*\.csv$/.test(entry.name)) names.push(entry.name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      throw new StudyError(
        `${folder} is not a folder: name the folder that ${basename(folder)} is in with --results`,
      );
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

/** Leaves out ok rows that come again later under the same run and model. */
function withoutRepeats(found: readonly FoundRow[], problems: ProblemList): FoundRow[] {
  const last = new Map<string, FoundRow>();
  const key = ({ run_id, model }: ResultRow) => `${run_id}\n${model}`;
  const counts = ({ run_id, status }: ResultRow) => run_id !== "" && status === "ok";
  for (const located of found) {
    if (!counts(located.row)) continue;
    const earlier = last.get(key(located.row));
    if (earlier !== undefined) {
      problems.add("the run comes again later, this row skipped", earlier);
    }
    last.set(key(located.row), located);
  }
  return found.filter((located) => !counts(located.row) || last.get(key(located.row)) === located);
}

/** Oldest first; rows of the same age, or without a readable time, keep their order. */
function sortByAge(rows: readonly FoundRow[]): FoundRow[] {
  return rows
    .map((found) => ({ found, time: Date.parse(found.row.started_at) }))
    .map(({ found, time }) => ({ found, time: Number.isNaN(time) ? -Infinity : time }))
    .sort((a, b) => a.time === b.time ? 0 : a.time - b.time)
    .map(({ found }) => found);
}
