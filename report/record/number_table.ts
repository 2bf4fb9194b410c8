/**
 * CSV files of numbers, read line by line, so that a long one needs no more memory than what is kept
 * of it.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { readPieces } from "../../io/regular_file.ts";

/** Millions of epochs or predictions have less. */
const MOST_BYTES = 500e6;

/** No line of numbers is as long. */
const LONGEST_LINE = 10_000;

/**
 * Reads the numbers of a CSV file with exactly these columns; an empty cell is NaN.
 *
 * @param onRow Called for each line but the header, in order.
 * @throws {StudyError} If the file is missing or damaged.
 */
export async function readNumberTable(
  path: string,
  columns: readonly string[],
  onRow: (numbers: number[]) => void,
): Promise<void> {
  let hasHeader = false;
  for await (const lines of linesOf(path)) {
    for (const line of lines) {
      if (line === "") continue;
      const cells = line.split(",").map(withoutQuotes);
      if (hasHeader) onRow(numbersOf(cells, columns.length) ?? raise(path));
      else if (cells.join() === columns.join()) hasHeader = true;
      else raise(path);
    }
  }
  if (!hasHeader) raise(path);
}

/** What a file of a run says that is not as it was written. */
export function damaged(path: string): StudyError {
  return new StudyError(`${path} is damaged: run the part again, or restore the file from a copy`);
}

/** What a file of a run that is not there says. */
export function missing(path: string): StudyError {
  return new StudyError(`${path} does not exist: run the part again, or check the run's id`);
}

/** The lines of a file, some at a time. */
async function* linesOf(path: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const piece of readPieces(path, { maxBytes: MOST_BYTES })) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split(/\r?\n/);
      rest = lines.pop()!;
      if (rest.length > LONGEST_LINE) raise(path);
      yield lines;
    }
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? missing(path) : error;
  }
  yield [rest + decoder.decode()];
}

function withoutQuotes(cell: string): string {
  return cell.startsWith('"') ? cell.replace(/^"([^"]*)"$/, "$1") : cell;
}

function numbersOf(cells: readonly string[], count: number): number[] | undefined {
  if (cells.length !== count) return undefined;
  const numbers = cells.map((cell) => cell === "" || cell === "NaN" ? NaN : Number(cell));
  const isDamaged = numbers.some((number, i) =>
    Number.isNaN(number) && cells[i] !== "" && cells[i] !== "NaN"
  );
  return isDamaged ? undefined : numbers;
}

function raise(path: string): never {
  throw damaged(path);
}
