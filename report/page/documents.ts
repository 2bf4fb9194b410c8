/**
 * Generated text inside files that are written by hand: what is between two markers, and the paragraph
 * of a script's head that begins with `Expect`.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";

/**
 * Puts text between the lines `<!-- name:begin -->` and `<!-- name:end -->`.
 *
 * @param document Its text.
 * @param title What an error calls it.
 * @throws {StudyError} If the markers are not there, each once.
 */
export function replaceMarked(
  document: string,
  { name, text, title }: { name: string; text: string; title: string },
): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [before, rest, ...more] = document.split(`${begin}\n`);
  const [, after, ...evenMore] = rest?.split(end) ?? [];
  if (after === undefined || more.length + evenMore.length > 0) {
    throw new StudyError(
      `${title} must have a line ${begin} and after it a line ${end}, each once: ` +
        "a table goes between them",
    );
  }
  return `${before}${begin}\n\n${text}\n${end}${after}`;
}

/** Columns of a line of source. */
const WIDTH = 100;

/**
 * Replaces the paragraph of a module's head comment that begins with `Expect`.
 *
 * @param source The module.
 * @param paragraph On one line, beginning with `Expect`.
 * @param title What an error calls it.
 * @throws {StudyError} If there is no such paragraph.
 */
export function replaceExpectation(
  source: string,
  { paragraph, title }: { paragraph: string; title: string },
): string {
  const old = /^ \* Expect\b.*\n(?: \* .+\n)*/m;
  if (!old.test(source)) {
    throw new StudyError(`${title} must have a paragraph in its head that begins with "Expect"`);
  }
  const lines = wrap(paragraph, WIDTH - " * ".length).map((line) => ` * ${line}\n`).join("");
  return source.replace(old, () => lines);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
