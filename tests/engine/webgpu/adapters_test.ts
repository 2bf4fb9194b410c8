/** Which adapter the engine starts on, what it asks of it, and what it refuses. */

import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { runningBackend } from "../../../engine/backend.ts";
import { type EngineOptions, startEngine } from "../../../engine/engine.ts";
import { findAdapter, requestDevice } from "../../../engine/webgpu/adapter.ts";
import { StudyError } from "../../../io/errors.ts";
import { readSystemFile } from "../../../io/libc.ts";
import { silentReporter } from "../../../io/reporter.ts";
import { ON_WEBGPU, onAdapter, startOnAdapter } from "./adapter.ts";
import { kernels } from "./kernels.ts";

/** A product, which is never computed on the host. */
const six = () => tf.tidy(() => [...tf.matMul([[1, 2]], [[2], [2]]).dataSync()]);

Deno.test("WebGPU refuses the CPU, bfloat16 and a Deno without it, with the remedy", async () => {
  const wanted: [EngineOptions, string][] = [
    [{ device: "cpu" }, "--device gpu"],
    [{ device: "software", precision: "bfloat16" }, "--precision fp32"],
  ];
  for (const [options, remedy] of wanted) {
    const start = () => startEngine({ ...options, backend: "webgpu", reporter: silentReporter });
    assertStringIncludes((await assertRejects(start, StudyError)).message, remedy);
  }
  const { prototype } = Navigator;
  const gpu = Object.getOwnPropertyDescriptor(prototype, "gpu")!;
  Object.defineProperty(prototype, "gpu", { configurable: true, get: () => undefined });
  try {
    await assertRejects(startOnAdapter, StudyError, "This Deno has no WebGPU");
  } finally {
    Object.defineProperty(prototype, "gpu", gpu);
  }
});

Deno.test("no adapter at all is an error that names driver and other backends", async () => {
  const { requestAdapter } = GPU.prototype;
  GPU.prototype.requestAdapter = () => Promise.resolve(null);
  try {
    const error = await assertRejects(startOnAdapter, StudyError, "No graphics adapter");
    assertStringIncludes(error.message, "mesa-vulkan-drivers");
    assertStringIncludes(error.message, "--backend");
  } finally {
    GPU.prototype.requestAdapter = requestAdapter;
  }
});

await onAdapter("adapters of WebGPU", async () => {
  const { description } = await findAdapter("software");

  Deno.test({
    name: "OpenGL's loader stays out of the process, which can die of it on its way out",
    ignore: Deno.build.os !== "linux",
    fn() {
      const libraries = readSystemFile("/proc/self/maps", 1 << 23) ?? "";
      assertStringIncludes(libraries, "libvulkan");
      assertFalse(libraries.includes("libEGL"));
    },
  });

  Deno.test("an adapter makes one device: each start looks for an adapter of its own", async () => {
    const { requestAdapter } = GPU.prototype;
    let asked = 0;
    GPU.prototype.requestAdapter = function (options) {
      asked++;
      return requestAdapter.call(this, options);
    };
    try {
      for (const _ of [1, 2, 3]) {
        await startOnAdapter();
        assertEquals(six(), [6]);
      }
      assertEquals(asked, 3);
    } finally {
      GPU.prototype.requestAdapter = requestAdapter;
    }
  });

  Deno.test("a driver that makes no device is an error that names the adapter", async () => {
    const found = await findAdapter("software");
    const used = Promise.reject(new TypeError("the adapter has been used"));
    found.adapter.requestDevice = () => used;
    const { message } = await assertRejects(() => requestDevice(found), StudyError);
    assertStringIncludes(message, `${description.name} cannot be used with WebGPU`);
    assertStringIncludes(message, "the adapter has been used");
  });

  Deno.test("the engine says which adapter it is on, with the limits that its device has", async () => {
    const engine = await startOnAdapter();
    const { name, vendor, limits } = description;
    assertStringIncludes(engine.device, name);
    assertEquals(engine.backend, "webgpu");
    assertStringIncludes(engine.description, `tfjs-backend-webgpu 4.22.0 on ${name} (${vendor})`);
    assert(name !== "" && vendor !== "" && !/^\d+$/.test(vendor), `${name}, ${vendor}`);
    const { device } = kernels();
    for (const [limit, value] of Object.entries(limits)) {
      assertEquals(device.limits[limit as keyof GPUSupportedLimits], value, limit);
    }
    // Beyond what every adapter has.
    assert(limits.maxBufferSize! >= 2 ** 28 && limits.maxStorageBufferBindingSize! >= 2 ** 27);
    assertEquals(runningBackend().adapter, description);
  });

  Deno.test("no feature is asked for: Deno refuses names that it does not know", async () => {
    const { requestDevice: request } = GPUAdapter.prototype;
    const asked: (GPUDeviceDescriptor | undefined)[] = [];
    GPUAdapter.prototype.requestDevice = function (descriptor) {
      asked.push(descriptor);
      return request.call(this, descriptor);
    };
    try {
      await startOnAdapter();
      assertEquals(asked.map((descriptor) => descriptor?.requiredFeatures ?? []), [[]]);
      const { adapter } = await findAdapter("software");
      // In tfjs' own list.
      const requiredFeatures = ["chromium-experimental-subgroups" as GPUFeatureName];
      await assertRejects(() => adapter.requestDevice({ requiredFeatures }), TypeError);
    } finally {
      GPUAdapter.prototype.requestDevice = request;
    }
    assertEquals(six(), [6]);
  });

  Deno.test({
    name: "an adapter that computes on the CPU has to be asked for",
    ignore: !description.isSoftware,
    async fn() {
      for (const device of ["auto", "gpu"] as const) {
        const start = () => startEngine({ ...ON_WEBGPU, device, reporter: silentReporter });
        const { message } = await assertRejects(start, StudyError, "computes on the CPU");
        assertStringIncludes(message, description.name);
        assertStringIncludes(message, "--device software");
      }
    },
  });

  Deno.test("TensorFlow computes after graphics drivers have been loaded, and they after it", async () => {
    for (const options of [{ backend: "tensorflow" }, ON_WEBGPU] as const) {
      await startEngine(options);
      assertEquals([tf.getBackend(), six()], [options.backend, [6]]);
    }
  });
});
