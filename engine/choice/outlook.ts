/**
 * What `--backend auto` would take and why, told from what was found without measuring anything.
 *
 * @module
 */

import { type AdapterDescription, adapterTitle, type BackendName } from "../backend.ts";
import { comparison, timingKey } from "./choose.ts";
import { standingNoHardware } from "./hardware.ts";
import { type FindingKey, type FindingStore, isSameKey } from "./record.ts";

/** What was found of the backends. */
export interface BackendStates {
  /** libtensorflow, where it starts. */
  tensorflow: { version: string; device: string; threads: number } | undefined;
  /** Whether the parts would fetch libtensorflow. */
  isFetchable: boolean;
  /** Whether a libtensorflow was named, which is used or refused. */
  isLibraryNamed: boolean;
  /** The adapter of graphics hardware, where WebGPU works. */
  hardware: AdapterDescription | undefined;
  /** Whether WebAssembly is here, or would be fetched. */
  hasWasm: boolean;
}

/** What would be taken. */
export interface ChoiceOutlook {
  /** `null` if none works, and where a measurement is still to decide. */
  takes: BackendName | null;
  /** A phrase that begins with the backend. */
  detail: string;
}

/** Where findings are, and what they depend on. */
export interface OutlookDoors {
  store: FindingStore;
  /** The file of findings, for who wants another measurement. */
  path: string;
  surroundings: FindingKey;
}

/** What `auto` would take, at the default precision. */
export async function outlookOfAuto(
  { tensorflow, isFetchable, isLibraryNamed, hardware, hasWasm }: BackendStates,
  { store, path, surroundings }: OutlookDoors,
): Promise<ChoiceOutlook> {
  if (isLibraryNamed) {
    return tensorflow === undefined
      ? { takes: null, detail: "nothing, as the libtensorflow that was named does not start" }
      : { takes: "tensorflow", detail: `tensorflow on ${tensorflow.device}, which was named` };
  }
  if (tensorflow?.device === "GPU") {
    return { takes: "tensorflow", detail: "tensorflow on GPU, before all others" };
  }
  const { noHardware, timings } = await store.read();
  const forgets = `remove ${path} to have it found out again`;
  const isHidden = hardware !== undefined && standingNoHardware(noHardware);
  const hidden = isHidden
    ? `; ${adapterTitle(hardware)} was not there on ${noHardware!.at.slice(0, 10)}: ${forgets}`
    : "";
  const usable = isHidden ? undefined : hardware;
  if (tensorflow === undefined) {
    const rest = usable !== undefined ? "webgpu" : hasWasm ? "wasm" : undefined;
    const on = usable === undefined ? "" : ` on ${adapterTitle(usable)}`;
    if (isFetchable) {
      const otherwise = rest === undefined ? "" : `, else ${rest}${on}`;
      return { takes: "tensorflow", detail: `tensorflow once it is fetched${otherwise}${hidden}` };
    }
    return rest === undefined
      ? { takes: null, detail: `nothing, as none starts${hidden}` }
      : { takes: rest, detail: `${rest}${on}, as tensorflow does not start${hidden}` };
  }
  if (usable === undefined) {
    return {
      takes: "tensorflow",
      detail: `tensorflow on CPU${hidden || ", as webgpu has no graphics hardware"}`,
    };
  }
  const key = timingKey(surroundings, { ...tensorflow, precision: "float32" }, usable);
  const known = timings.find((timing) => isSameKey(timing.key, key));
  if (known === undefined) {
    return {
      takes: null,
      detail:
        `tensorflow on CPU or webgpu on ${adapterTitle(usable)}, whichever a measurement of ` +
        "seconds at the first start finds to be faster",
    };
  }
  const isFaster = known.webgpu < known.tensorflow;
  const takes = isFaster ? "webgpu" : "tensorflow";
  const on = isFaster ? adapterTitle(usable) : "CPU";
  return { takes, detail: `${takes} on ${on}, ${comparison(known, usable)}; ${forgets}` };
}
