/**
 * Whether there is graphics hardware for WebGPU, looked for as seldom as can be.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import type { AdapterDescription } from "../backend.ts";
import { graphicsTraces } from "./graphics_traces.ts";
import { type FindingKey, type FindingStore, isSameKey } from "./record.ts";

/** For how long it stands that there is none: a driver may be installed. */
const VALID_MS = 7 * 24 * 3600 * 1000;

/** What {@linkcode findHardware} goes by. */
export interface HardwareSearch {
  /** Where it is kept that there is none. */
  store: FindingStore;
  /** What the system shows of hardware, as `graphics_traces.ts` has it; asks WebGPU if undefined. */
  traces?: string | undefined;
  /** Looks for any adapter, a software one too; undefined if there is none. */
  look?: () => Promise<AdapterDescription | undefined>;
  /** Milliseconds since 1970. */
  now?: number;
}

/**
 * The adapter of graphics hardware; undefined if there is none.
 *
 * WebGPU is asked only where the system shows hardware, or shows nothing either way; and where it then
 * has none, not again for a week, unless the hardware or Deno is another.
 */
export async function findHardware(
  { store, look = lookForAdapter, now = Date.now(), ...rest }: HardwareSearch,
): Promise<AdapterDescription | undefined> {
  const traces = "traces" in rest ? rest.traces : graphicsTraces();
  if (traces === "") return undefined;
  const key = noHardwareKey(traces);
  const findings = await store.read();
  if (standingNoHardware(findings.noHardware, { key, now })) return undefined;
  const adapter = await look();
  if (adapter !== undefined && !adapter.isSoftware) return adapter;
  await store.write({ ...findings, noHardware: { key, at: new Date(now).toISOString() } });
  return undefined;
}

/** Whether it stands that there is no hardware. */
export function standingNoHardware(
  found: { key: FindingKey; at: string } | undefined,
  { key = noHardwareKey(graphicsTraces()), now = Date.now() }: { key?: FindingKey; now?: number } =
    {},
): boolean {
  if (found === undefined || !isSameKey(found.key, key)) return false;
  const age = now - Date.parse(found.at);
  return age >= 0 && age < VALID_MS;
}

function noHardwareKey(traces: string | undefined): FindingKey {
  return { os: Deno.build.os, deno: Deno.version.deno, traces: traces ?? "unknown" };
}

/** Any adapter, hardware before software; undefined if there is none. */
export async function lookForAdapter(): Promise<AdapterDescription | undefined> {
  const { findAdapter } = await import("../webgpu/adapter.ts");
  try {
    return (await findAdapter("software")).description;
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    return undefined;
  }
}
