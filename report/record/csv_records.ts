/**
 * Reads CSV text that may be damaged: whatever is complete is kept, the rest is pointed at.
 *
 * `@std/csv` reads a text as a whole or not at all, and would have to be asked of JSR by everybody who
 * imports what reads results.
 *
 * @module
 */

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

/** The cells of one record (RFC 4180), or `null` if the text is not one. */
function splitCells(text: string, separator: string): string[] | null {
  if (!text.includes('"')) return text.split(separator);
  const cells: string[] = [];
  for (let at = 0;; at++) {
    const quoted = text[at] === '"';
    const end = quoted ? closingQuote(text, at) + 1 : endOfCell(text, at, separator);
    const cell = quoted ? text.slice(at + 1, end - 1).replaceAll('""', '"') : text.slice(at, end);
    const isSound = quoted ? end > at : !/["\n]/.test(cell);
    if (!isSound || (end < text.length && text[end] !== separator)) return null;
    cells.push(cell);
    if (end === text.length) return cells;
    at = end;
  }
}

/** Where the quote that opens at `from` closes, two quotes being one of the cell; −1 if nowhere. */
function closingQuote(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] !== '"') continue;
    if (text[at + 1] !== '"') return at;
    at++;
  }
  return -1;
}

function endOfCell(text: string, from: number, separator: string): number {
  const end = text.indexOf(separator, from);
  return end < 0 ? text.length : end;
}
