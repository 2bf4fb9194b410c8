/**
 * A command line's flags and arguments.
 *
 * @module
 */

/** Options of {@linkcode parseArgs}; wherever names are listed, one may stand alone. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
  A extends Record<string, string | readonly string[]> = Record<string, string | readonly string[]>,
> {
  /**
   * Put what follows `--` under that name instead of with the arguments.
   *
   * @default {false}
   */
  "--"?: boolean;
  /** Other names of a flag; the result has the value under each. */
  alias?: A;
  /** Flags that take no value, false where absent; `true`: every `--flag` without `=`. */
  boolean?: boolean | B | readonly B[];
  /** Values of flags that are absent. */
  default?: D;
  /**
   * Read no flags after the first argument.
   *
   * @default {false}
   */
  stopEarly?: boolean;
  /** Flags whose value stays text, even if it looks like a number; `_` is the arguments. */
  string?: S | readonly S[];
  /** Flags that may be repeated, their values collected in a list. Of others the last counts. */
  collect?: C | readonly C[];
  /** Flags that `--no-<name>` sets to false. */
  negatable?: string | readonly string[];
  /** Called for each flag named nowhere here and each argument; false leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} returns. */
export type Args<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
> =
  & { [K in Exclude<Known<B>, C>]: K extends keyof D ? D[K] | boolean : boolean }
  & { [K in Exclude<Known<S>, C> & keyof D]: D[K] | string }
  & { [K in Exclude<Known<S>, C | keyof D>]?: string }
  & { [K in Known<C>]: (K extends S ? string : K extends B ? boolean : unknown)[] }
  & { _: (string | number)[]; "--"?: string[] }
  & Record<string, unknown>;

/** The names where they are known one by one. */
type Known<Name extends string> = string extends Name ? never : Exclude<Name, "_">;

/** Where a name may be declared, aliases included. */
type Kind = "boolean" | "string" | "collect" | "negatable";

/**
 * Reads flags (`--name value`, `--name=value`, `-n value`, `-abc`) and arguments.
 *
 * A value that looks like a number becomes one unless the flag is declared as `string`; a flag
 * without a value is `true`, or `""` if declared as `string`; nothing after `--` is a flag. Unlike
 * the original, a dot in a name is a part of it.
 *
 * @param args The command line, `Deno.args` as a rule.
 * @returns Each flag's value under its name, the arguments under `_`.
 */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
  A extends Record<string, string | readonly string[]> = Record<string, string | readonly string[]>,
>(args: readonly string[], options: ParseOptions<B, S, C, D, A> = {}): Args<B, S, C, D> {
  return new Parser(options).parse(args) as Args<B, S, C, D>;
}

class Parser {
  readonly #options: ParseOptions;
  readonly #aliases = new Map<string, string[]>();
  readonly #kinds: Record<Kind, Set<string>>;
  readonly #allBoolean: boolean;
  readonly #result: Record<string, unknown> & { _: (string | number)[] };

  constructor(options: ParseOptions) {
    this.#options = options;
    this.#result = Object.assign(Object.create(null), { _: [] });
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const group = [name, ...list(others)];
      for (const one of group) this.#aliases.set(one, group);
    }
    const named = (names: string | readonly string[] | undefined) =>
      new Set(list(names).flatMap((name) => this.#aliases.get(name) ?? [name]));
    this.#allBoolean = options.boolean === true;
    this.#kinds = {
      boolean: named(typeof options.boolean === "boolean" ? undefined : options.boolean),
      string: named(options.string),
      collect: named(options.collect),
      negatable: named(options.negatable),
    };
  }

  parse(args: readonly string[]): Record<string, unknown> {
    const { "--": separate = false, stopEarly = false } = this.#options;
    const end = args.includes("--") ? args.indexOf("--") : args.length;
    const words = args.slice(0, end);
    for (let arg = words.shift(); arg !== undefined; arg = words.shift()) {
      if (/^-./s.test(arg)) {
        const read = arg.startsWith("--") ? this.#readLong : this.#readShort;
        if (read.call(this, arg, words[0])) words.shift();
        continue;
      }
      this.#addArgument(arg);
      if (stopEarly) this.#result._.push(...words.splice(0));
    }
    this.#fillIn();
    const rest = args.slice(end + 1);
    if (separate) this.#result["--"] = rest;
    else this.#result._.push(...rest);
    return this.#result;
  }

  /** Reads `--name` or `--name=value`; true if `following` was its value. */
  #readLong(arg: string, following: string | undefined): boolean {
    const [, name = "", inline] = /^--([^]+?)(?:=([^]*))?$/.exec(arg) ?? [];
    if (inline !== undefined) {
      this.#set(name, this.#is("boolean", name) ? inline !== "false" : inline, arg);
      return false;
    }
    const positive = name.replace(/^no-/, "");
    if (positive !== name && this.#is("negatable", positive)) {
      this.#set(positive, false, arg, false);
      return false;
    }
    return this.#setWithFollowing(name, arg, following);
  }

  /** Reads `-n`, `-abc`, `-n5` or `-n=value`; true if `following` was the last one's value. */
  #readShort(arg: string, following: string | undefined): boolean {
    const letters = [...arg.slice(1)];
    for (const [i, letter] of letters.entries()) {
      const rest = letters.slice(i + 1).join("");
      if (rest === "") return this.#setWithFollowing(letter, arg, following);
      const glued = /^=([^]*)$/.exec(rest)?.[1] ??
        (/^\W/.test(rest) || (/[a-z]/i.test(letter) && /^\d+(\.\d*)?$/.test(rest))
          ? rest
          : undefined);
      if (glued !== undefined) {
        this.#set(letter, glued, arg);
        return false;
      }
      this.#set(letter, this.#bare(letter), arg);
    }
    return false;
  }

  /** Gives a flag the next word as its value, where it is one. */
  #setWithFollowing(name: string, arg: string, following: string | undefined): boolean {
    const onlyBoolean = this.#is("boolean", name) || (this.#allBoolean && arg.startsWith("--"));
    const isValue = onlyBoolean
      ? following === "true" || following === "false"
      : !!following && (!following.startsWith("-") || (following === "-" && !arg.startsWith("--")));
    if (!isValue || following === undefined) {
      this.#set(name, this.#bare(name), arg);
      return false;
    }
    this.#set(name, onlyBoolean ? following === "true" : following, arg);
    return true;
  }

  #bare(name: string): string | boolean {
    return this.#is("string", name) ? "" : true;
  }

  /** Keeps a flag's value; with `collects` a collected flag's is added to those before. */
  #set(name: string, value: string | boolean, arg: string, collects = true): void {
    const declared = this.#aliases.has(name) || this.#is("boolean", name) ||
      this.#is("string", name) || this.#is("collect", name) ||
      (this.#allBoolean && /^--[^=]+$/.test(arg));
    if (!declared && this.#options.unknown?.(arg, name, value) === false) return;
    const converted = this.#is("string", name) ? value : numberOr(value);
    for (const one of this.#aliases.get(name) ?? [name]) {
      if (collects && this.#is("collect", one)) {
        const before = this.#result[one];
        this.#result[one] = [...(Array.isArray(before) ? before : []), converted];
      } else {
        this.#result[one] = converted;
      }
    }
  }

  #addArgument(arg: string): void {
    if (this.#options.unknown?.(arg) === false) return;
    this.#result._.push(this.#is("string", "_") ? arg : numberOr(arg));
  }

  #fillIn(): void {
    const fill = (name: string, value: unknown) => {
      if (this.#result[name] === undefined) this.#result[name] = value;
    };
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      for (const one of this.#aliases.get(name) ?? [name]) fill(one, value);
    }
    for (const name of this.#kinds.boolean) fill(name, this.#is("collect", name) ? [] : false);
    for (const name of this.#kinds.string) if (this.#is("collect", name)) fill(name, []);
  }

  #is(kind: Kind, name: string): boolean {
    return this.#kinds[kind].has(name);
  }
}

function list<T extends string>(names: T | readonly T[] | undefined): readonly T[] {
  if (names === undefined) return [];
  return typeof names === "string" ? [names] : names;
}

/** A number where the text is one, else the value itself. */
function numberOr<T>(value: T): T | number {
  const isNumber = typeof value === "string" && value.trim() !== "" &&
    Number.isFinite(Number(value));
  return isNumber ? Number(value) : value;
}
