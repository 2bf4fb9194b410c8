/**
 * In which form a spreadsheet or editor left a result file: its encoding, what stands between its
 * columns, and what in its numbers.
 *
 * @module
 */

import { csvRecords } from "./csv_records.ts";
import { isHeader, NUMBER_COLUMNS, positions } from "./result_row.ts";

/** A result file as text. */
export interface ResultText {
  text: string;
  /** Between two columns; `undefined` if the header has no separator that is known. */
  separator: string | undefined;
  /** Whether numbers are written as `99,27`. */
  hasDecimalCommas: boolean;
  /** What of this is not as a run writes it, a phrase each: `semicolons between the columns`. */
  oddities: string[];
}

const SEPARATORS: ReadonlyMap<string, string> = new Map([
  [",", "commas"],
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "vertical bars"],
]);

const ENCODINGS = { "utf-8": "UTF-8", "utf-16le": "UTF-16", "utf-16be": "UTF-16" } as const;

/** Reads a result file in whatever form it is, as far as that is unambiguous. */
export function readResultText(bytes: Uint8Array): ResultText {
  const encoding = encodingOf(bytes);
  // The line by which a spreadsheet names the separator; empty, it leaves the others their numbers.
  const named = /^"?sep=(.)"?(?=\r|\n|$)/i;
  const decoded = new TextDecoder(encoding).decode(bytes);
  const text = decoded.replace(named, "");
  const separator = separatorOf(text);
  const hasDecimalCommas = separator !== undefined && findDecimalCommas(text, separator);
  return {
    text,
    separator,
    hasDecimalCommas,
    oddities: [
      ...(encoding === "utf-8" ? [] : [`${ENCODINGS[encoding]} for UTF-8`]),
      ...(separator === undefined || separator === ","
        ? []
        : [`${SEPARATORS.get(separator)} between the columns`]),
      ...(hasDecimalCommas ? ["decimal commas"] : []),
    ],
  };
}

/** What stands behind the first column of a header that is ours but for its separator, if it is. */
export function strangeSeparator(text: string): string | undefined {
  const first = text.slice(0, 2000).split(/\r|\n/).find((line) => line.trim() !== "") ?? "";
  const hasNames = ["run_id", "model", "status"].every((name) => first.includes(name));
  return hasNames ? /\w"?([^\w"])/.exec(first)?.[1] : undefined;
}

/** By the byte order mark, or as every header begins with a letter of one byte. */
function encodingOf([first, second]: Uint8Array): keyof typeof ENCODINGS {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return "utf-16le";
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return "utf-16be";
  return "utf-8";
}

function separatorOf(text: string): string | undefined {
  for (const separator of SEPARATORS.keys()) {
    const [first] = csvRecords(text.slice(0, 2000), separator);
    if (first?.cells && isHeader(first.cells)) return separator;
  }
  return undefined;
}

/**
 * Whether the numbers have decimal commas: one is written so that its comma can be nothing else, and
 * none has a point. `1,234` alone could be a thousand.
 */
function findDecimalCommas(text: string, separator: string): boolean {
  // Most files are ours, with points, and are not read twice.
  const possible = separator === "," ? /"[+-]?\d+,\d/ : /\d,\d/;
  if (!possible.test(text)) return false;
  let columns: number[] = [];
  let isCertain = false;
  for (const { cells } of csvRecords(text, separator)) {
    if (cells === null) continue;
    if (isHeader(cells)) {
      const position = positions(cells);
      columns = NUMBER_COLUMNS.flatMap((column) => position.get(column) ?? []);
      continue;
    }
    for (const column of columns) {
      const cell = cells[column]?.trim() ?? "";
      if (/^[+-]?\d*\.\d/.test(cell)) return false;
      if (!/^[+-]?\d+,\d+(e[+-]?\d+)?$/i.test(cell)) continue;
      isCertain ||= !/^[+-]?[1-9]\d{0,2},\d{3}$/.test(cell);
    }
  }
  return isCertain;
}
