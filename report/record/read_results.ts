/**
 * Reads `results/partN.csv`, also where a person or a spreadsheet has had it in hands.
 *
 * @module
 */

import { basename, join } from "node:path";
import { readRegularFile } from "../../io/regular_file.ts";
import { printable } from "../../io/printable.ts";
import { readResultText, strangeSeparator } from "./csv_dialect.ts";
import { csvRecords } from "./csv_records.ts";
import type { ProblemList } from "./problems.ts";
import { COLUMNS, isHeader, parseRow, positions, type ResultRow } from "./result_row.ts";

/** A result file with more, half a million rows, is none. */
const MOST_BYTES = 200e6;

/** A row and where it was found. */
export interface LocatedRow {
  row: ResultRow;
  /** What the file is called in the report. */
  file: string;
  /** Line of the file, from 1. */
  line: number;
}

/** The file that part `part` writes its rows to. */
export function resultsPath(outDir: string, part: number): string {
  if (!Number.isInteger(part) || part < 1) {
    throw new RangeError(
      `Cannot name a result file as part must be an integer >= 1: current value is ${part}`,
    );
  }
  return join(outDir, `part${part}.csv`);
}

/**
 * Reads the rows of one result file, columns matched by name.
 *
 * Semicolons, tabs or bars between the columns, UTF-16 and decimal commas are read, and noted, where
 * they can be nothing else. A header may come again further down, in the same or another version; it
 * holds for the lines that follow it. Whatever can't be used is skipped and noted in `problems`: a
 * file without the columns `run_id`, `model` and `status`, a line with more or fewer cells than its
 * header, a row without a model or a known status. A number of an ok row that cannot be read counts as
 * left out too, though the row stands.
 *
 * @param file What the file is called in the problems.
 * @throws {UnusableFileError} If the file is no regular one, is too large or cannot be read.
 */
export async function readResults(
  path: string,
  problems: ProblemList,
  file = basename(path),
): Promise<LocatedRow[]> {
  const { text, separator, hasDecimalCommas, oddities } = readResultText(await readBytes(path));
  if (oddities.length > 0) problems.add(`read with ${oddities.join(" and ")}`, { file });
  const rows: LocatedRow[] = [];
  let header: Map<string, number> | undefined;
  let width = 0;
  for (const { line, cells } of csvRecords(text, separator)) {
    if (cells !== null && isHeader(cells)) {
      header = positions(cells);
      width = cells.length;
      noteColumns(header, problems, file);
      continue;
    }
    if (header === undefined) {
      problems.skip(`${describeForeign(text)}, file skipped`, { file });
      return [];
    }
    // A spreadsheet writes an empty line with its separators.
    if (cells?.every((cell) => cell.trim() === "")) continue;
    if (cells?.length !== width) {
      problems.skip("incomplete or damaged line, skipped", { file, line });
      continue;
    }
    const parsed = parseRow(cells, header, hasDecimalCommas);
    for (const problem of parsed.problems) problems.add(problem, { file, line });
    for (const problem of parsed.unread) problems.skip(problem, { file, line });
    if (parsed.row !== null) rows.push({ row: parsed.row, file, line });
  }
  if (rows.length === 0) problems.add("no usable row", { file });
  return rows;
}

/** The bytes of a result file; none if it does not exist. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readRegularFile(path, { maxBytes: MOST_BYTES });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw error;
  }
}

function describeForeign(text: string): string {
  const separator = strangeSeparator(text);
  return separator === undefined
    ? "the header is not that of a result file"
    : `its columns are separated by ${JSON.stringify(separator)}, not by commas`;
}

function noteColumns(
  header: ReadonlyMap<string, number>,
  problems: ProblemList,
  file: string,
): void {
  const missing = COLUMNS.filter((column) => !header.has(column));
  if (missing.length > 0) {
    problems.add(`another version's header without ${missing.join(", ")}, read as empty`, { file });
  }
  const known = new Set<string>(COLUMNS);
  const unknown = [...header.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const names = printable(unknown.join(", "));
    problems.add(`another version's header with ${names}, left out`, { file });
  }
}
