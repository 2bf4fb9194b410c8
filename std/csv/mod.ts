/**
 * Comma-separated values: a stand-in for `jsr:@std/csv`.
 *
 * `links` in the root `deno.json` puts this package in the place of JSR's, so that the suite runs
 * where JSR can't be reached. It has the names, signatures and behaviour of the original as far as
 * the suite uses them; `deno task jsr` goes over to JSR's own.
 *
 * ```ts
 * import { parse, stringify } from "@std/csv";
 *
 * const rows = parse("epoch,loss\r\n1,0.25\r\n", { skipFirstRow: true });
 * const text = stringify(rows, { columns: ["epoch", "loss"] });
 * ```
 *
 * @module
 */

export * from "./parse.ts";
export * from "./stringify.ts";
