import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { measuredFlags } from "../../experiment/sweep_configuration.ts";
import { repositoryRoot } from "../../io/cache.ts";

Deno.test("measuredFlags() has a configuration's backend, device and threads, or the schema's", async () => {
  const schema = await Deno.readTextFile(
    join(repositoryRoot(), "workflow/schemas/config.schema.yaml"),
  );
  const defaults = ["backend", "device", "threads"].map((name) => {
    const [, value] = new RegExp(`^  ${name}:\n(?:    .*\n)*?    default: (\\w+)$`, "m").exec(
      schema,
    )!;
    return [name, value!] as const;
  });
  const cases: [string, Record<string, string>][] = [
    ["models: [simplecnn]\n", {}],
    [
      "out: x\nbackend: webgpu # on any GPU\n'device': \"gpu\"\nthreads:   4\n",
      { backend: "webgpu", device: "gpu", threads: "4" },
    ],
    ["# backend: wasm\nthreads: 1", { threads: "1" }],
    ["# GPU nodes (backend: webgpu, device: gpu)\ndevice: cpu\n", { device: "cpu" }],
    ["out: x # {threads: 8}\nbackend: wasm\n", { backend: "wasm" }],
    ["threads:\ndevice: cpu\n", { device: "cpu" }],
    ['{"models": ["vgg16"], "backend": "wasm"}', { backend: "wasm" }],
    ['{\n  "device": "cpu",\n  "threads": 8\n}', { device: "cpu", threads: "8" }],
  ];
  for (const [text, given] of cases) {
    const expected = defaults.map(([name, value]) => `--${name}=${given[name] ?? value}`);
    assertEquals(measuredFlags(text), expected);
  }
});
