/**
 * Markdown tables whose source is aligned, as `deno fmt` leaves them: for files that it checks.
 *
 * @module
 */

import type { Column } from "./markdown.ts";

/**
 * A table in Markdown.
 *
 * @param rows Cells, escaped, one per column.
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
