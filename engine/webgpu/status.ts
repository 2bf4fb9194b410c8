/**
 * Whether the `webgpu` backend is here: its package, and what adapter there is; nothing is fetched.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { type AdapterDescription, adapterTitle } from "../backend.ts";
import { findAdapter, type FoundAdapter, requestDevice } from "./adapter.ts";
import { isInstalled as isPackageInstalled, PACKAGE_VERSION } from "./package.ts";

/** The backend as it was found. */
export interface WebGpuStatus {
  /** `missing`: there is no graphics hardware, or Deno does not have the npm package yet. */
  state: "ok" | "missing" | "damaged";
  /** What it is, or what is wrong. */
  detail: string;
  /** What fixes it; empty when nothing is to be fixed. */
  remedy: string;
  /** The adapter that would be used, a software one too; `null` if there is none. */
  adapter: AdapterDescription | null;
}

/** How the parts are found; tests put others in their place. */
export interface WebGpuParts {
  /** Any adapter, hardware before software. */
  findAdapter?: () => Promise<FoundAdapter>;
  isInstalled?: () => Promise<boolean>;
}

/** Looks for an adapter and has it make a device. */
export async function webGpuStatus(parts: WebGpuParts = {}): Promise<WebGpuStatus> {
  const { isInstalled = isPackageInstalled } = parts;
  const find = parts.findAdapter ?? (() => findAdapter("software"));
  let adapter: AdapterDescription | null = null;
  try {
    const found = await find();
    adapter = found.description;
    const device = await requestDevice(found);
    device.destroy();
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    const state = adapter === null ? "missing" : "damaged";
    return { state, detail: textOf(error), remedy: error.remedy ?? "", adapter };
  }
  const detail = `tfjs-backend-webgpu ${PACKAGE_VERSION} on ${describeAdapter(adapter)}`;
  if (!await isInstalled()) {
    return {
      state: "missing",
      detail: `its npm package is not in Deno's cache; ${describeAdapter(adapter)} is there`,
      remedy: "deno install --lock=deno.full.lock (with a network, once)",
      adapter,
    };
  }
  if (!adapter.isSoftware) return { state: "ok", detail, remedy: "", adapter };
  return {
    state: "missing",
    detail: `no graphics hardware, only what computes on the CPU: ${describeAdapter(adapter)}`,
    remedy: "install the GPU's driver; or, for tests, --backend webgpu --device software",
    adapter,
  };
}

function textOf({ what, reason }: StudyError): string {
  return reason === undefined ? what : `${what} (${reason})`;
}

/** With the limits that decide how large a tensor may be. */
function describeAdapter(adapter: AdapterDescription): string {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const sizes = [maxBufferSize, maxStorageBufferBindingSize]
    .flatMap((bytes) => bytes === undefined ? [] : [`${Math.round(bytes / 2 ** 20)} MiB`]);
  const [buffer = "unknown", binding = "unknown"] = sizes;
  return `${adapterTitle(adapter)}, largest buffer ${buffer}, of which a program sees ${binding}`;
}
