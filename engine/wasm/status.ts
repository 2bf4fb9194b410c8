/**
 * Whether the `wasm` backend is here and starts; nothing is fetched.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import { isInstalled } from "./package.ts";
import { startWasm } from "./start.ts";

/** The backend as it was found. */
export interface WasmStatus {
  /** `missing`: Deno does not have its npm package yet, which a part that takes it fetches. */
  state: "ok" | "missing" | "damaged";
  /** What it is, or what is wrong. */
  detail: string;
  /** The command that fixes it; empty when nothing is to be fixed. */
  remedy: string;
}

/** Starts the backend, if it is there, and stops it again. */
export async function wasmStatus(): Promise<WasmStatus> {
  const remedy = "deno install --lock=deno.full.lock (with a network, once)";
  if (!await isInstalled()) {
    return { state: "missing", detail: "its npm package is not in Deno's cache", remedy };
  }
  try {
    const { kernels, description } = await startWasm({
      device: "auto",
      precision: "float32",
      libtensorflow: undefined,
      threads: undefined,
      verbose: false,
      reporter: silentReporter,
    });
    kernels.dispose();
    return { state: "ok", detail: description, remedy: "" };
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    return { state: "damaged", detail: error.message, remedy };
  }
}
