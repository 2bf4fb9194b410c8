/**
 * Specs of tfjs-core's test suite that fail on the `webgpu` backend, and why.
 *
 * @module
 */

import type { ConformanceException } from "./exceptions.ts";

export const WEBGPU_EXCEPTIONS: readonly ConformanceException[] = [];
