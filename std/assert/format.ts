/**
 * Values and their differences as failure messages show them.
 *
 * @module
 */

import { inspect } from "node:util";

/** Lines shown around and within a difference. */
const CONTEXT = 3;
const LIMIT = 40;

/** A value as text, one property a line; of long lists the first hundred items. */
export function format(value: unknown): string {
  return inspect(value, {
    depth: Infinity,
    sorted: true,
    compact: 1,
    breakLength: 80,
  });
}

/**
 * What tells two values apart: the lines from the first that differs to the last, `-` for the actual
 * and `+` for the expected, and for lists the place of the first difference.
 */
export function difference(actual: unknown, expected: unknown): string {
  const a = lines(actual);
  const b = lines(expected);
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const shown = [
    ...shorten(a.slice(0, head), CONTEXT, "start").map((line) => `    ${line}`),
    ...shorten(a.slice(head, a.length - tail), LIMIT, "end").map((line) => `-   ${line}`),
    ...shorten(b.slice(head, b.length - tail), LIMIT, "end").map((line) => `+   ${line}`),
    ...shorten(a.slice(a.length - tail), CONTEXT, "end").map((line) => `    ${line}`),
  ];
  return [
    "",
    "    [Diff] Actual / Expected",
    "",
    ...shown,
    ...whereListsDiffer(actual, expected),
  ]
    .join("\n");
}

function lines(value: unknown): string[] {
  return typeof value === "string"
    ? value.split("\n").map((line) => JSON.stringify(line))
    : format(value).split("\n");
}

function shorten(
  text: string[],
  limit: number,
  cut: "start" | "end",
): string[] {
  if (text.length <= limit) return text;
  return cut === "end" ? [...text.slice(0, limit), "..."] : ["...", ...text.slice(-limit)];
}

/** For two lists of primitives: the first index where they differ, as `inspect` cuts long ones. */
function whereListsDiffer(actual: unknown, expected: unknown): string[] {
  if (!isList(actual) || !isList(expected)) return [];
  if (actual.length !== expected.length) {
    return ["", `lengths differ: ${actual.length} / ${expected.length}`];
  }
  const differs = (i: number) => actual[i] !== expected[i] && !Object.is(actual[i], expected[i]);
  const places = Array.from({ length: actual.length }, (_, i) => i).filter(
    differs,
  );
  const first = places[0];
  if (first === undefined || typeof actual[first] === "object") return [];
  return [
    "",
    `${places.length} of ${actual.length} items differ, ` +
    `first at [${first}]: ${String(actual[first])} / ${String(expected[first])}`,
  ];
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) ||
    (ArrayBuffer.isView(value) && !(value instanceof DataView));
}
