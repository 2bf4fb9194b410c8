/**
 * Assertions for tests: a stand-in for `jsr:@std/assert`.
 *
 * `links` in the root `deno.json` puts this package in the place of JSR's, so that the suite's tests
 * run where JSR can't be reached. It has the names, signatures and behaviour of the original as far
 * as the tests use them; `deno task jsr` goes over to JSR's own.
 *
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(new Float32Array([0.5, NaN]), new Float32Array([0.5, NaN]));
 * assertThrows(() => JSON.parse("{"), SyntaxError);
 * ```
 *
 * @module
 */

export { AssertionError } from "./assertion_error.ts";
export * from "./equal.ts";
export * from "./equality.ts";
export * from "./conditions.ts";
export * from "./object_match.ts";
export * from "./throws.ts";
