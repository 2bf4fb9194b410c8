/**
 * The engine that tests run on.
 *
 * Call it at the top of a test file, not inside a test: the library it opens stays open.
 */

import { type Engine, startEngine } from "../../engine/engine.ts";

let started: Promise<Engine> | undefined;

/** Starts the engine; once per process. */
export function testEngine(): Promise<Engine> {
  return started ??= startEngine();
}
