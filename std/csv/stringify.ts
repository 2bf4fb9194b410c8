/**
 * Rows to CSV text.
 *
 * @module
 */

/** The key of a value in an object, or its index in an array. */
export type PropertyAccessor = number | string;

/** Where a column's values come from and what stands above them. */
export type ColumnDetails = {
  /** The column's heading; the last of `prop` where absent. */
  header?: string;
  /** The way to the value: one step, or several into nested objects and arrays. */
  prop: PropertyAccessor | PropertyAccessor[];
};

/** A column in its short or long form. */
export type Column = ColumnDetails | PropertyAccessor | PropertyAccessor[];

/** One row of data. */
export type DataItem = Readonly<Record<string, unknown> | unknown[]>;

/** Options of {@linkcode stringify}. */
export type StringifyOptions = {
  /**
   * Write the columns' headings first; without `columns` there are none.
   *
   * @default {true}
   */
  headers?: boolean;
  /**
   * What stands between two values.
   *
   * @default {","}
   */
  separator?: string;
  /** The columns to write; needed where rows are objects. */
  columns?: readonly Column[];
  /**
   * Begin with a byte-order mark.
   *
   * @default {false}
   */
  bom?: boolean;
};

/**
 * Writes rows as CSV text, each line ending in `\r\n`.
 *
 * Null and undefined become empty, objects JSON. A value is put in quotes where it holds the
 * separator, a quote or a line feed.
 *
 * @throws {TypeError} For rows that are objects without `columns`, a name used on an array, and a
 * separator that holds a quote or `\r\n`.
 */
export function stringify(
  data: readonly DataItem[],
  options: StringifyOptions = {},
): string {
  const { headers = true, separator = ",", columns = [], bom = false } = options;
  if (separator.includes('"') || separator.includes("\r\n")) {
    throw new TypeError(
      "Separator cannot include the following strings:\n" +
        '  - U+0022: Quotation mark (")\n' +
        "  - U+000D U+000A: Carriage Return + Line Feed (\\r\\n)",
    );
  }
  const rows = data.map((item) => valuesOf(item, columns));
  if (headers && columns.length > 0) rows.unshift(columns.map(headingOf));
  const lines = rows.map((row) => row.map((value) => quoted(value, separator)).join(separator));
  return (bom ? "\ufeff" : "") + lines.map((line) => `${line}\r\n`).join("");
}

function headingOf(column: Column): string {
  if (
    typeof column === "object" && !Array.isArray(column) &&
    column.header !== undefined
  ) {
    return column.header;
  }
  return String(stepsOf(column).at(-1));
}

function stepsOf(column: Column): PropertyAccessor[] {
  if (typeof column !== "object") return [column];
  if (Array.isArray(column)) return column;
  return Array.isArray(column.prop) ? column.prop : [column.prop];
}

function valuesOf(item: DataItem, columns: readonly Column[]): unknown[] {
  if (columns.length > 0) {
    return columns.map((column) => stepsOf(column).reduce<unknown>(step, item));
  }
  if (Array.isArray(item)) return item;
  if (typeof item === "object") {
    throw new TypeError(
      "No property accessor function was provided for object",
    );
  }
  return [item];
}

/** One step into an object or array; anything else stays as it is. */
function step(value: unknown, key: PropertyAccessor): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value) && typeof key !== "number") {
    throw new TypeError('Property accessor is not of type "number"');
  }
  return Reflect.get(value, key);
}

function quoted(value: unknown, separator: string): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return [separator, "\n", '"'].some((special) => text.includes(special))
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}
