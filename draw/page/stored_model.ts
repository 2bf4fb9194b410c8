/**
 * What lies in the scripts beside a page without a server. Scripts, as a page that is opened as a file
 * may load them and nothing else.
 *
 * @module
 */

import type { io } from "@tensorflow/tfjs-core";

/** The global variable with the page's data. */
export const DATA_GLOBAL = "digitPageData";

/** The global variable with the model. */
export const MODEL_GLOBAL = "digitPageModel";

/** tfjs' kernels for processors. */
export const WASM_FILE = "tfjs-backend-wasm-simd.wasm";

/** A model of tfjs-layers from normalised images, [n, 28, 28, 1], to logits, [n, 10]. */
export interface StoredModel {
  modelTopology: Record<string, unknown>;
  weightSpecs: io.WeightsManifestEntry[];
  /** The values of `weightSpecs` one after the other, gzip, base64. */
  weights: string;
}
