/**
 * Markdown tables, with text that came from outside made harmless.
 *
 * @module
 */

import { printable } from "../../io/printable.ts";

/** No sentence of the report is longer; what a file brings along may be. */
const LONGEST = 4000;

/**
 * Text as it is, on one line, without invisible characters: whatever Markdown or HTML would make of it
 * is escaped. An underscore inside a word, which Markdown leaves alone, stays.
 */
export function escapeMarkdown(text: string): string {
  return printable(text, LONGEST)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/[\\`*[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\$&");
}

/** Text as code, or escaped where it holds a character that code in a table can't. */
export function code(text: string): string {
  if (text === "") return "";
  return text.length > LONGEST || /[`|\\\p{C}]/u.test(text) ? escapeMarkdown(text) : `\`${text}\``;
}

/** What a paragraph of links to the sections begins with, in bold. */
export const CONTENTS = "Contents:";

/** The anchor that GitHub gives a heading, unless it is repeated. */
export function headingAnchor(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");
}

/** A column of a table. */
export interface Column {
  /** Markdown; see {@linkcode escapeMarkdown}. */
  title: string;
  /**
   * Numbers are aligned to the right.
   *
   * @default {"left"}
   */
  align?: "left" | "right";
}

/**
 * A table with a line break at its end.
 *
 * @param rows Cells that are Markdown already: see {@linkcode escapeMarkdown}.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [
    columns.map(({ title }) => title),
    columns.map(({ align }) => align === "right" ? "---:" : "---"),
    ...rows,
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/**
 * The same with its source aligned as `deno fmt` leaves it, for files that it checks.
 *
 * @param rows Cells that are Markdown already, one per column.
 */
export function alignedTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...rows.map((cells) => cells[i]!.length))
  );
  const isRight = (i: number) => columns[i]!.align === "right";
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, i) =>
      isRight(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    );
    return `| ${padded.join(" | ")} |\n`;
  };
  const rule = widths.map((width, i) =>
    isRight(i) ? `${"-".repeat(width - 1)}:` : "-".repeat(width)
  );
  return [titles, rule, ...rows].map(line).join("");
}
