/**
 * Command lines that have words besides flags: `deno task predict seven.png --json`.
 *
 * @module
 */

import { flagName, type FlagTable } from "./parse_flags.ts";

/** A command line in two. */
export interface SplitArguments {
  /** What belongs to no flag, in order. `-` is such a word, and so is all behind `--`. */
  words: string[];
  /** The flags with their values, for `parseFlags`. */
  flags: string[];
}

/** Tells words from flags and their values. */
export function splitArguments(argv: readonly string[], table: FlagTable): SplitArguments {
  const valued = new Set(
    Object.entries(table).filter(([, { kind }]) => kind !== "boolean").map(([key]) =>
      flagName(key)
    ),
  );
  const words: string[] = [];
  const flags: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === "--") {
      words.push(...argv.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg);
      continue;
    }
    flags.push(arg);
    const next = argv[i + 1];
    if (valued.has(arg) && next !== undefined) {
      flags.push(next);
      i++;
    }
  }
  return { words, flags };
}
