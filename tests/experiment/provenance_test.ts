import { assert } from "@std/assert";
import { measureResources } from "../../experiment/provenance.ts";

Deno.test("measureResources() tells time at work from time that passed", async () => {
  const busy = measureResources();
  for (const end = performance.now() + 60; performance.now() < end;);
  const { cpu_seconds, wall_seconds, peak_memory_bytes } = busy();
  assert(cpu_seconds > 0.01 && wall_seconds >= 0.06, `${cpu_seconds} s in ${wall_seconds} s`);
  assert(peak_memory_bytes > 1e6);
  const idle = measureResources();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { cpu_seconds: little, wall_seconds: passed } = idle();
  assert(passed >= 0.29 && little < passed / 2, `${little} s in ${passed} s`);
});

Deno.test("measureResources() adds to what was used before", () => {
  const earlier = { cpu_seconds: 100, wall_seconds: 200, peak_memory_bytes: 1e15 };
  const { cpu_seconds, wall_seconds, peak_memory_bytes } = measureResources(earlier)();
  assert(cpu_seconds >= 100 && cpu_seconds < 101 && wall_seconds > 200 && wall_seconds < 201);
  assert(peak_memory_bytes === 1e15);
  assert(measureResources({ ...earlier, peak_memory_bytes: 1 })().peak_memory_bytes > 1e6);
});
