/**
 * The choice between real backends: a software adapter passes for a GPU, and timings are given. WebGPU
 * computes nothing here: lavapipe's LLVM and libtensorflow's, both at work, end the process badly.
 */

import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { type Backend, isRunning, runBackend } from "../../../engine/backend.ts";
import { type ChoiceDoors, chooseBackend, timingKey } from "../../../engine/choice/choose.ts";
import { findHardware, lookForAdapter } from "../../../engine/choice/hardware.ts";
import { startTensorFlow } from "../../../engine/tensorflow/start.ts";
import { startWebGpu } from "../../../engine/webgpu/start.ts";
import { choiceOf, MemoryStore } from "./fake_backends.ts";

/** Has every adapter say that it is hardware. */
function disguise(): void {
  const info = GPUAdapterInfo.prototype;
  Object.defineProperty(info, "isFallbackAdapter", { get: () => false });
  Object.defineProperty(info, "description", { get: () => "Disguised" });
}

// Its library has to be loaded before any graphics driver, whose LLVM it cannot stand.
(await startTensorFlow(choiceOf().options)).kernels.dispose();
const adapter = await lookForAdapter();
if (adapter === undefined) console.log("skipped: the choice of webgpu (there is no adapter)");
else disguise();

/** The doors to this machine, but for the seconds of a step. */
function doors(seconds: Record<string, number>): ChoiceDoors<Backend> & { measured: string[] } {
  const measured: string[] = [];
  const store = new MemoryStore();
  return {
    measured,
    store,
    start: (name, options) =>
      name === "tensorflow" ? startTensorFlow(options) : startWebGpu(options),
    measure: async (backend) => {
      await runBackend(backend);
      measured.push(backend.name);
      return seconds[backend.name]!;
    },
    findHardware: () => findHardware({ store, traces: "a GPU" }),
    surroundings: () => Promise.resolve({ cores: 2 }),
  };
}

function sum(): number {
  return tf.tidy(() => tf.tensor1d([1, 2, 3]).sum().dataSync()[0]!);
}

Deno.test({
  name: "the faster one computes, whichever was measured last or not at all",
  ignore: adapter === undefined,
  fn: async () => {
    const slow = doors({ tensorflow: 0.1, webgpu: 0.2 });
    const tensorflow = await chooseBackend(choiceOf(), slow);
    assertEquals([tensorflow.name, slow.measured], ["tensorflow", ["tensorflow", "webgpu"]]);
    await runBackend(tensorflow.backend);
    assertEquals([tf.getBackend(), sum()], ["tensorflow", 6]);

    const fast = doors({ tensorflow: 0.2, webgpu: 0.1 });
    const webgpu = await chooseBackend(choiceOf(), fast);
    assertEquals([webgpu.name, isRunning(webgpu.backend)], ["webgpu", true]);
    assertEquals(webgpu.reason.slice(0, 17), "2 times as fast a");
    const { timings: [timing] } = await fast.store.read();
    assertEquals(
      timing!.key,
      timingKey({ cores: 2 }, tensorflow.backend, webgpu.backend.adapter!),
    );

    // From memory: TensorFlow is started, asked for its version and disposed of.
    const known = await chooseBackend(choiceOf(), fast);
    assertEquals([known.name, fast.measured.length], ["webgpu", 2]);
    await runBackend(known.backend);
    assertEquals([tf.getBackend(), isRunning(known.backend)], ["webgpu", true]);
  },
});
