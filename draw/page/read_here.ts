/// <reference lib="dom" />
/**
 * The page without a server: the browser computes the network itself.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs-core";
import { type LayersModel, loadLayersModel } from "@tensorflow/tfjs-layers";
import { MNIST_NORMALIZATION } from "../../study.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { showFailure, startPage } from "./page.ts";
import type { Answer, PageData } from "./protocol.ts";
import { DATA_GLOBAL, MODEL_GLOBAL, type StoredModel } from "./stored_model.ts";
import { startBackend } from "./tfjs_backends.ts";
import { warmUp } from "./warm_up.ts";

/** Images of the network, one at a time. */
const SHAPE: [number, number, number, number] = [1, 28, 28, 1];

async function main(): Promise<void> {
  const globals = globalThis as unknown as Record<string, unknown>;
  const data = globals[DATA_GLOBAL] as PageData;
  const wanted = new URLSearchParams(location.search).get("backend");
  const backend = await startBackend(wanted);
  const model = await loadStored(globals[MODEL_GLOBAL] as StoredModel);
  delete globals[MODEL_GLOBAL];
  const milliseconds = await warmUp((pixels) => read(model, pixels));
  const models = data.models.map((model) => ({ ...model, milliseconds }));
  startPage({ ...data, models }, {
    place: `this browser (${backend})`,
    read: (_, pixels) => read(model, pixels),
    tensors: () => tf.memory().numTensors,
  });
}

async function loadStored(
  { modelTopology, weightSpecs, weights }: StoredModel,
): Promise<LayersModel> {
  const packed = new Blob([fromBase64(weights)]).stream();
  const values = new Response(packed.pipeThrough(new DecompressionStream("gzip")));
  const weightData = await values.arrayBuffer();
  return await loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
}

async function read(model: LayersModel, pixels: Uint8Array): Promise<Answer> {
  const startedAt = performance.now();
  const { mean: [mean], std: [std] } = MNIST_NORMALIZATION;
  const scores = tf.tidy(() => {
    const grey = tf.tensor4d(Float32Array.from(pixels), SHAPE);
    const images = tf.div(tf.sub(tf.div(grey, 255), mean!), std!);
    return tf.softmax(model.predict(images) as tf.Tensor2D);
  });
  try {
    const probabilities = Array.from(await scores.data());
    const milliseconds = performance.now() - startedAt;
    return { probabilities, view: toBase64(pixels), milliseconds };
  } finally {
    scores.dispose();
  }
}

main().catch(showFailure);
