/** The probe itself, on the backend that every machine of the tests has. */

import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { runningBackend } from "../../../engine/backend.ts";
import { measureStep } from "../../../engine/choice/probe.ts";
import { nativeTensors, testEngine } from "../engine.ts";

const engine = await testEngine();

Deno.test("measureStep() times steps of training, and leaves nothing behind", async () => {
  const backend = runningBackend();
  await measureStep(backend, 0.01);
  const before = [tf.memory().numTensors, nativeTensors()];
  const started = performance.now();
  const seconds = await measureStep(backend, 0.05);
  const passed = (performance.now() - started) / 1000;
  assert(seconds > 1e-4 && seconds < passed / 4, `${seconds} of ${passed} s`);
  assertEquals([tf.memory().numTensors, nativeTensors()], before);
  assertEquals(runningBackend(), backend);
  assertEquals(tf.getBackend(), engine.backend);
});
