/**
 * CSV text to rows, read by npm's `csv-parse`.
 *
 * @module
 */

import { CsvError, type InfoRecord, parse as readAll } from "csv-parse/sync";

/** Options of {@linkcode parse}. */
export interface ParseOptions {
  /**
   * What stands between two values.
   *
   * @default {","}
   */
  separator?: string;
  /** Character that makes a line a comment when it is the line's first. */
  comment?: string;
  /**
   * Drop white space before a value.
   *
   * @default {false}
   */
  trimLeadingSpace?: boolean;
  /** How many fields each row must have; 0: as many as the first; negative or absent: any number. */
  fieldsPerRecord?: number;
  /**
   * Leave the first row out; without `columns` it names the columns.
   *
   * @default {false}
   */
  skipFirstRow?: boolean;
  /** Names of the columns. */
  columns?: readonly string[];
}

/** A row as an object under the names of its columns. */
export type RecordWithColumn<C extends string> = Record<C, string>;

/** What {@linkcode parse} returns for options `T`: objects where columns have names, else lists. */
export type ParseResult<Options, T> = T extends Options & { columns: readonly (infer C)[] }
  ? RecordWithColumn<C & string>[]
  : T extends Options & { skipFirstRow: true } ? Record<string, string>[]
  : T extends Options & { columns?: undefined; skipFirstRow?: false | undefined } ? string[][]
  : Record<string, string>[] | string[][];

/** What csv-parse counts, of the records so far. */
type Info = Pick<
  InfoRecord,
  "records" | "empty_lines" | "comment_lines" | "lines"
>;

/** A row and the number of the line where it stands, blank and comment lines counted. */
interface Row {
  fields: string[];
  line: number;
}

/**
 * Reads CSV text; blank lines are left out, a byte-order mark is dropped.
 *
 * @param input The text, lines ending in `\n` or `\r\n`.
 * @returns Each row's values, or with `columns` or `skipFirstRow` objects with the columns' names.
 * @throws {SyntaxError} For a quote out of place and, where checked, a wrong number of fields.
 * @throws {Error} For a row that is longer or shorter than the header.
 */
export function parse(input: string): string[][];
/** Reads CSV text as `options` say. */
export function parse<const T extends ParseOptions>(
  input: string,
  options: T,
): ParseResult<ParseOptions, T>;
export function parse(
  input: string,
  options: ParseOptions = {},
): string[][] | Record<string, string>[] {
  const rows = readRows(input, options);
  checkFieldCounts(rows, options.fieldsPerRecord ?? -1);
  const values = rows.map((row) => row.fields);
  if (!options.skipFirstRow && !options.columns) return values;
  const first = options.skipFirstRow ? values.shift() : undefined;
  if (options.skipFirstRow && !first) {
    throw new TypeError("Cannot parse input: headers must be defined");
  }
  const header = options.columns ?? first ?? [];
  const linesBefore = first ? 1 : 0;
  return values.map((row, i) => named(row, header, linesBefore + i + 1));
}

function readRows(input: string, options: ParseOptions): Row[] {
  const {
    separator = ",",
    comment,
    trimLeadingSpace = false,
  } = options;
  const reserved = ["\r", "\n", '"'];
  if (
    reserved.includes(separator) || separator === comment ||
    (comment !== undefined && reserved.includes(comment))
  ) {
    throw new Error("Cannot parse input: invalid delimiter");
  }
  try {
    const read = readAll(input.replace(/\r$/, ""), {
      bom: true,
      comment: comment ?? null,
      comment_no_infix: true,
      delimiter: separator,
      info: true,
      ltrim: trimLeadingSpace,
      raw: true,
      record_delimiter: ["\r\n", "\n"],
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as { record: string[]; info: Info }[];
    return read.map(({ record, info }) => ({
      fields: record.map((field) => field.replaceAll("\r\n", "\n")),
      line: info.records + info.empty_lines + info.comment_lines,
    }));
  } catch (error) {
    throw error instanceof CsvError ? syntaxError(error) : error;
  }
}

/** The original's wording of a quote out of place, which csv-parse locates. */
function syntaxError(error: CsvError): SyntaxError {
  const { records, empty_lines, comment_lines, lines, raw } = error as unknown as Info & {
    raw: string;
  };
  const lastLine = raw.slice(raw.lastIndexOf("\n") + 1);
  const problem = error.code === "INVALID_OPENING_QUOTE"
    ? 'bare " in non-quoted-field'
    : 'extraneous or missing " in quoted-field';
  return new SyntaxError(
    `Syntax error on line ${records + empty_lines + comment_lines + 1}; ` +
      `parse error on line ${lines}, column ${[...lastLine].length}: ${problem}`,
    { cause: error },
  );
}

function checkFieldCounts(rows: Row[], fieldsPerRecord: number): void {
  if (fieldsPerRecord < 0) return;
  const expected = fieldsPerRecord || rows[0]?.fields.length;
  for (const { fields, line } of rows) {
    if (fields.length !== expected) {
      throw new SyntaxError(
        `Syntax error on line ${line}: expected ${expected} fields but got ${fields.length}`,
      );
    }
  }
}

function named(
  row: string[],
  header: readonly string[],
  line: number,
): Record<string, string> {
  if (row.length !== header.length) {
    throw new Error(
      `Syntax error on line ${line}: The record has ${row.length} fields, ` +
        `but the header has ${header.length} fields`,
    );
  }
  return Object.fromEntries(row.map((value, i) => [header[i], value]));
}
