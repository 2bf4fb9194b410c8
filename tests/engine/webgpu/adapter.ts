/**
 * The adapter that tests of WebGPU run on: a software one where the machine has it, or its graphics
 * hardware.
 */

import { type Engine, type EngineOptions, startEngine } from "../../../engine/engine.ts";
import { findAdapter } from "../../../engine/webgpu/adapter.ts";
import { StudyError } from "../../../io/errors.ts";

/** How tests start the engine. */
export const ON_WEBGPU = { backend: "webgpu", device: "software" } as const satisfies EngineOptions;

/** Why WebGPU cannot be tested here; undefined where it can. */
export const WEBGPU_PROBLEM: string | undefined = await findAdapter("software").then(
  () => undefined,
  (error) => {
    if (error instanceof StudyError) return error.message;
    throw error;
  },
);

/** Starts the engine on the adapter. */
export function startOnAdapter(): Promise<Engine> {
  return startEngine(ON_WEBGPU);
}

/**
 * Defines tests by `define`, or one that is skipped and says why.
 *
 * @param what What they are of.
 */
export async function onAdapter(what: string, define: () => Promise<void>): Promise<void> {
  if (WEBGPU_PROBLEM === undefined) return await define();
  Deno.test({ name: `skipped: ${what} (${WEBGPU_PROBLEM})`, ignore: true, fn() {} });
}
