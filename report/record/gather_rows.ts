/**
 * The rows of every `partN.csv` in some results folders, put in order.
 *
 * @module
 */

import { basename, join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { printable } from "../../io/printable.ts";
import { UnusableFileError } from "../../io/regular_file.ts";
import { systemReason } from "../../io/system_reason.ts";
import type { ProblemList } from "./problems.ts";
import { COLUMNS, implausibleValues, type ResultRow } from "./result_row.ts";
import { type LocatedRow, readResults } from "./results.ts";

/** A row and the results folder that it is from. */
export interface FoundRow extends LocatedRow {
  /** The folder, as it was named. */
  folder: string;
}

/** Options of {@linkcode gatherRows}. */
export interface GatherOptions {
  /**
   * Whether a folder without a `partN.csv` is none of the caller's mistakes.
   *
   * @default {false}
   */
  mayBeEmpty?: boolean;
  /**
   * Whether ok rows stay that are no results, as their scores cannot be right.
   *
   * @default {false}
   */
  keepAll?: boolean;
}

/**
 * Reads the rows of all folders and notes which values cannot be right. An ok row whose test loss,
 * accuracy or F1 is no number, or not a possible one, is left out.
 *
 * A row that comes again, under the same `run_id` and model, counts once: the last ok one read, folders
 * being read in the order given and files in the order of their names. No other file than `partN.csv`
 * counts, whatever it is a copy of.
 *
 * @returns `rows` by `started_at`, oldest first; of equals the one read first comes first. `models`
 *   in the order in which they were first seen. `runIds` are those of the rows left out too.
 * @throws {StudyError} If a folder has no `partN.csv` and may not be empty, or if a run has two ok rows
 *   that differ.
 */
export async function gatherRows(
  folders: readonly string[],
  problems: ProblemList,
  { mayBeEmpty = false, keepAll = false }: GatherOptions = {},
): Promise<{ rows: FoundRow[]; models: string[]; runIds: Set<string> }> {
  const found: FoundRow[] = [];
  for (const folder of folders) {
    const { files, others } = await resultFiles(folder);
    if (files.length === 0 && !mayBeEmpty) {
      throw new StudyError(
        `No results in ${folder}: run \`deno task part1\` first, or name their folder with --results` +
          (others.length > 0 ? ` (${printable(others.join(", "))}: only partN.csv counts)` : ""),
      );
    }
    for (const name of others) {
      const text = "not read, as only partN.csv counts: move it away";
      problems.skip(text, { file: placeName(folders, folder, name) });
    }
    for (const name of files) {
      const file = placeName(folders, folder, name);
      try {
        for (const located of await readResults(join(folder, name), problems, file)) {
          found.push({ ...located, folder });
        }
      } catch (error) {
        if (!(error instanceof UnusableFileError)) throw error;
        problems.skip(`${error.reason}, file skipped`, { file });
      }
    }
  }
  const results = found.filter((located) => noteImplausible(located, { keepAll, problems }));
  return {
    rows: sortByAge(withoutRepeats(results, problems)),
    models: [...new Set(results.map(({ row }) => row.model))],
    runIds: new Set(found.map(({ row }) => row.run_id)),
  };
}

/** Notes which of a row's values cannot be right, and says whether it stays. */
function noteImplausible(
  { row, ...where }: FoundRow,
  { keepAll, problems }: { keepAll: boolean; problems: ProblemList },
): boolean {
  const { notes, scores } = implausibleValues(row);
  for (const phrase of notes) problems.add(phrase, where);
  for (const phrase of scores) {
    if (keepAll) problems.add(phrase, where);
    else problems.skip(`${phrase}, row skipped`, where);
  }
  return keepAll || scores.length === 0;
}

/** How a file is named in the report: with its results folder where there are several. */
export function placeName(folders: readonly string[], folder: string, file: string): string {
  return folders.length > 1 ? join(folder, file) : file;
}

/** The names of the result files in a folder, and of what may be meant for one, sorted. */
async function resultFiles(folder: string): Promise<{ files: string[]; others: string[] }> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (/^part.*\.csv$/i.test(name)) names.push(name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      throw new StudyError(
        `${folder} is not a folder: name the folder that ${basename(folder)} is in with --results`,
      );
    }
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new StudyError(
        `${folder} cannot be read (${systemReason(error)}): name another folder with --results`,
        { cause: error },
      );
    }
  }
  const isResultFile = (name: string) => /^part\d+\.csv$/.test(name);
  return {
    files: names.filter(isResultFile).sort(),
    others: names.filter((name) => !isResultFile(name)).sort(),
  };
}

/**
 * Leaves out ok rows that come again later under the same run and model, and rows of a time when that
 * run was not ok yet, as an older copy has them.
 *
 * @throws {StudyError} If two ok rows differ: which of them is the run's is not ours to say.
 */
function withoutRepeats(found: readonly FoundRow[], problems: ProblemList): FoundRow[] {
  const last = new Map<string, FoundRow>();
  const key = ({ run_id, model }: ResultRow) => `${run_id}\n${model}`;
  const counts = ({ run_id, status }: ResultRow) => run_id !== "" && status === "ok";
  for (const located of found) {
    if (!counts(located.row)) continue;
    const earlier = last.get(key(located.row));
    if (earlier !== undefined) {
      refuseContradiction(earlier, located);
      problems.add("the run comes again later, this row skipped", earlier);
    }
    last.set(key(located.row), located);
  }
  return found.filter((located) => (last.get(key(located.row)) ?? located) === located);
}

function refuseContradiction(one: FoundRow, other: FoundRow): void {
  const column = COLUMNS.find((column) => !Object.is(one.row[column], other.row[column]));
  if (column === undefined) return;
  const describe = ({ row, folder, file, line }: FoundRow) =>
    `${printable(String(row[column]))} in ${join(folder, basename(file))}, line ${line}`;
  throw new StudyError(
    `Run ${printable(one.row.run_id)} of ${printable(one.row.model)} has two rows that differ: ` +
      `${column} is ${describe(one)}, and ${describe(other)}: remove the row that is wrong`,
  );
}

/** Oldest first; rows of the same age, or without a readable time, keep their order. */
function sortByAge(rows: readonly FoundRow[]): FoundRow[] {
  return rows
    .map((found) => ({ found, time: Date.parse(found.row.started_at) }))
    .map(({ found, time }) => ({ found, time: Number.isNaN(time) ? -Infinity : time }))
    .sort((a, b) => a.time === b.time ? 0 : a.time - b.time)
    .map(({ found }) => found);
}
