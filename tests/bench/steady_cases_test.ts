/** Whose timings those of two processes side by side are. */

import { assertEquals } from "@std/assert";
import { measureSteadyCases, ourLabel } from "../../bench/steady_cases.ts";
import { Worker } from "../../bench/worker.ts";
import { benchContext } from "./bench_context.ts";

Deno.test("ourLabel() names every backend but the one that the suite is made for", () => {
  assertEquals(ourLabel("tensorflow", "float32"), "ours");
  assertEquals(ourLabel("tensorflow", "bfloat16"), "ours bf16");
  assertEquals(ourLabel("wasm", "float32"), "ours, wasm");
  assertEquals(ourLabel("webgpu", "bfloat16"), "ours bf16, webgpu");
});

Deno.test({
  name: "a page of another backend that auto took has no timings of TensorFlow's in bfloat16",
  ignore: Deno.build.os === "windows", // A shell stands in for a side.
  fn: async () => {
    const script = `echo '{"versions": {}}'; read request`;
    const idle = await Worker.start({ name: "idle", command: "sh", args: ["-c", script] });
    const context = {
      ...benchContext({ train: 60_000, test: 10_000 }),
      ...{ cases: ["step-bf16"] as const, data: "mnist", seconds: 0.1 },
      ours: { backend: "wasm", device: "CPU" },
    };
    await measureSteadyCases(context, idle, { missing: "no PyTorch" });
    const [found] = context.found;
    assertEquals([found?.ours.label, found?.ours.timings], ["ours bf16, wasm", []]);
    assertEquals([context.found.length, context.done], [1, ["step-bf16"]]);
  },
});

Deno.test({
  name: "a case is done with after the last of its plans, in whichever number format",
  ignore: Deno.build.os === "windows", // A shell stands in for a side.
  fn: async () => {
    const script = `echo '{"versions": {}, "on": {"backend": "wasm", "device": "CPU"}}'; ` +
      `while read request; do echo '{"units": 1, "seconds": 1}'; done`;
    const side = () => Worker.start({ name: "fake", command: "sh", args: ["-c", script] });
    const peer = await side();
    try {
      const context = {
        ...benchContext({ train: 60_000, test: 10_000 }),
        ...{ cases: ["limit", "inference"] as const, data: "mnist" },
        ours: { backend: "wasm", device: "CPU" },
      };
      await measureSteadyCases(context, await side(), peer);
      assertEquals(context.done, ["inference", "limit"]);
      const own = context.found.filter((one) => one.case === "inference");
      assertEquals(own.map(({ ours }) => ours.label), Array(3).fill("ours, wasm"));
      assertEquals(own.map((one) => "imagesPerCall" in one), [false, false, false]);
      assertEquals(context.found.filter((one) => one.case === "limit").length, 5);
    } finally {
      await peer.stop();
    }
  },
});
