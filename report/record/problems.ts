/**
 * What was odd in the result files, gathered for the report.
 *
 * @module
 */

import { printable } from "../../io/printable.ts";

/** One kind of oddity in one file. */
export interface Problem {
  /** What the file is called in the report. */
  file: string;
  /** What is odd, and what was done about it. */
  text: string;
  /** The first lines that it was seen on, from 1; empty if it concerns the file as a whole. */
  lines: number[];
  /** How many lines it was seen on. */
  count: number;
  /** Whether something that may be a result is therefore not in the report. */
  skipped: boolean;
  /** Whether it is that a run that counts lacks a file, or has one that is not as it was written. */
  lacking?: boolean;
}

/** A file by its name in the report, and where it is one line the line. */
export interface Place {
  file: string;
  line?: number;
}

const LINES_KEPT = 5;

/** Gathers oddities: the same one on many lines of a file is one {@linkcode Problem}. */
export class ProblemList {
  readonly #problems = new Map<string, Problem>();

  /** Notes `text` about a file, or about one line of it. */
  add(text: string, where: Place): void {
    this.#note(text, where);
  }

  /** Notes that a file, or a line of it, is left out, and why: a check fails on that. */
  skip(text: string, where: Place): void {
    this.#note(text, where, { skipped: true });
  }

  /** Notes that a file of a run is missing, or is not used, and why: a check fails on that too. */
  lack(text: string, where: Place): void {
    this.#note(text, where, { lacking: true });
  }

  #note(
    text: string,
    where: Place,
    { skipped = false, ...rest }: Partial<Pick<Problem, "skipped" | "lacking">> = {},
  ): void {
    const key = `${where.file}\n${text}`;
    const problem = this.#problems.get(key) ??
      { file: where.file, text, lines: [], count: 0, skipped, ...rest };
    this.#problems.set(key, problem);
    problem.count++;
    if (where.line !== undefined && problem.lines.length < LINES_KEPT) {
      problem.lines.push(where.line);
    }
  }

  /** What was gathered, in the order in which each was first seen. */
  list(): Problem[] {
    return [...this.#problems.values()];
  }
}

/** Of more problems of a kind a terminal has the first. */
const DESCRIBED = 20;

/** What was left out, a phrase each: `part1.csv, line 3: incomplete or damaged line, skipped`. */
export function describeSkipped(problems: readonly Problem[]): string[] {
  return describeFirst(problems.filter(({ skipped }) => skipped));
}

/** What files runs lack, a phrase each: `runs/x/manifest.json: missing`. */
export function describeLacking(problems: readonly Problem[]): string[] {
  return describeFirst(problems.filter(({ lacking }) => lacking));
}

function describeFirst(problems: readonly Problem[]): string[] {
  const more = problems.length - DESCRIBED;
  return [
    ...problems.slice(0, DESCRIBED)
      .map((problem) => printable(`${formatPlace(problem)}: ${problem.text}`, 400)),
    ...(more > 0 ? [`${more} more`] : []),
  ];
}

/** Where a problem is: `part1.csv, lines 3, 4 and 17 more`. */
export function formatPlace(problem: Problem): string {
  const { file, lines, count } = problem;
  if (lines.length === 0) return file;
  const more = count > lines.length ? ` and ${count - lines.length} more` : "";
  return `${file}, line${count > 1 ? "s" : ""} ${lines.join(", ")}${more}`;
}
