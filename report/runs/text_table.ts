/**
 * Tables for the terminal.
 *
 * @module
 */

import { printable } from "../../io/printable.ts";

/** A column of a table. */
export interface TextColumn {
  title: string;
  /**
   * Numbers are aligned to the right.
   *
   * @default {"left"}
   */
  align?: "left" | "right";
}

/** The lines of a table, the titles first; cells may come from outside. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
): string[] {
  const titles = columns.map(({ title }) => title);
  const lines = [titles, ...rows.map((row) => row.map((cell) => printable(cell)))];
  const widths = columns.map((_, i) => longest(lines.map((cells) => cells[i]!)));
  return lines.map((cells) =>
    cells.map((cell, i) =>
      columns[i]!.align === "right" ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    ).join("  ").trimEnd()
  );
}

/** How many characters the longest of some texts has, of which there may be very many. */
export function longest(texts: readonly string[]): number {
  return texts.reduce((most, { length }) => Math.max(most, length), 0);
}

/** Names and values, a line each; values may come from outside. */
export function textList(entries: readonly (readonly [name: string, value: string])[]): string[] {
  const width = longest(entries.map(([name]) => name));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${printable(value, 500)}`);
}
