/**
 * A model in plain tfjs, on its own CPU backend without any engine of ours: reads float32 images of
 * 28×28 from standard input and prints their logits as JSON.
 *
 *     deno run tests/inference/plain_tfjs.ts FOLDER
 */

import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";

const folder = Deno.args[0]!;
await tf.setBackend("cpu");
const { modelTopology, weightsManifest } = JSON.parse(
  await Deno.readTextFile(join(folder, "model.json")),
);
const [{ paths, weights }] = weightsManifest;
const parts = await Promise.all(
  paths.map((path: string) => Deno.readFile(join(folder, path))),
);
const model = await tf.loadLayersModel(tf.io.fromMemory({
  modelTopology,
  weightSpecs: weights,
  weightData: await new Blob(parts).arrayBuffer(),
}));
const bytes = await new Response(Deno.stdin.readable).arrayBuffer();
const images = tf.tensor4d(new Float32Array(bytes), [bytes.byteLength / 4 / 784, 28, 28, 1]);
const logits = model.predict(images) as tf.Tensor;
console.log(JSON.stringify(Array.from(await logits.data())));
