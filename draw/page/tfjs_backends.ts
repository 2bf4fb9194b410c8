/// <reference lib="dom" />
/**
 * What of a browser does the arithmetic: its graphics card, or else its processor.
 *
 * @module
 */

import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";

/** A way to compute, as tfjs calls it. */
export type BrowserBackend = keyof typeof TITLES;

const TITLES = {
  webgpu: "WebGPU",
  webgl: "WebGL",
  wasm: "WebAssembly",
  cpu: "JavaScript",
} as const;

/** Names of drivers that compute graphics on the processor, slower than WebAssembly does. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/**
 * Starts the first that works: WebGPU, WebGL, WebAssembly, plain JavaScript. Graphics that the processor
 * only imitates are passed over.
 *
 * @param wanted The only one that will do, if any.
 * @returns How it is called.
 * @throws {Error} If none works, or there is none of the name that is wanted.
 */
export async function startBackend(wanted: string | null): Promise<string> {
  // Threads would need headers that a plain web server does not send.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  setWasmPaths("./");
  const suits: Record<BrowserBackend, () => Promise<boolean> | boolean> = {
    webgpu: hasGraphicsProcessor,
    webgl: hasGraphicsCard,
    // A page that was opened as a file may not load one.
    wasm: () => location.protocol !== "file:",
    cpu: () => true,
  };
  const names = Object.keys(TITLES) as BrowserBackend[];
  if (wanted !== null && !(names as string[]).includes(wanted)) {
    throw new Error(`"${wanted}" is no backend: it is one of ${names.join(", ")}`);
  }
  for (const name of names) {
    const isSuitable = wanted === null ? await suits[name]() : wanted === name;
    if (isSuitable && await start(name)) return TITLES[name];
  }
  throw new Error(`tfjs does not start here${wanted === null ? "" : ` on ${wanted}`}`);
}

async function start(name: BrowserBackend): Promise<boolean> {
  try {
    return await tf.setBackend(name);
  } catch {
    return false;
  }
}

/** What browsers with WebGPU have, of which TypeScript knows nothing yet. */
interface Gpu {
  requestAdapter(): Promise<
    { info?: { isFallbackAdapter?: boolean; description?: string } } | null
  >;
}

async function hasGraphicsProcessor(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (!adapter) return false;
  return !adapter.info?.isFallbackAdapter && !SOFTWARE.test(adapter.info?.description ?? "");
}

function hasGraphicsCard(): boolean {
  const context = document.createElement("canvas")
    .getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (context === null) return false;
  const names = context.getExtension("WEBGL_debug_renderer_info");
  const renderer = context.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER);
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(String(renderer));
}
