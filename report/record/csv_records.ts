/**
 * Reads CSV text that may be damaged: whatever is complete is kept, the rest is pointed at.
 *
 * @module
 */

import { parse } from "@std/csv";

/** A record of a CSV text. */
export interface CsvRecord {
  /** Line that it starts on, from 1. */
  line: number;
  /** Line that it ends on. */
  lastLine: number;
  /** Its cells, or `null` if the line can't be read (a quote that never closes). */
  cells: string[] | null;
}

/**
 * The records of a CSV text, one by one. A byte order mark, CRLF and empty lines are of no account.
 *
 * A cell may hold line breaks inside quotes. A line that opens a quote which is never closed, or not
 * before the next record as wide as the first one, is a damaged record of one line; reading goes on
 * with the line after it.
 *
 * @param separator One character, which stands between two cells.
 */
export function* csvRecords(text: string, separator = ","): Generator<CsvRecord> {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  let width: number | undefined;
  for (let i = 0; i < lines.length; i++) {
    const first = lines[i]!;
    if (first === "") continue;
    const line = i + 1;
    let cells = splitCells(first, separator);
    if (cells === null) {
      const last = closingLine(lines, { from: i, width, separator });
      if (last !== undefined) {
        cells = splitCells(lines.slice(i, last + 1).join("\n"), separator);
        if (cells !== null) i = last;
      }
    }
    width ??= cells?.length;
    yield { line, lastLine: i + 1, cells };
  }
}

/** The line that closes a quote opened on line `from`, if one does before the next whole record. */
function closingLine(
  lines: readonly string[],
  options: { from: number; width: number | undefined; separator: string },
): number | undefined {
  const { from, width, separator } = options;
  if (!hasOpenQuote(lines[from]!)) return undefined;
  for (let i = from + 1; i < lines.length; i++) {
    if (splitCells(lines[i]!, separator)?.length === width) return undefined;
    if (hasOpenQuote(lines[i]!)) return i;
  }
  return undefined;
}

function hasOpenQuote(text: string): boolean {
  return (text.split('"').length - 1) % 2 === 1;
}

/** The cells of one record, or `null` if the text is not one. */
function splitCells(text: string, separator: string): string[] | null {
  if (!text.includes('"')) return text.split(separator);
  if (hasOpenQuote(text)) return null;
  try {
    const records = parse(text, { separator });
    return records.length === 1 ? records[0]! : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
