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
  return !isKnownToDiffer(one.threads, other.threads) &&
    (one.processor_model ?? null) === (other.processor_model ?? null) &&
    ["processor", "cores", "device"].every((name) =>
      one[name] !== undefined && one[name] === other[name]
    );
}

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

/**
 * How to call the machines of runs that are shown together: `AMD EPYC, 2 cores`, and the device unless
 * it is the processor; where that says the same of different processors, with their models, as far as
 * manifests have them.
 */
export function devicesAmong(
  manifests: readonly (Manifest | null)[],
): (manifest: Manifest | null) => string {
  return (manifest) => {
    const [name, model] = [words(manifest?.machine.processor), modelOf(manifest)];
    const device = deviceWords(manifest, name);
    if (name === "" || model === "") return device;
    const alike = manifests.filter((one) =>
      deviceWords(one, words(one?.machine.processor)) === device
    );
    return alike.some((one) => modelOf(one) !== model)
      ? deviceWords(manifest, `${name} (${model})`)
      : device;
  };
}

function deviceWords(manifest: Manifest | null, processor: string): string {
  const device = words(manifest?.machine.device);
  return join(processor, describeCores(manifest), device === "CPU" ? "" : device);
}

function modelOf(manifest: Manifest | null): string {
  return words(manifest?.machine.processor_model);
}

function describeCores(manifest: Manifest | null): string {
  const cores = words(manifest?.machine.cores);
  return cores === "" ? "" : `${cores} cores`;
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}

function words(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
