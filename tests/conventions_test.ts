/** What a compiler does not see: one source for the study's values, and comments worth reading. */

import { assertEquals } from "@std/assert";
import { roomOf } from "../docs/imports.ts";
import * as study from "../study.ts";
import { SOURCES, type Token, tokens } from "./source.ts";

/** Files that may say a value of the study: it itself and what checks it. */
function isChecked(path: string): boolean {
  return path !== "study.ts" && roomOf(path) !== "tests";
}

/** Each token of the files in question that `isWrong` holds of, with its place. */
function tokensThat(
  isAsked: (path: string) => boolean,
  isWrong: (token: Token) => boolean,
): string[] {
  return [...SOURCES].filter(([path]) => isAsked(path)).flatMap(([path, source]) =>
    tokens(source).filter(isWrong).map(({ line, text }) => `${path}:${line} ${text}`)
  );
}

/** All numbers in a value, however deep. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(numbersIn) : [];
}

/** Whether a number is of the study and of nothing else: 0.0224, 57,362, not 0.5, 128 or 60,000. */
function isTelling(value: number): boolean {
  const digits = value.toExponential().replace(/e.*|\D/g, "");
  return digits.length >= 3 && (!Number.isInteger(value) || value >= 1000);
}

Deno.test("tokens() tells comments, strings and numbers apart", () => {
  const source = 'const a = /"/g; // one\n// two\nf("// no", `1`, 1_000.5e-1, x1); /* 2 */';
  assertEquals(
    tokens(source).map(({ kind, text, line }) => [kind, text, line]),
    [
      ["other", '/"/g', 1],
      ["comment", "// one\n// two", 1],
      ["string", '"// no"', 3],
      ["string", "`1`", 3],
      ["number", "1_000.5e-1", 3],
      ["comment", "/* 2 */", 3],
    ],
  );
});

Deno.test("no published number is typed outside study.ts", () => {
  const telling = new Set(numbersIn(Object.values(study)).filter(isTelling));
  const isWrong = ({ kind, text }: Token) =>
    kind === "number" && telling.has(Number(text.replaceAll("_", "")));
  assertEquals(tokensThat(isChecked, isWrong), []);
});

Deno.test("no model's name in the results is typed outside study.ts", () => {
  const names = new Set<string>(study.MODELS.map(({ name }) => name));
  const isWrong = ({ kind, text }: Token) => kind === "string" && names.has(text.slice(1, -1));
  assertEquals(tokensThat(isChecked, isWrong), []);
});

/** A search tries many settings, the study's among them. */
const SEARCHES = ["bench/tune_fast.ts"];

Deno.test("no setting of the study's training is typed outside study.ts", () => {
  const settings = new Map<string, Set<number>>();
  for (const { training } of study.MODELS) {
    for (const [name, value] of Object.entries(training ?? {})) {
      if (typeof value !== "number") continue;
      settings.set(name, (settings.get(name) ?? new Set()).add(value));
    }
  }
  const typed = new RegExp(
    String.raw`\b(${[...settings.keys()].join("|")})\??:\s*([\d_.e-]+)`,
    "g",
  );
  const wrong = [...SOURCES].filter(([path]) => isChecked(path) && !SEARCHES.includes(path))
    .flatMap(([path, source]) =>
      [...source.matchAll(typed)]
        .filter(([, name, value]) => settings.get(name!)!.has(Number(value!.replaceAll("_", ""))))
        .map(([text]) => `${path} ${text}`)
    );
  assertEquals(wrong, []);
});

/** The words of a comment, without what makes it one. */
function wordsOf(comment: string): string[] {
  return comment.replace(/^\/\*\*?|\*\/$/g, "").replace(/^\s*(\*|\/\/) ?/gm, "").trim().split(
    /\s+/,
  );
}

/**
 * Short, and still what a name can't say: words to a tool or to the documentation, shapes of tensors,
 * ranges and types of values, units, what an argument is called in C, and names in a file format.
 */
const WORTH_IT: readonly RegExp[] = [
  /^\/[/*]+\s*(deno-lint-ignore|deno-fmt-ignore|@ts-)/,
  /@(default|module|linkcode)\b/,
  /\[[^\]]*\]/,
  /\d\.\.\d|\b(float|u?int)\d+\b/,
  /\b(percent|(milli)?seconds|bytes|pixels|hexadecimal|UTC)\b|\bfrom [01]\b/i,
  /^\/\* /,
  /^\/\/ [A-Z][A-Z_\d]*$/,
];

Deno.test("no comment is of three words or fewer", () => {
  const isWrong = ({ kind, text }: Token) =>
    kind === "comment" && wordsOf(text).length <= 3 && !WORTH_IT.some((form) => form.test(text));
  assertEquals(tokensThat((path) => roomOf(path) !== "tests", isWrong), []);
});
