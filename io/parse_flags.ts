/**
 * A table of flags, and command lines read by it into typed values.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { extname, resolve } from "node:path";
import { closestWord } from "./closest_word.ts";
import { UsageError } from "./errors.ts";
import { PathAccessError, type PathKind, pathKindSync } from "./path_kind.ts";
import { shortened } from "./printable.ts";

/** What every kind of flag has. */
interface FlagBase {
  /** What it does, for the help page. */
  help: string;
  /** What the help page says of its default, where that is more than a value or is decided elsewhere. */
  defaultText?: string;
  /** Names in the table of flags that can't be given together with this one. */
  excludes?: readonly string[];
  /** Name in the table of the flag without which this one would do nothing. */
  needs?: string;
}

/** A flag that is there or not. */
export interface BooleanFlag extends FlagBase {
  kind: "boolean";
}

/** A whole number, or with `integers` a list of different ones separated by commas. */
export interface IntegerFlag extends FlagBase {
  kind: "integer" | "integers";
  min: number;
  /** @default {Number.MAX_SAFE_INTEGER} */
  max?: number;
  default?: number;
}

/** A decimal number greater than `above`. */
export interface NumberFlag extends FlagBase {
  kind: "number";
  above: number;
  default?: number;
}

/** One of a few words, or with `orFolder` or `orFile` the path of an existing one. */
export interface ChoiceFlag extends FlagBase {
  kind: "choice";
  choices: readonly string[];
  orFolder?: true;
  orFile?: true;
  default?: string;
}

/** Several of a few words, separated by commas, in the order given. */
export interface ChoicesFlag extends FlagBase {
  kind: "choices";
  choices: readonly string[];
  default?: readonly string[];
}

/** Words for the script itself to read. */
export interface TextFlag extends FlagBase {
  kind: "text";
  /** What the help page puts in their place: `LIST`. */
  placeholder: string;
  default?: string;
}

/** What must lie at a path that is named, if anything; at a default there may be nothing. */
interface NamedPath {
  /** @default {there may be nothing} */
  existing?: "file" | "folder" | "file or folder";
}

/** A path, absolute or from the folder that the user is in. */
export interface PathFlag extends FlagBase, NamedPath {
  kind: "path";
  default?: string;
  /** Whether it is of a folder that is made if missing: a name like a file's is a mistake then. */
  folder?: true;
  /** With `folder`, the ending of a file that may be named as well: `.safetensors`. */
  orEnding?: string;
}

/** Paths, one each time that the flag is given. */
export interface PathsFlag extends FlagBase, NamedPath {
  kind: "paths";
  default?: readonly string[];
}

/** Endings of files that the commands write or read, or that people may take them to write. */
const FILE_ENDINGS = [
  ...[".csv", ".html", ".json", ".md", ".txt"],
  ...[".jpeg", ".jpg", ".png", ".svg"],
  ...[".bin", ".ckpt", ".h5", ".onnx", ".pt", ".pth", ".safetensors"],
];

/** One flag of a table. */
export type Flag =
  | BooleanFlag
  | IntegerFlag
  | NumberFlag
  | ChoiceFlag
  | ChoicesFlag
  | TextFlag
  | PathFlag
  | PathsFlag;

/** Flags under their names in camelCase: `batchSize` is `--batch-size`. */
export type FlagTable = Readonly<Record<string, Readonly<Flag>>>;

type GivenValue<F> = F extends { kind: "integer" | "number" } ? number
  : F extends { kind: "integers" } ? number[]
  : F extends
    | { kind: "choice"; orFolder: true }
    | { kind: "choice"; orFile: true }
    | { kind: "path" | "text" } ? string
  : F extends { kind: "choice"; choices: readonly (infer Choice)[] } ? Choice
  : F extends { kind: "choices"; choices: readonly (infer Choice)[] } ? Choice[]
  : F extends { kind: "paths" } ? string[]
  : never;

/** The values of a table's flags; undefined where a flag is absent and has no default. */
export type FlagValues<T extends FlagTable> = {
  -readonly [Name in keyof T]: T[Name] extends { kind: "boolean" } ? boolean
    : T[Name] extends { default: unknown } ? GivenValue<T[Name]>
    : GivenValue<T[Name]> | undefined;
};

/** Folders that relative paths start from. */
export interface PathOrigins {
  /** Those on the command line. */
  given: string;
  /** Those that are defaults. */
  defaults: string;
}

/** A flag's name on the command line: `batchSize` is `--batch-size`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Reads a command line.
 *
 * Both `--name value` and `--name=value` are understood, and `-h` is `--help` where the table has it.
 *
 * @param argv The arguments, `Deno.args` as a rule.
 * @param table Every flag there is.
 * @param origins Makes paths absolute; without it they stay as they are, and whether there is anything
 *   to be read is not looked at.
 * @returns A value for each flag of the table.
 * @throws {UsageError} For an unknown flag, an argument that belongs to no flag, a flag given twice
 *   (unless it takes several paths), together with one it excludes or without one it needs, and a
 *   missing or bad value, such as a path to be read at which there is nothing.
 */
export function parseFlags<const T extends FlagTable>(
  argv: readonly string[],
  table: T,
  origins?: PathOrigins,
): FlagValues<T> {
  const { words, flags } = parseWords(argv, table, origins);
  if (words.length > 0) throw strayArgument(words[0]!);
  return flags;
}

/**
 * Reads a command line on which words may stand between the flags, and after `--`.
 *
 * @returns The words in their order, and a value for each flag of the table.
 * @throws {UsageError} As {@linkcode parseFlags}, words apart.
 */
export function parseWords<const T extends FlagTable>(
  argv: readonly string[],
  table: T,
  origins?: PathOrigins,
): { words: string[]; flags: FlagValues<T> } {
  const words: string[] = [];
  const keys = new Map(Object.keys(table).map((key) => [flagName(key).slice(2), key]));
  const names = [...keys.keys()];
  const isBoolean = (name: string) => table[keys.get(name) ?? ""]?.kind === "boolean";
  const parsed = parseArgs(joinNegativeValues(argv, names), {
    boolean: names.filter(isBoolean),
    string: names.filter((name) => !isBoolean(name)),
    collect: names,
    alias: table.help ? { help: "h" } : {},
    unknown(arg, name) {
      if (name !== undefined) throw unknownFlag(arg.replace(/=.*$/s, ""), names);
      // The parser makes numbers of words that look like some.
      words.push(arg);
    },
  });
  const end = argv.indexOf("--");
  if (end >= 0) words.push(...argv.slice(end + 1));

  const given = new Map<string, string | boolean | string[]>();
  for (const [name, key] of keys) {
    const values = parsed[name] as (string | boolean)[];
    if (table[key]?.kind === "paths") {
      if (values.length > 0) given.set(key, values.map(String));
      continue;
    }
    const [value, ...more] = values;
    if (more.length > 0) throw new UsageError(`--${name} is given twice; give it once`);
    if (value !== undefined) given.set(key, value);
  }
  checkBooleans(argv, names.filter(isBoolean));
  const isOn = (key: string) => (given.get(key) ?? false) !== false;
  const values = Object.entries(table).map(([key, flag]) => {
    const value = given.get(key);
    if (isOn(key)) checkCompany(key, flag, isOn);
    if (flag.kind === "boolean") return [key, value === true];
    if (value === undefined) return [key, defaultValue(flag, origins)];
    const read = (text: string) => readValue(flagName(key), flag, { text, origins });
    return [key, Array.isArray(value) ? value.map(read) : read(String(value))];
  });
  return { words, flags: Object.fromEntries(values) as FlagValues<T> };
}

/** Refuses a flag beside one that it excludes, and without one that it needs. */
function checkCompany(
  key: string,
  { excludes, needs }: Flag,
  isOn: (key: string) => boolean,
): void {
  const rival = excludes?.find(isOn);
  if (rival !== undefined) {
    throw new UsageError(`${flagName(key)} and ${flagName(rival)} exclude each other; give one`);
  }
  if (needs !== undefined && !isOn(needs)) {
    throw new UsageError(`${flagName(key)} needs ${flagName(needs)}; give both or neither`);
  }
}

/** What a flag takes, in words: `a whole number from 1 to 1000`. */
function expectation(flag: Flag): string {
  switch (flag.kind) {
    case "boolean":
      return "no value";
    case "integer":
      return `a whole number ${rangeOf(flag)}`;
    case "integers":
      return `different whole numbers ${rangeOf(flag)} separated by commas`;
    case "number":
      return `a number above ${flag.above}`;
    case "choice":
      return [
        ...flag.choices,
        ...(flag.orFolder ? ["an existing folder"] : []),
        ...(flag.orFile ? ["an existing file"] : []),
      ].join(", ").replace(/, ([^,]*)$/, " or $1");
    case "choices":
      return `different ones of ${flag.choices.join(", ")} separated by commas`;
    case "text":
      return flag.placeholder;
    case "path":
      if (flag.folder !== true) return "a path";
      return flag.orEnding === undefined ? "a folder" : `a ${flag.orEnding} file or a folder`;
    case "paths":
      return "a path";
  }
}

function rangeOf({ min, max }: IntegerFlag): string {
  return max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
}

/** A value as it was given. */
interface GivenText {
  text: string;
  origins: PathOrigins | undefined;
}

type ValuedFlag = Exclude<Flag, BooleanFlag>;

function defaultValue(flag: ValuedFlag, origins: PathOrigins | undefined): unknown {
  if (origins === undefined || flag.default === undefined) return flag.default;
  if (flag.kind === "path") return resolve(origins.defaults, flag.default);
  if (flag.kind === "paths") return flag.default.map((path) => resolve(origins.defaults, path));
  return flag.default;
}

function readValue(name: string, flag: ValuedFlag, given: GivenText): unknown {
  const { text, origins } = given;
  const value = text === "" ? undefined : interpret(name, flag, given);
  if (value !== undefined) return value;
  if (text === "") throw new UsageError(`${name} needs a value: ${expectation(flag)}`);
  const guess = "choices" in flag ? closestWord(text, flag.choices) : undefined;
  const hint = guess !== undefined
    ? `; did you mean ${guess}?`
    : origins !== undefined && mayBePath(flag)
    ? `; ${whatIsAt(resolve(origins.given, text))}`
    : flag.kind === "path"
    ? `, and ${extname(text)} is the ending of a file`
    : "";
  throw new UsageError(`${name} ${shortened(text)}: expected ${expectation(flag)}${hint}`);
}

/** What is at a path at which there is not what a flag takes. */
function whatIsAt(path: string): string {
  const kind = pathKindSync(path);
  if (kind === "nothing") return `there is none at ${path}`;
  return `${path} is ${kind === "other" ? "neither file nor folder" : `a ${kind}`}`;
}

/** Whether a path may stand in the place of a word. */
function mayBePath(flag: ValuedFlag): boolean {
  return flag.kind === "choice" && (flag.orFolder === true || flag.orFile === true);
}

/** The value that `text` stands for; undefined where it stands for none. */
function interpret(name: string, flag: ValuedFlag, { text, origins }: GivenText): unknown {
  switch (flag.kind) {
    case "integer":
      return wholeNumber(flag, text);
    case "integers": {
      const numbers = text.split(",").map((part) => wholeNumber(flag, part.trim()));
      const good = !numbers.includes(undefined) && new Set(numbers).size === numbers.length;
      return good ? numbers : undefined;
    }
    case "number": {
      const isDecimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
      const value = Number(text);
      return isDecimal && Number.isFinite(value) && value > flag.above ? value : undefined;
    }
    case "choice": {
      if (flag.choices.includes(text)) return text;
      const path = absolute(text, origins);
      return isThere(flag, path, name) ? path : undefined;
    }
    case "choices": {
      const words = text.split(",").map((word) => word.trim());
      const good = words.every((word) => flag.choices.includes(word));
      return good && new Set(words).size === words.length ? words : undefined;
    }
    case "text":
      return text;
    case "path": {
      const path = namedPath(name, flag, { text, origins });
      return flag.folder === true && looksLikeFile(path, flag.orEnding) ? undefined : path;
    }
    case "paths":
      return namedPath(name, flag, { text, origins });
  }
}

/** A path that is named, which is refused where there is not what the flag reads. */
function namedPath(name: string, { existing }: NamedPath, { text, origins }: GivenText): string {
  const path = absolute(text, origins);
  if (existing === undefined || origins === undefined) return path;
  const kind = kindAt(path, name);
  // A pipe can be read as a file is.
  if (existing.includes(kind) || (kind === "other" && existing !== "folder")) return path;
  throw new UsageError(
    `${name} ${shortened(path)}: expected an existing ${existing}; ${whatIsAt(path)}`,
  );
}

function absolute(path: string, origins: PathOrigins | undefined): string {
  return origins === undefined ? path : resolve(origins.given, path);
}

/** Whether a path has the ending of a file that is not meant, and is not that of a folder all the same. */
function looksLikeFile(path: string, orEnding: string | undefined): boolean {
  const ending = extname(path);
  if (ending === orEnding || !FILE_ENDINGS.includes(ending.toLowerCase())) return false;
  return pathKindSync(path) !== "folder";
}

function wholeNumber(flag: IntegerFlag, text: string): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= flag.min && value <= (flag.max ?? Number.MAX_SAFE_INTEGER) ? value : undefined;
}

/** Whether there is what a choice may name besides its words. */
function isThere({ orFolder, orFile }: ChoiceFlag, path: string, name: string): boolean {
  if (orFolder !== true && orFile !== true) return false;
  const kind = kindAt(path, name);
  return (orFolder === true && kind === "folder") || (orFile === true && kind === "file");
}

/** What lies at a path that a flag names. */
function kindAt(path: string, name: string): PathKind {
  try {
    return pathKindSync(path);
  } catch (error) {
    if (!(error instanceof PathAccessError)) throw error;
    const { reason, remedy } = error;
    throw new UsageError(`${name} ${shortened(path)} cannot be looked at`, {
      reason,
      remedy,
      cause: error,
    });
  }
}

/** `--seed -1` as `--seed=-1`, so that the number is read as a bad value and not as a flag. */
function joinNegativeValues(argv: readonly string[], names: readonly string[]): string[] {
  return argv.reduce<string[]>((joined, arg) => {
    const before = joined.at(-1) ?? "";
    const isValue = /^-[\d.]/.test(arg) && names.includes(before.replace(/^--/, ""));
    return isValue ? [...joined.slice(0, -1), `${before}=${arg}`] : [...joined, arg];
  }, []);
}

/** A flag without a value may be switched by `=true` and `=false`, nothing else. */
function checkBooleans(argv: readonly string[], names: readonly string[]): void {
  for (const arg of argv) {
    const [, name = "", value = ""] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (names.includes(name) && value !== "true" && value !== "false") {
      throw new UsageError(`--${name} takes no value, so ${shortened(arg)} is not understood`);
    }
  }
}

function strayArgument(arg: string): UsageError {
  return new UsageError(`"${shortened(arg)}" belongs to no flag; see --help for what there is`);
}

function unknownFlag(arg: string, names: readonly string[]): UsageError {
  const guess = closestWord(arg.replace(/^-+/, ""), names);
  return new UsageError(
    `Unknown flag ${shortened(arg)}${guess ? `; did you mean --${guess}?` : "."} ` +
      `There are ${names.map((name) => `--${name}`).join(" ")}`,
  );
}
