/**
 * `results/partN.csv`: rows are added by {@linkcode appendRow} and read by {@linkcode readResults}.
 *
 * Nothing already written is ever lost: a row is added by writing old content and new row to a
 * temporary file that then takes the old one's place, under a lock, so that two processes can add to
 * one file. A half-written last line is left as it is and the new row starts on a line of its own; a
 * file with another header is left alone.
 *
 * @module
 */

import { basename, join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { StudyError } from "../io/errors.ts";
import { withLock } from "../io/lock.ts";
import { csvRecords } from "./csv_lines.ts";
import type { ProblemList } from "./problems.ts";
import { COLUMNS, formatRow, HEADER, parseRow, type ResultRow } from "./result_row.ts";

export { COLUMNS, formatRow, HEADER, type ResultRow, type Status } from "./result_row.ts";

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
 * Adds a row to `outDir/partN.csv`, N being `row.part`; the file and its header are made if missing.
 *
 * @throws {StudyError} If the file there has another header. See {@linkcode checkResultsFile}.
 */
export async function appendRow(outDir: string, row: ResultRow): Promise<void> {
  const path = resultsPath(outDir, row.part);
  await withLock(join(outDir, ".lock"), async () => {
    const old = await readBytes(path);
    checkHeader(path, old);
    const needsNewline = old.length > 0 && old.at(-1) !== 0x0a;
    const start = hasText(old) ? (needsNewline ? "\n" : "") : `${HEADER}\n`;
    const added = new TextEncoder().encode(`${start}${formatRow(row)}\n`);
    const content = new Uint8Array(old.length + added.length);
    content.set(old);
    content.set(added, old.length);
    await writeFileAtomic(path, content);
  });
}

/**
 * Makes sure that {@linkcode appendRow} will accept a row, so that a long run does not find out at
 * its end.
 *
 * @throws {StudyError} If `outDir/partN.csv` exists and has another header.
 */
export async function checkResultsFile(outDir: string, part: number): Promise<void> {
  const path = resultsPath(outDir, part);
  checkHeader(path, await readBytes(path));
}

/** A row and where it was found. */
export interface LocatedRow {
  /** The row. */
  row: ResultRow;
  /** File name, without its folder. */
  file: string;
  /** Line, from 1. */
  line: number;
}

/**
 * Reads the rows of one result file, columns matched by name.
 *
 * A header may come again further down, in the same or another version; it holds for the lines that
 * follow it. Whatever can't be used is skipped and noted in `problems`: a file without the columns
 * `run_id`, `model` and `status`, a line with more or fewer cells than its header, a row without a
 * model or a known status.
 */
export async function readResults(path: string, problems: ProblemList): Promise<LocatedRow[]> {
  const file = basename(path);
  const text = new TextDecoder().decode(await readBytes(path));
  const rows: LocatedRow[] = [];
  let header: Map<string, number> | undefined;
  let width = 0;
  for (const { line, cells } of csvRecords(text)) {
    if (cells !== null && isHeader(cells)) {
      header = new Map(cells.map((name, i) => [name.trim(), i]));
      width = cells.length;
      noteColumns(header, problems, file);
      continue;
    }
    if (header === undefined) {
      problems.add("the header is not that of a result file, file skipped", { file });
      return [];
    }
    if (cells?.length !== width) {
      problems.add("incomplete or damaged line, skipped", { file, line });
      continue;
    }
    const parsed = parseRow(cells, header);
    for (const problem of parsed.problems) problems.add(problem, { file, line });
    if (parsed.row !== null) rows.push({ row: parsed.row, file, line });
  }
  if (rows.length === 0) problems.add("no usable row", { file });
  return rows;
}

function isHeader(cells: readonly string[]): boolean {
  return ["run_id", "model", "status"].every((name) => cells.some((cell) => cell.trim() === name));
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
    problems.add(`another version's header with ${unknown.join(", ")}, left out`, { file });
  }
}

/** New rows follow the last header in the file, so that one must be ours. */
function checkHeader(path: string, content: Uint8Array): void {
  if (!hasText(content)) return;
  let last: string | undefined;
  for (const { cells } of csvRecords(new TextDecoder().decode(content))) {
    if (cells !== null && isHeader(cells)) last = cells.map((cell) => cell.trim()).join(",");
    if (last === undefined) break;
  }
  if (last === HEADER) return;
  throw new StudyError(
    `${path} has another header than this version writes: rename it ` +
      `(compare still reads ${basename(path, ".csv")}-old.csv) or choose another folder with --out`,
  );
}

function hasText(content: Uint8Array): boolean {
  return content.some((byte) => byte > 0x20 && byte < 0x80);
}

/** The file's bytes; none if it does not exist. */
async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw error;
  }
}
