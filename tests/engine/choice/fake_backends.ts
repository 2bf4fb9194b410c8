/** Backends that compute nothing, adapters that are not there and findings in memory. */

import type { AdapterDescription, Backend, BackendName } from "../../../engine/backend.ts";
import type { Choice, ChoiceDoors } from "../../../engine/choice/choose.ts";
import type { Findings } from "../../../engine/choice/record.ts";
import { StudyError } from "../../../io/errors.ts";
import { silentReporter } from "../../../io/reporter.ts";

export const GPU: AdapterDescription = {
  name: "L4",
  vendor: "NVIDIA",
  isSoftware: false,
  limits: { maxBufferSize: 2 ** 30 },
};

export const LAVAPIPE: AdapterDescription = {
  ...GPU,
  name: "llvmpipe (LLVM 15.0.6, 256 bits)",
  vendor: "Mesa",
  isSoftware: true,
};

/** A store in memory that counts how often it is written. */
export class MemoryStore {
  writes = 0;
  findings: Findings = { timings: [] };

  read(): Promise<Findings> {
    return Promise.resolve(this.findings);
  }

  write(findings: Findings): Promise<void> {
    this.writes++;
    this.findings = findings;
    return Promise.resolve();
  }
}

/** What a machine has, and what is done with it. */
export interface FakeMachine {
  /** Device of TensorFlow; an error where it does not start. */
  tensorflow?: "CPU" | "GPU" | Error;
  tensorflowVersion?: string;
  hardware?: AdapterDescription | undefined;
  /** An error where WebGPU does not start in spite of the hardware. */
  webgpu?: Error;
  wasm?: Error;
  /** Seconds of a step; an error where it cannot be measured. */
  seconds?: Partial<Record<BackendName, number | Error>>;
  store?: MemoryStore;
  now?: number;
}

export const NO_LIBRARY = new StudyError("libtensorflow could not be found", {
  remedy: "pip install tensorflow",
});

/** The doors to a machine, and a list of what went through them. */
export function fakeDoors(machine: FakeMachine): ChoiceDoors<Backend> & { log: string[] } {
  const { tensorflow = "CPU", tensorflowVersion = "2.21.0", hardware, seconds = {} } = machine;
  const { store = new MemoryStore(), now = Date.parse("2026-01-31T10:00:00Z") } = machine;
  const log: string[] = [];
  const device = { tensorflow, webgpu: machine.webgpu ?? "L4", wasm: machine.wasm ?? "CPU" };
  return {
    log,
    store,
    now: () => now,
    start: (name) => {
      log.push(`start ${name}`);
      const found = device[name];
      if (found instanceof Error) return Promise.reject(found);
      const version = name === "tensorflow" ? tensorflowVersion : "4.22.0";
      const dispose = () => log.push(`dispose ${name}`);
      return Promise.resolve({
        ...{ name, device: found, version, description: name, precision: "float32", threads: 2 },
        kernels: { dispose },
      } as unknown as Backend);
    },
    measure: ({ name }) => {
      log.push(`measure ${name}`);
      const found = seconds[name as BackendName];
      return typeof found === "number" ? Promise.resolve(found) : Promise.reject(found);
    },
    findHardware: () => {
      log.push("look");
      return Promise.resolve(hardware);
    },
    surroundings: () => Promise.resolve({ deno: "2.9.6", cores: 2 }),
  };
}

/** What is asked for, all of it `auto` but for what is given. */
export function choiceOf(
  options: Partial<Choice["options"]> = {},
  rest: Partial<Omit<Choice, "options">> = {},
): Choice {
  return {
    options: {
      ...{ device: "auto", precision: "float32", libtensorflow: undefined, threads: undefined },
      ...{ verbose: false, reporter: silentReporter },
      ...options,
    },
    isLibraryNamed: false,
    ...rest,
  };
}
