import { assertEquals } from "@std/assert";
import {
  commonDevice,
  describeMachine,
  describeSoftware,
  devicesAmong,
} from "../../../report/analysis/describe_machine.ts";
import type { Manifest } from "../../../report/record/run_folder.ts";

function on(machine: Manifest["machine"]): Manifest {
  const run = { run_id: "one", started_at: "2026-01-01T00:00:00.000Z", part: 1, model: "m" };
  return { ...run, settings: {}, versions: {}, machine, git: null };
}

const describeDevices = (manifests: readonly (Manifest | null)[]) =>
  manifests.map(devicesAmong(manifests));
const describeDevice = (manifest: Manifest | null) => describeDevices([manifest])[0];

Deno.test("describeMachine() tells processors of one name apart, devicesAmong() is short", () => {
  const machine = { processor: "AMD EPYC", cores: 2, os: "linux", device: "CPU" };
  const newer = on({ ...machine, processor_model: "family 26, model 2" });
  assertEquals(describeMachine(newer), "AMD EPYC, family 26, model 2, 2 cores, linux, CPU");
  assertEquals(describeDevice(newer), "AMD EPYC, 2 cores");
  // Older manifests have no model.
  assertEquals(describeMachine(on(machine)), "AMD EPYC, 2 cores, linux, CPU");
  assertEquals(describeDevice(on({ ...machine, device: "H100" })), "AMD EPYC, 2 cores, H100");
  assertEquals([describeMachine(null), describeDevice(on({}))], ["", ""]);
});

Deno.test("devicesAmong() says the models of processors that have one name", () => {
  const machine = { processor: "AMD EPYC", cores: 2, device: "CPU" };
  const newer = on({ ...machine, processor_model: "family 26, model 2" });
  const older = on(machine);
  const other = on({ ...machine, processor: "Xeon", processor_model: "family 6, model 143" });
  assertEquals(describeDevices([newer, null, newer]), [
    "AMD EPYC, 2 cores",
    "",
    "AMD EPYC, 2 cores",
  ]);
  assertEquals(describeDevices([older, newer, other]), [
    "AMD EPYC, 2 cores",
    "AMD EPYC (family 26, model 2), 2 cores",
    "Xeon, 2 cores",
  ]);
  // Of another device than the processor its model decides nothing, but is no secret either.
  const [first, second] = [newer, older].map(({ machine }) => on({ ...machine, device: "H100" }));
  assertEquals(describeDevices([first!, second!]), [
    "AMD EPYC (family 26, model 2), 2 cores, H100",
    "AMD EPYC, 2 cores, H100",
  ]);
  // A manifest that lacks the name has no place for the model.
  const nameless = on({ cores: 2, processor_model: "family 26, model 2" });
  assertEquals(describeDevices([nameless, on({ cores: 2 })]), ["2 cores", "2 cores"]);
});

Deno.test("describeSoftware() names each engine by its own name, and versions as far as they are known", () => {
  for (
    const [engine, versions, words] of [
      [
        "tensorflow",
        { tfjs: "4.22.0", tensorflow: "2.21.0" },
        "TensorFlow 2.21.0 through tfjs 4.22.0",
      ],
      ["tensorflow", {}, "TensorFlow"],
      ["webgpu", { tfjs: "4.22.0", webgpu: "4.22.0" }, "WebGPU through tfjs 4.22.0"],
      ["wasm", { tfjs: "4.22.0", wasm: "4.22.1" }, "WebAssembly 4.22.1 through tfjs 4.22.0"],
      ["constructor", {}, "constructor"],
    ] as const
  ) assertEquals(describeSoftware(engine, versions), words);
});

Deno.test("commonDevice() is that of more than half, and none where one is not known", () => {
  assertEquals(commonDevice(["a", "b", "a"]), "a");
  assertEquals(commonDevice(["a", "b"]), undefined);
  assertEquals(commonDevice(["a", "", "a"]), undefined);
  assertEquals(commonDevice([]), undefined);
});

Deno.test("devicesAmong() with little room keeps cores and device", () => {
  const xeon = on({ processor: "Intel(R) Xeon(R) CPU E5-2680", cores: 16, device: "A card" });
  assertEquals(devicesAmong([xeon], 48)(xeon), "Intel Xeon E5-2680, 16 cores, A card");
  assertEquals(devicesAmong([xeon], 25)(xeon), "Intel…, 16 cores, A card");
  assertEquals(devicesAmong([xeon], 10)(xeon), "16 cores, A card");
});
