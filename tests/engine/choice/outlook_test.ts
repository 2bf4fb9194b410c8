/** What doctor says of `auto` without measuring anything. */

import { assertEquals, assertMatch } from "@std/assert";
import { timingKey } from "../../../engine/choice/choose.ts";
import { findHardware } from "../../../engine/choice/hardware.ts";
import { type BackendStates, outlookOfAuto } from "../../../engine/choice/outlook.ts";
import { GPU, LAVAPIPE, MemoryStore } from "./fake_backends.ts";

const CPU = { version: "2.21.0", device: "CPU", threads: 2 };
const STATES: BackendStates = {
  tensorflow: CPU,
  isFetchable: false,
  isLibraryNamed: false,
  hardware: undefined,
  hasWasm: true,
};
const SURROUNDINGS = { cores: 2 };

async function outlook(states: Partial<BackendStates>, store = new MemoryStore()) {
  const doors = { store, path: "/cache/backends.json", surroundings: SURROUNDINGS };
  const { takes, detail } = await outlookOfAuto({ ...STATES, ...states }, doors);
  return [takes, detail];
}

Deno.test("outlookOfAuto() says what is taken and why on machines of every kind", async () => {
  const none = { tensorflow: undefined };
  const on = "webgpu on NVIDIA L4";
  for (
    const [states, takes, detail] of [
      [{}, "tensorflow", "tensorflow on CPU, as webgpu has no graphics hardware"],
      [{ tensorflow: { ...CPU, device: "GPU" } }, "tensorflow", "tensorflow on GPU, before all"],
      [{ hardware: GPU }, null, `tensorflow on CPU or ${on}, whichever a measurement`],
      [none, "wasm", "wasm, as tensorflow does not start"],
      [{ ...none, hardware: GPU }, "webgpu", `${on}, as tensorflow does not start`],
      [{ ...none, isFetchable: true }, "tensorflow", "tensorflow once it is fetched, else wasm"],
      [
        { ...none, isFetchable: true, hardware: GPU },
        "tensorflow",
        `tensorflow once it is fetched, else ${on}`,
      ],
      [{ ...none, hasWasm: false }, null, "nothing, as none starts"],
      [
        { ...none, isLibraryNamed: true, hardware: GPU },
        null,
        "nothing, as the libtensorflow that",
      ],
      [{ isLibraryNamed: true, hardware: GPU }, "tensorflow", "tensorflow on CPU, which was named"],
    ] as const
  ) {
    const [taken, said] = await outlook(states);
    assertEquals([taken, said!.slice(0, detail.length)], [takes, detail]);
  }
});

Deno.test("outlookOfAuto() goes by what was measured, and says how to have it measured again", async () => {
  const store = new MemoryStore();
  const key = timingKey(SURROUNDINGS, { ...CPU, precision: "float32" }, GPU);
  const timing = { key, at: "2026-01-31T10:00:00.000Z", tensorflow: 0.31, webgpu: 0.1 };
  store.findings = { timings: [timing] };
  assertEquals(await outlook({ hardware: GPU }, store), [
    "webgpu",
    "webgpu on NVIDIA L4, 3.1 times as fast as tensorflow on the CPU, measured on 2026-01-31; " +
    "remove /cache/backends.json to have it found out again",
  ]);
  store.findings = { timings: [{ ...timing, tensorflow: 0.05 }] };
  const [takes, detail] = await outlook({ hardware: GPU }, store);
  assertEquals(takes, "tensorflow");
  assertMatch(detail!, /^tensorflow on CPU, 2 times as fast as webgpu on NVIDIA L4, measured on /);
});

Deno.test("outlookOfAuto() tells of hardware that auto does not know of yet", async () => {
  const store = new MemoryStore();
  const { graphicsTraces } = await import("../../../engine/choice/graphics_traces.ts");
  const traces = graphicsTraces();
  if (traces === "") return console.log("skipped: this system shows that it has no hardware");
  await findHardware({ store, traces, look: () => Promise.resolve(LAVAPIPE) });
  const [takes, detail] = await outlook({ hardware: GPU }, store);
  assertEquals(takes, "tensorflow");
  assertMatch(detail!, /^tensorflow on CPU; NVIDIA L4 was not there on .*: remove \/cache\//);
});
