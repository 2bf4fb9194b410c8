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
import { dirname, join } from "node:path";
import { checkWritable, writeFileAtomic } from "../../io/atomic.ts";
import { failureReason, isDiskFull, WriteError } from "../../io/disk_error.ts";
import { StudyError } from "../../io/errors.ts";
import { checkMayWrite } from "../../io/may_write.ts";
import { type LockOptions, withLock } from "../../io/lock.ts";
import { readResultText } from "./csv_dialect.ts";
import { csvRecords } from "./csv_records.ts";
import { formatRow } from "./format_row.ts";
import { readBytes, resultsPath } from "./read_results.ts";
import { HEADER, isHeader, parseRow, positions, type ResultRow } from "./result_row.ts";

export { formatRow } from "./format_row.ts";
export { type LocatedRow, readResults, resultsPath } from "./read_results.ts";
export { COLUMNS, HEADER, type ResultRow, type Status } from "./result_row.ts";

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
  await explained(outDir, async () => {
    for (const folder of resultsFolders(outDir)) await checkMayWrite(folder);
    await withLock(join(outDir, ".lock"), async () => {
      const content = await readBytes(path);
      checkHeader(path, content);
      for (const folder of resultsFolders(outDir)) await checkWritable(folder);
      if (content.length > 0) await writeFileAtomic(path, content);
    }, waiting);
  });
}

/**
 * {@linkcode checkResultsFile} as far as it goes without writing anything.
 *
 * @throws {StudyError} If it is certain that rows will not be accepted.
 */
export async function lookAtResultsFile(outDir: string, part: number): Promise<void> {
  const path = resultsPath(outDir, part);
  await explained(outDir, async () => {
    for (const folder of resultsFolders(outDir)) await checkMayWrite(folder);
    checkHeader(path, await readBytes(path));
  });
}

/** The folders that a part writes into. */
export function resultsFolders(outDir: string): string[] {
  return [outDir, join(outDir, "runs")];
}

/** What `check` throws, as an error about the results folder. */
async function explained(outDir: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (error instanceof StudyError && !(error instanceof WriteError)) throw error;
    throw new StudyError(
      `Cannot write results to ${outDir} (${failureReason(error)}): ` +
        `${isDiskFull(error) ? "free space there, or " : ""}choose another folder with --out`,
      { cause: error },
    );
  }
}

/**
 * Takes a run's rows out of a `partN.csv`, all of them. All else in the file stays as it is, byte for
 * byte.
 *
 * @param waiting How a process that is writing the file is waited for.
 * @throws {StudyError} If the file was saved in a form in which no row is written or removed.
 */
export async function removeRows(
  path: string,
  runId: string,
  waiting: LockOptions = {},
): Promise<void> {
  await withLock(join(dirname(path), ".lock"), async () => {
    const found = await readBytes(path);
    const { oddities } = readResultText(found);
    if (oddities.length > 0) {
      throw new StudyError(
        `${path} was saved with ${
          oddities.join(" and ")
        }: save it with commas and decimal points, ` +
          "in UTF-8, before a run is removed from it",
      );
    }
    const rest = withoutRows(found, ({ run_id }) => run_id === runId);
    if (rest.length < found.length) await writeFileAtomic(path, rest);
  }, waiting);
}

/** The file without the rows of this run and model that did not end well. */
function withoutUnfinished(content: Uint8Array, { run_id, model }: ResultRow): Uint8Array {
  return withoutRows(
    content,
    (row) =>
      row.status !== "ok" && row.run_id !== "" && row.run_id === run_id && row.model === model,
  );
}

/** The file without some rows. */
function withoutRows(content: Uint8Array, isGone: (row: ResultRow) => boolean): Uint8Array {
  const starts = lineStarts(content);
  const parts: Uint8Array[] = [];
  let kept = 0;
  let header: readonly string[] | undefined;
  for (const { line, lastLine, cells } of csvRecords(new TextDecoder().decode(content))) {
    if (cells === null) continue;
    if (isHeader(cells)) header = cells;
    if (cells === header || cells.length !== header?.length) continue;
    const { row } = parseRow(cells, positions(header));
    if (row === null || !isGone(row)) continue;
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
  const { oddities } = readResultText(content);
  throw new StudyError(
    oddities.length > 0
      ? `${path} was saved with ${
        oddities.join(" and ")
      }: save it with commas and decimal points, ` +
        "in UTF-8, or choose another folder with --out"
      : `${path} has another header than this version writes: move it to another folder (compare ` +
        "reads it there with --results) or choose another folder with --out",
  );
}

function hasText(content: Uint8Array): boolean {
  return content.some((byte) => byte > 0x20 && byte < 0x80);
}
