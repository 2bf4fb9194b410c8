/**
 * A row as a line of `results/partN.csv`.
 *
 * @module
 */

import { stringify } from "@std/csv";
import { COLUMNS, type ResultRow } from "./result_row.ts";

/**
 * One CSV line, without its newline. Text is put on one line: runs of white space become a space.
 *
 * Numbers that are not whole keep ten significant digits; NaN is written `NaN`, `null` as nothing.
 */
export function formatRow(row: ResultRow): string {
  const cells = COLUMNS.map((column) => {
    const value = row[column];
    return typeof value === "number" ? formatNumber(value) : (value ?? "").replace(/\s+/g, " ");
  });
  return stringify([cells], { headers: false }).replace(/\r?\n$/, "");
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(10)));
}
