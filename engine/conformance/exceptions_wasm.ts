/**
 * Specs of tfjs-core's test suite that fail on the `wasm` backend, and why.
 *
 * @module
 */

import type { ConformanceException } from "./exceptions.ts";

export const WASM_EXCEPTIONS: readonly ConformanceException[] = [];
