/**
 * The page that `--help` prints.
 *
 * @module
 */

import { repositoryRoot, userFolder } from "./cache.ts";
import { UsageError } from "./errors.ts";
import {
  type ChoiceFlag,
  type Flag,
  flagName,
  type FlagTable,
  type FlagValues,
  parseFlags,
  parseWords,
  type PathOrigins,
} from "./parse_flags.ts";
import { pageColumns, print } from "./reporter.ts";

/** Options of {@linkcode helpText}. */
export interface HelpOptions<T extends FlagTable = FlagTable> {
  /** The command, such as `deno task part1 [flags]`. */
  usage: string;
  /** What it does, a sentence or two. */
  description: string;
  table: T;
  examples: readonly string[];
}

const GAP = 2;

/**
 * The values of the flags that a script was started with; `undefined` where it was asked for its help
 * page, which is printed.
 *
 * @throws {UsageError} As {@linkcode parseFlags}.
 */
export function readCommandLine<const T extends FlagTable>(
  options: HelpOptions<T>,
): FlagValues<T> | undefined {
  const flags = readFlags(options.table);
  if (!("help" in flags) || flags.help !== true) return flags;
  print(helpText(options));
}

/**
 * The same for a command that takes words besides flags, such as names of files.
 *
 * @param argv The arguments, all that the script was started with as a rule.
 * @throws {UsageError} As {@linkcode parseWords}, and for a word that is empty.
 */
export function readWords<const T extends FlagTable>(
  options: HelpOptions<T>,
  argv: readonly string[] = Deno.args,
): { words: string[]; flags: FlagValues<T> } | undefined {
  const given = parseWords(argv, options.table, pathOrigins());
  if ("help" in given.flags && given.flags.help === true) {
    print(helpText(options));
    return undefined;
  }
  const { usage } = options;
  // An empty path would be the folder that the user is in.
  const what = /\b[A-Z]{2,}\b/.exec(usage)?.[0].toLowerCase();
  if (what !== undefined && given.words.includes("")) {
    throw new UsageError(`The name of a ${what} is empty: ${usage}; see --help`);
  }
  return given;
}

/**
 * The values of the flags that a script was started with. Paths are absolute: what the user names
 * relatively lies in the user's own folder, defaults lie in the repository.
 *
 * @throws {UsageError} As {@linkcode parseFlags}.
 */
export function readFlags<const T extends FlagTable>(table: T): FlagValues<T> {
  return parseFlags(Deno.args, table, pathOrigins());
}

function pathOrigins(): PathOrigins {
  return { given: userFolder(), defaults: repositoryRoot() };
}

/**
 * A help page of the terminal's columns, at most 100: what the command does, its flags with defaults,
 * examples.
 */
export function helpText({ usage, description, table, examples }: HelpOptions): string {
  const rows = Object.entries(table).map(([key, flag]) => ({
    left: `${flagName(key)}${valueOf(flag)}`,
    right: flag.help + defaultOf(flag),
  }));
  const indent = GAP + Math.max(...rows.map((row) => row.left.length)) + GAP;
  const columns = pageColumns();
  const flags = rows.flatMap(({ left, right }) =>
    wrap(right, columns - indent).map((line, i) =>
      `${" ".repeat(GAP)}${i === 0 ? left : ""}`.padEnd(indent) + line
    )
  );
  return [
    ...wrap(description, columns),
    "",
    `Usage: ${usage}`,
    "",
    "Flags:",
    ...flags,
    "",
    "Examples:",
    ...examples.map((example) => `${" ".repeat(GAP)}${example}`),
  ].join("\n");
}

function valueOf(flag: Flag): string {
  switch (flag.kind) {
    case "boolean":
      return "";
    case "integer":
      return " N";
    case "integers":
      return " N,N,...";
    case "number":
      return " X";
    case "choice":
      return ` ${choicesOf(flag).join("|")}`;
    case "choices":
      return ` ${flag.choices.join(",")}`;
    case "text":
      return ` ${flag.placeholder}`;
    case "path":
    case "paths":
      return " PATH";
  }
}

function choicesOf({ choices, orFolder, orFile }: ChoiceFlag): string[] {
  return [...choices, ...(orFolder ? ["DIR"] : []), ...(orFile ? ["FILE"] : [])];
}

function defaultOf(flag: Flag): string {
  const text = flag.defaultText ?? (flag.kind === "boolean" ? undefined : flag.default);
  return text === undefined ? "" : ` [default: ${text}]`;
}

/** Lines of whole words; what stands in brackets stays together. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.match(/\[.*?\]|\S+/g) ?? []) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
