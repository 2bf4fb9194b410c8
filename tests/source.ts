/** The suite's source, for tests that hold it to its rules. */

import { join } from "node:path/posix";
import { readImports } from "../docs/imports.ts";
import { repositoryRoot } from "../io/cache.ts";

/** What each file of the suite imports, by its path from the top. */
export const IMPORTS = await readImports(repositoryRoot());

/** Text of each TypeScript file of the suite, by its path from the top. */
export const SOURCES: ReadonlyMap<string, string> = new Map(
  await Promise.all(
    [...IMPORTS.keys()].map(async (path) =>
      [path, await Deno.readTextFile(join(repositoryRoot(), path))] as const
    ),
  ),
);

/** A piece of source that a compiler would take as one. */
export interface Token {
  kind: "comment" | "string" | "number" | "other";
  text: string;
  /** From 1. */
  line: number;
}

/** Enough of the language to tell comments, strings and numbers apart; `${}` is part of its string. */
const TOKEN = new RegExp(
  [
    String.raw`(?<comment>\/\*[^]*?\*\/|\/\/.*(?:\n[ \t]*\/\/.*)*)`,
    String.raw`(?<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\`(?:\\.|[^\`\\])*\`)`,
    String.raw`(?<number>(?<![\w.$])(?:\d[\d_]*)?\.?\d[\d_]*(?:e[+-]?\d+)?(?![\w$]))`,
    String
      .raw`(?<=[(,=:\[!&|?{};+]\s*|return\s+)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*`,
  ].join("|"),
  "g",
);

/** The comments, strings, numbers and regular expressions of a source; neighbouring `//` are one. */
export function tokens(source: string): Token[] {
  let line = 1;
  let end = 0;
  return Array.from(source.matchAll(TOKEN), ({ 0: text, index, groups }) => {
    line += source.slice(end, index).split("\n").length - 1;
    end = index;
    const { comment, string, number } = groups!;
    const kind = comment ? "comment" : string ? "string" : number ? "number" : "other";
    return { kind, text, line };
  });
}
