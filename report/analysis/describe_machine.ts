/**
 * The machine that a run was made on, what the run took of it, and whether its times can be set beside
 * another's, from its manifest.
 *
 * @module
 */

import type { ResultRow } from "../record/result_row.ts";
import { isKnownToDiffer, type Json, type Manifest } from "../record/run_folder.ts";

/** What a run took of processor and memory, as far as its manifest says. */
export function resourcesOf(
  manifest: Manifest | null,
): { cpu_seconds?: number; wall_seconds?: number; peak_memory_bytes?: number } {
  const resources = manifest?.measured?.resources;
  if (typeof resources !== "object" || resources === null || Array.isArray(resources)) return {};
  return Object.fromEntries(
    Object.entries(resources).filter(([, value]) => typeof value === "number"),
  );
}

/** What runs have in common that were timed alike, in words. */
export const TIMED_ON = "the same machine, with the same threads and engine";

/**
 * Whether two runs are known to have been made on the same kind of machine by the same engine, and not
 * known to differ in threads, which older manifests lack: so that their times can be compared. Where
 * one manifest alone names the processor's model, the other's may be any of that name.
 */
export function isTimedAlike(a: TimedRun, b: TimedRun): boolean {
  if (a.row.backend !== b.row.backend || a.manifest === null || b.manifest === null) return false;
  const [one, other] = [a.manifest.machine, b.manifest.machine];
  return !isKnownToDiffer(one.threads, other.threads) && isSameProcessor(one, other) &&
    one.device !== undefined && one.device === other.device;
}

/** Whether two machines are known to have the same kind of processor and as many cores. */
export function isSameProcessor(
  one: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): boolean {
  return (one.processor_model ?? null) === (other.processor_model ?? null) &&
    ["processor", "cores"].every((name) => one[name] !== undefined && one[name] === other[name]);
}

/** What says on which machine something was made, if anything does. */
type Described = Pick<Manifest, "machine"> | null;

/** A run whose times are of interest. */
export interface TimedRun {
  row: ResultRow;
  manifest: Manifest | null;
}

/** `AMD EPYC, family 26, model 2, 2 cores, linux, CPU`, as plain text; `""` if nothing is known. */
export function describeMachine(manifest: Manifest | null): string {
  const { processor, os, device } = manifest?.machine ?? {};
  return join(
    words(processor),
    modelOf(manifest),
    describeCores(manifest),
    words(os),
    words(device),
  );
}

/** What the engines are called. */
const ENGINES: ReadonlyMap<string, string> = new Map([
  ["tensorflow", "TensorFlow"],
  ["webgpu", "WebGPU"],
  ["wasm", "WebAssembly"],
]);

/**
 * `TensorFlow 2.21.0 through tfjs 4.22.0`, or `WebGPU through tfjs 4.22.0`: the engine of a run and what
 * it is reached by. The version of a backend of tfjs is named where it is not that of tfjs.
 */
export function describeSoftware(engine: string, versions: Manifest["versions"] = {}): string {
  const name = ENGINES.get(engine) ?? engine;
  const { tfjs } = versions;
  // A row may say anything, the name of what every object has too.
  const version = Object.hasOwn(versions, engine) ? versions[engine] : undefined;
  const own = version === undefined || version === tfjs ? name : `${name} ${version}`;
  return tfjs === undefined ? own : `${own} through tfjs ${tfjs}`;
}

/**
 * How to call the machines of runs that are shown together: `AMD EPYC, 2 cores`, and the device unless
 * it is the processor; where that says the same of different processors, with their models, as far as
 * manifests have them.
 *
 * @param most Characters that there is room for, where there is not for all: the processor's name is
 *   short then, and gives way first.
 */
export function devicesAmong(
  manifests: readonly Described[],
  most = Infinity,
): (manifest: Described) => string {
  return (manifest) => {
    const [name, model] = [words(manifest?.machine.processor), modelOf(manifest)];
    const device = deviceWords(manifest, name);
    const alike = manifests.filter((one) =>
      deviceWords(one, words(one?.machine.processor)) === device
    );
    const isAmbiguous = name !== "" && model !== "" &&
      alike.some((one) => modelOf(one) !== model);
    return deviceWords(manifest, isAmbiguous ? `${name} (${model})` : name, most);
  };
}

/** What more than half of some machines are called; `undefined` if there is no such, or one has no name. */
export function commonDevice(devices: readonly string[]): string | undefined {
  const groups = Map.groupBy(devices, (device) => device);
  const [common] = [...groups].find(([, group]) => group.length > devices.length / 2) ?? [];
  // Where one is not known, a title that names the others' would say that it is theirs.
  return groups.has("") ? undefined : common;
}

function deviceWords(manifest: Described, processor: string, most = Infinity): string {
  const device = words(manifest?.machine.device);
  const rest = join(describeCores(manifest), device === "CPU" ? "" : device);
  return join(most < Infinity ? shorten(processor, most - rest.length - 2) : processor, rest);
}

/** `Intel Xeon` for `Intel(R) Xeon(R) Processor`, cut where that is still too long. */
function shorten(processor: string, most: number): string {
  const plain = processor.replace(/\((R|TM)\)| (Processor|CPU)\b/gi, "");
  if (plain.length <= most) return plain;
  return most < 2 ? "" : `${plain.slice(0, most - 1).trimEnd()}…`;
}

function modelOf(manifest: Described): string {
  return words(manifest?.machine.processor_model);
}

function describeCores(manifest: Described): string {
  const cores = words(manifest?.machine.cores);
  return cores === "" ? "" : `${cores} cores`;
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}

function words(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
