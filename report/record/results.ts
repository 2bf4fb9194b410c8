/**
 * `results/partN.csv`: rows are added by {@linkcode appendRow} and read by {@linkcode readResults}.
 *
 * Nothing already written is ever lost: a row is added by writing old content and new row to a
 * temporary file that then takes the old one's place, under a lock, so that two processes can add to
 * one file. Only the row of a run that was interrupted or failed gives way to that run's next row. A
 * half-written last line is left as it is and the new row starts on a line of its own; a file with
 * another header is left alone.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { basename, join } from "node:path";
import { checkWritable, writeFileAtomic } from "../../io/atomic.ts";
import { failureReason, isDiskFull, WriteError } from "../../io/disk_error.ts";
import { StudyError } from "../../io/errors.ts";
import { type LockOptions, withLock } from "../../io/lock.ts";
import { csvRecords } from "./csv_records.ts";
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
 * An earlier row of the same run and model goes if it was interrupted or an error: a run that is
 * resumed has one row, its latest. All else in the file stays as it is, byte for byte.
 *
 * @param waiting How a process that is writing the file is waited for.
 * @throws {StudyError} If the file there has another header. See {@linkcode checkResultsFile}.
 */
export async function appendRow(
  outDir: string,
  row: ResultRow,
  waiting: LockOptions = {},
): Promise<void> {
  const path = resultsPath(outDir, row.part);
  await withLock(join(outDir, ".lock"), async () => {
    const found = await readBytes(path);
    checkHeader(path, found);
    const old = withoutUnfinished(found, row);
    const needsNewline = old.length > 0 && old.at(-1) !== 0x0a;
    const start = hasText(old) ? (needsNewline ? "\n" : "") : `${HEADER}\n`;
    const added = new TextEncoder().encode(`${start}${formatRow(row)}\n`);
    await writeFileAtomic(path, Buffer.concat([old, added]));
  }, waiting);
}

/**
 * Makes sure that {@linkcode appendRow} will accept a row, so that a long run does not find out at
 * its end: what it will write is written, the file's content in its own place. The folder is made if
 * missing, and so is the `runs/` in it.
 *
 * @throws {StudyError} If `outDir` cannot be written to, or `outDir/partN.csv` has another header.
 */
export async function checkResultsFile(
  outDir: string,
  part: number,
  waiting: LockOptions = {},
): Promise<void> {
  const path = resultsPath(outDir, part);
  try {
    await withLock(join(outDir, ".lock"), async () => {
      const content = await readBytes(path);
      checkHeader(path, content);
      await checkWritable(outDir);
      await checkWritable(join(outDir, "runs"));
      if (content.length > 0) await writeFileAtomic(path, content);
    }, waiting);
  } catch (error) {
    if (error instanceof StudyError && !(error instanceof WriteError)) throw error;
    throw new StudyError(
      `Cannot write results to ${outDir} (${failureReason(error)}): ` +
        `${isDiskFull(error) ? "free space there, or " : ""}choose another folder with --out`,
      { cause: error },
    );
  }
}

/** A row and where it was found. */
export interface LocatedRow {
  row: ResultRow;
  /** What the file is called in the report. */
  file: string;
  /** Line of the file, from 1. */
  line: number;
}

/**
 * Reads the rows of one result file, columns matched by name.
 *
 * A header may come again further down, in the same or another version; it holds for the lines that
 * follow it. Whatever can't be used is skipped and noted in `problems`: a file without the columns
 * `run_id`, `model` and `status`, a line with more or fewer cells than its header, a row without a
 * model or a known status.
 *
 * @param file What the file is called in the problems.
 */
export async function readResults(
  path: string,
  problems: ProblemList,
  file = basename(path),
): Promise<LocatedRow[]> {
  const text = new TextDecoder().decode(await readBytes(path));
  const rows: LocatedRow[] = [];
  let header: Map<string, number> | undefined;
  let width = 0;
  for (const { line, cells } of csvRecords(text)) {
    if (cells !== null && isHeader(cells)) {
      header = positions(cells);
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

/** Where each column is. */
function positions(header: readonly string[]): Map<string, number> {
  return new Map(header.map((name, i) => [name.trim(), i]));
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

/** The file without the rows of this run and model that did not end well. */
function withoutUnfinished(content: Uint8Array, { run_id, model }: ResultRow): Uint8Array {
  const starts = lineStarts(content);
  const parts: Uint8Array[] = [];
  let kept = 0;
  let header: readonly string[] | undefined;
  for (const { line, lastLine, cells } of csvRecords(new TextDecoder().decode(content))) {
    if (cells === null) continue;
    if (isHeader(cells)) header = cells;
    if (cells === header || cells.length !== header?.length) continue;
    const { row } = parseRow(cells, positions(header));
    if (row === null || row.status === "ok") continue;
    if (row.run_id === "" || row.run_id !== run_id || row.model !== model) continue;
    parts.push(content.subarray(kept, starts[line - 1]));
    kept = starts[lastLine] ?? content.length;
  }
  return Buffer.concat([...parts, content.subarray(kept)]);
}

/** Where each line begins; lines end as {@linkcode csvRecords} reads them. */
function lineStarts(content: Uint8Array): number[] {
  const starts = [0];
  for (const [i, byte] of content.entries()) {
    if (byte === 0x0a || (byte === 0x0d && content[i + 1] !== 0x0a)) starts.push(i + 1);
  }
  return starts;
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
