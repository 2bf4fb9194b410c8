/** Runs on WebAssembly what is tested on TensorFlow, with the same tolerances. */

import { startEngine } from "../../../engine/engine.ts";
import { StudyError } from "../../../io/errors.ts";
import { testOn } from "../engine.ts";

/**
 * Registers tests of other files.
 *
 * @param load Imports them; nothing of theirs is tried where WebAssembly does not start.
 */
export async function testsOnWasm(load: () => Promise<void>): Promise<void> {
  testOn({ backend: "wasm" });
  try {
    (await startEngine({ backend: "wasm" })).dispose();
    await load();
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    Deno.test({ name: `skipped on WebAssembly: ${error.message}`, ignore: true, fn() {} });
  }
}
