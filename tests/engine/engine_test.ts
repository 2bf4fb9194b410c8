import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { runBackend, runningBackend } from "../../engine/backend.ts";
import { startEngine } from "../../engine/engine.ts";
import { biasAdd } from "../../engine/ops.ts";
import { StudyError, UsageError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import { composedBackend } from "./composed_backend.ts";
import { testEngine } from "./engine.ts";

const engine = await testEngine();

Deno.test("startEngine() refuses a backend it does not have and a GPU that is not there", async () => {
  const unknown = { backend: "webgl" as "auto", reporter: silentReporter };
  const error = await assertRejects(() => startEngine(unknown), UsageError);
  assertStringIncludes(error.message, '"webgl"');
  if (engine.device === "GPU") return console.log("a GPU is there: its absence is not tested");
  const gpu = { device: "gpu" as const, reporter: silentReporter };
  const absent = await assertRejects(() => startEngine(gpu), StudyError);
  assertStringIncludes(absent.message, "--device cpu");
  // The engine that was running is still the current one.
  assertEquals(tf.tensor1d([1, 2]).add(1).dataSync(), Float32Array.of(2, 3));
});

Deno.test("startEngine() refuses numbers of threads that are none, on every backend", async () => {
  for (const backend of ["auto", "tensorflow", "webgpu", "wasm"] as const) {
    for (const threads of [0, -1, 1.5, 1025, NaN]) {
      const start = () => startEngine({ backend, threads, reporter: silentReporter });
      const { message } = await assertRejects(start, RangeError, "from 1 to 1024");
      assertStringIncludes(message, `current value is ${threads}`);
    }
  }
  // The engine that was running is still the current one.
  assertEquals(tf.tensor1d([1, 2]).add(1).dataSync(), Float32Array.of(2, 3));
});

Deno.test("the tensorflow backend does not load what another one is made of", () => {
  assertEquals(tf.getKernelsForBackend("wasm"), []);
});

Deno.test("ops refuse to run when another backend has been made tfjs' own", async () => {
  const x = tf.tensor1d([1, 2]);
  tf.setBackend("cpu");
  assertThrows(() => biasAdd(x, x), Error, "No engine is running");
  tf.setBackend(engine.backend);
  const sum = biasAdd(x.reshape([1, 2]), x);
  assertEquals([...await sum.data()], [2, 4]);
  tf.dispose([x, sum]);
});

Deno.test("a started backend takes the place of the one before, whose engine may still be disposed of", async () => {
  const composed = composedBackend();
  await runBackend(composed);
  assertEquals([tf.getBackend(), runningBackend()], ["cpu", composed]);
  assertEquals(tf.findBackend("tensorflow"), null);
  engine[Symbol.dispose]();
  assertEquals(runningBackend(), composed);
});
