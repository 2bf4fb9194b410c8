/** Tables of the pages in docs/, for tests that hold their numbers to committed runs. */

/**
 * The cells of the rows of a table in Markdown, without its head; none if there is no such table.
 *
 * @param head How the first line of the table begins, as a regular expression.
 */
export function tableRows(page: string, head: string): string[][] {
  const [, rows = ""] = new RegExp(`^${head}.*\\n\\|.*\\n((?:\\|.*\\n)+)`, "m").exec(page) ?? [];
  return rows.split("\n").slice(0, -1).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}
