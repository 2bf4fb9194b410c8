/** When WebGPU is asked for an adapter, and when not. */

import { assertEquals } from "@std/assert";
import { graphicsTraces } from "../../../engine/choice/graphics_traces.ts";
import { findHardware } from "../../../engine/choice/hardware.ts";
import type { AdapterDescription } from "../../../engine/backend.ts";
import { GPU, LAVAPIPE, MemoryStore } from "./fake_backends.ts";

const DAY = 24 * 3600 * 1000;

/** Counts how often WebGPU is asked. */
function search(adapter: AdapterDescription | undefined, traces: string | undefined) {
  const store = new MemoryStore();
  let looks = 0;
  const look = () => Promise.resolve((looks++, adapter));
  return {
    store,
    at: async (now: number, seen = traces) => {
      looks = 0;
      const found = await findHardware({ store, look, now, traces: seen });
      return [found?.name, looks];
    },
  };
}

Deno.test("findHardware() does not ask WebGPU where the system shows no hardware", async () => {
  const { at, store } = search(GPU, "");
  assertEquals([await at(0), store.writes], [[undefined, 0], 0]);
});

Deno.test("findHardware() asks each time where there is hardware: it may be another", async () => {
  const { at, store } = search(GPU, "DRIVER=nvidia");
  assertEquals([await at(0), await at(1), store.writes], [["L4", 1], ["L4", 1], 0]);
});

Deno.test("findHardware() asks once in a week where WebGPU has none, or a software adapter", async () => {
  for (const adapter of [undefined, LAVAPIPE]) {
    for (const traces of [undefined, "DRIVER=virtio"]) {
      const { at, store } = search(adapter, traces);
      const start = 100 * DAY;
      assertEquals(await at(start), [undefined, 1]);
      assertEquals(await at(start + 6 * DAY), [undefined, 0]);
      // Other hardware, a clock set back, and a week later.
      assertEquals(await at(start + 1, "DRIVER=amdgpu"), [undefined, 1]);
      assertEquals(await at(start + 1), [undefined, 1]);
      assertEquals(await at(start - DAY), [undefined, 1]);
      assertEquals(await at(start + 8 * DAY), [undefined, 1]);
      assertEquals(store.writes, 5);
    }
  }
});

Deno.test("graphicsTraces() goes by what Linux shows of drivers, and is silent elsewhere", () => {
  const traces = (files: Record<string, string>) =>
    graphicsTraces({ os: "linux", read: (path) => files[path] });
  const misc = { "/proc/misc": "229 fuse\n232 kvm\n256 vga_arbiter\n" };
  assertEquals(traces(misc), "");
  assertEquals(
    traces({ ...misc, "/sys/class/drm/renderD129/device/uevent": "DRIVER=i915\nPCI_ID=8086:9A49" }),
    "DRIVER=i915 PCI_ID=8086:9A49",
  );
  assertEquals(traces({ ...misc, "/sys/class/drm/renderD128/dev": "226:128\n" }), "226:128");
  assertEquals(traces({ ...misc, "/proc/driver/nvidia/version": "NVRM 550\n" }), "NVRM 550");
  assertEquals(traces({ "/proc/misc": " 59 dxg\n232 kvm\n" }), "dxg");
  assertEquals(traces({ ...misc, "/proc/devices": "Character devices:\n508 mali0" }), "mali0");
  // Nothing can be read, as without the permission.
  assertEquals(traces({}), undefined);
  assertEquals(graphicsTraces({ os: "darwin", read: () => "" }), undefined);
});
