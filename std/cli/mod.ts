/**
 * Command lines: a stand-in for `jsr:@std/cli`.
 *
 * `links` in the root `deno.json` puts this package in the place of JSR's, so that the suite runs
 * where JSR can't be reached. It has the names, signatures and behaviour of the original as far as
 * the suite uses them; `deno task jsr` goes over to JSR's own.
 *
 * ```ts
 * import { parseArgs } from "@std/cli";
 *
 * const flags = parseArgs(Deno.args, { boolean: ["quiet"], string: ["out"] });
 * ```
 *
 * @module
 */

export * from "./parse_args.ts";
