/** Which backend is taken, on machines of every kind: their backends compute nothing. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { adapterTitle } from "../../../engine/backend.ts";
import { chooseBackend } from "../../../engine/choice/choose.ts";
import { InterruptedError, StudyError } from "../../../io/errors.ts";
import { silentReporter } from "../../../io/reporter.ts";
import {
  choiceOf,
  fakeDoors,
  type FakeMachine,
  GPU,
  LAVAPIPE,
  MemoryStore,
  NO_LIBRARY,
} from "./fake_backends.ts";

async function chosen(machine: FakeMachine, choice = choiceOf()) {
  const doors = fakeDoors(machine);
  const { name, reason, backend } = await chooseBackend(choice, doors);
  assertEquals(backend.name, name);
  return { name, reason, log: doors.log };
}

const FAST = { tensorflow: 0.31, webgpu: 0.1 };
const SLOW = { tensorflow: 0.1, webgpu: 0.24 };

Deno.test("tensorflow on a GPU is taken, and nothing else looked at", async () => {
  assertEquals(await chosen({ tensorflow: "GPU", hardware: GPU, seconds: FAST }), {
    name: "tensorflow",
    reason: "the first that works",
    log: ["start tensorflow"],
  });
});

Deno.test("tensorflow on the CPU is taken without a measurement where there is no graphics hardware", async () => {
  assertEquals(await chosen({}), {
    name: "tensorflow",
    reason: "the first that works",
    log: ["start tensorflow", "look"],
  });
});

Deno.test("webgpu is taken where a measurement finds it faster, and the reason says by how much", async () => {
  assertEquals(await chosen({ hardware: GPU, seconds: FAST }), {
    name: "webgpu",
    reason: "3.1 times as fast as tensorflow on the CPU, measured on 2026-01-31",
    log: ["start tensorflow", "look", "measure tensorflow", "start webgpu", "measure webgpu"],
  });
});

Deno.test("tensorflow starts again where it is the faster one", async () => {
  const { name, reason, log } = await chosen({ hardware: GPU, seconds: SLOW });
  assertEquals([name, reason], [
    "tensorflow",
    "2.4 times as fast as webgpu on NVIDIA L4, measured on 2026-01-31",
  ]);
  assertEquals(log.slice(-2), ["measure webgpu", "start tensorflow"]);
});

Deno.test("what was measured is not measured again, until any of what it depends on is another", async () => {
  const store = new MemoryStore();
  await chosen({ store, hardware: GPU, seconds: FAST });
  const later = { store, hardware: GPU, seconds: SLOW, now: Date.parse("2027-01-01T00:00:00Z") };
  const { name, reason, log } = await chosen(later);
  assertEquals([name, reason], [
    "webgpu",
    "3.1 times as fast as tensorflow on the CPU, measured on 2026-01-31",
  ]);
  assertEquals(log, ["start tensorflow", "look", "start webgpu", "dispose tensorflow"]);
  const others: FakeMachine[] = [
    { ...later, tensorflowVersion: "2.22.0" },
    { ...later, hardware: { ...GPU, name: "L40" } },
  ];
  for (const machine of others) {
    const { name, log } = await chosen(machine);
    assertEquals([name, log.filter((entry) => entry.startsWith("measure")).length], [
      "tensorflow",
      2,
    ]);
  }
  // Of several findings each machine has its own.
  assertEquals((await chosen(later)).name, "webgpu");
  const slow = await chosen({ ...later, tensorflowVersion: "2.22.0" });
  assertEquals([slow.name, slow.log], ["tensorflow", ["start tensorflow", "look"]]);
  assertEquals(store.writes, 3);
});

Deno.test("tensorflow is taken where webgpu does not start or fails while it is measured", async () => {
  const lost = new StudyError("The device is lost", { remedy: "update the driver" });
  for (
    const machine of [
      { webgpu: lost, seconds: FAST },
      { seconds: { tensorflow: 0.3, webgpu: lost } },
      { seconds: { tensorflow: 0.3, webgpu: new RangeError("The device is lost") } },
    ]
  ) {
    const store = new MemoryStore();
    const { name, reason } = await chosen({ ...machine, store, hardware: GPU });
    assertEquals([name, reason, store.writes], [
      "tensorflow",
      "webgpu does not work on NVIDIA L4: The device is lost",
      0,
    ]);
  }
  const stopped = { hardware: GPU, seconds: { tensorflow: new InterruptedError("stop") } };
  await assertRejects(() => chosen(stopped), InterruptedError);
});

Deno.test("without tensorflow webgpu is taken on hardware, and wasm last", async () => {
  const bare = { tensorflow: NO_LIBRARY };
  const because = "tensorflow does not start: libtensorflow could not be found";
  const doctor = "deno task doctor says what to do";
  assertEquals(await chosen({ ...bare, hardware: GPU }), {
    name: "webgpu",
    reason: `${because}; ${doctor}`,
    log: ["start tensorflow", "look", "start webgpu"],
  });
  assertEquals(await chosen(bare), {
    name: "wasm",
    reason: `${because}; ${doctor}`,
    log: ["start tensorflow", "look", "start wasm"],
  });
  const refused = new StudyError("NVIDIA L4 cannot be used with WebGPU");
  assertEquals(
    (await chosen({ ...bare, hardware: GPU, webgpu: refused })).reason,
    `${because}; ` +
      `webgpu does not start: ${refused.what}; ${doctor}`,
  );
  const nothing = { ...bare, wasm: new StudyError("no package", { remedy: "deno install" }) };
  const error = await assertRejects(() => chosen(nothing), StudyError);
  assertStringIncludes(
    error.message,
    "No backend works here: libtensorflow could not be found",
  );
});

Deno.test("flags narrow what is tried", async () => {
  const machine = { hardware: GPU, seconds: FAST };
  const logOf = async (choice: ReturnType<typeof choiceOf>, more: FakeMachine = {}) =>
    (await chosen({ ...machine, ...more }, choice)).log;
  assertEquals(await logOf(choiceOf({ device: "cpu" })), ["start tensorflow"]);
  assertEquals(await logOf(choiceOf({ device: "cpu" }), { tensorflow: NO_LIBRARY }), [
    "start tensorflow",
    "start wasm",
  ]);
  assertEquals(await logOf(choiceOf({ precision: "bfloat16" })), ["start tensorflow"]);
  assertEquals(await logOf(choiceOf({}, { isLibraryNamed: true })), ["start tensorflow"]);
  assertEquals(await logOf(choiceOf({ device: "software" })), ["start webgpu"]);
  assertEquals(await logOf(choiceOf({ device: "gpu" }), { tensorflow: NO_LIBRARY }), [
    "start tensorflow",
    "start webgpu",
  ]);
  for (
    const [choice, expected] of [
      [choiceOf({ precision: "bfloat16" }), NO_LIBRARY.message],
      [choiceOf({}, { isLibraryNamed: true }), NO_LIBRARY.message],
      [choiceOf({ device: "gpu" }), "Use --device cpu"],
    ] as const
  ) {
    const none = { tensorflow: NO_LIBRARY, webgpu: new StudyError("No graphics adapter is there") };
    const error = await assertRejects(() => chosen(none, choice), StudyError);
    assertStringIncludes(error.message, expected);
  }
});

Deno.test("a quiet run is warned where an error keeps tensorflow from it, others by their line on the engine", async () => {
  const warnings: string[] = [];
  const warned = async (machine: FakeMachine, quiet: boolean, rest = {}) => {
    warnings.length = 0;
    const reporter = { ...silentReporter, quiet, warn: (text: string) => void warnings.push(text) };
    await chosen(machine, choiceOf({ reporter }, rest));
    return [...warnings];
  };
  const bare = { tensorflow: NO_LIBRARY };
  const why =
    "tensorflow does not start: libtensorflow could not be found; deno task doctor says " +
    "what to do";
  assertEquals(await warned(bare, true), [`Computing on wasm: ${why}`]);
  assertEquals(await warned({ ...bare, hardware: GPU }, true), [`Computing on webgpu: ${why}`]);
  assertEquals(await warned(bare, false), []);
  assertEquals(await warned({}, true), []);
  const prefer = { backend: "wasm", reason: "the run's own" } as const;
  assertEquals(await warned(bare, true, { prefer }), []);
});

Deno.test("what is preferred is taken without a measurement and, if it does not start, said", async () => {
  const prefer = { backend: "wasm", reason: "as run 7 has it" } as const;
  const machine = { hardware: GPU, seconds: FAST };
  assertEquals(await chosen(machine, choiceOf({}, { prefer })), {
    name: "wasm",
    reason: "as run 7 has it",
    log: ["start wasm"],
  });
  const missing = { ...machine, wasm: new StudyError("no package") };
  const { name, reason } = await chosen(missing, choiceOf({}, { prefer }));
  assertEquals([name, reason], [
    "webgpu",
    "wasm does not start: no package; deno task doctor says what to do; 3.1 times as fast as " +
    "tensorflow on the CPU, measured on 2026-01-31",
  ]);
  // It is not started twice, and does not overrule what was asked for.
  const again = { tensorflow: NO_LIBRARY };
  const tensorflow = { backend: "tensorflow", reason: "as run 7 has it" } as const;
  assertEquals((await chosen(again, choiceOf({}, { prefer: tensorflow }))).log, [
    "start tensorflow",
    "look",
    "start wasm",
  ]);
  // Drivers are loaded after libtensorflow: the other way round it ends the process.
  const webgpu = { backend: "webgpu", reason: "as run 8 has it" } as const;
  assertEquals((await chosen(machine, choiceOf({}, { prefer: webgpu }))).log, [
    "start tensorflow",
    "look",
    "start webgpu",
    "dispose tensorflow",
  ]);
  assertEquals((await chosen({}, choiceOf({}, { prefer: webgpu }))).log, [
    "start tensorflow",
    "look",
    "look",
  ]);
  const named = choiceOf({}, { prefer, isLibraryNamed: true });
  assertEquals((await chosen(machine, named)).log, ["start tensorflow"]);
});

Deno.test("adapterTitle() names the vendor once", () => {
  assertEquals(adapterTitle(GPU), "NVIDIA L4");
  assertEquals(adapterTitle({ name: "NVIDIA H100 PCIe", vendor: "NVIDIA" }), "NVIDIA H100 PCIe");
  assertEquals(adapterTitle(LAVAPIPE), "Mesa llvmpipe (LLVM 15.0.6, 256 bits)");
});
