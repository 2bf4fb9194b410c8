/**
 * How fast a backend trains: a few steps of a small convolutional network, compiled as the suite's own
 * training is.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type Backend, isRunning, runBackend } from "../backend.ts";
import { compile } from "../compile.ts";
import { biasAdd, relu, sparseSoftmaxCrossEntropy } from "../ops.ts";
import { PACKAGE_VERSION } from "../webgpu/package.ts";
import type { FindingKey } from "./record.ts";

/** Another one makes earlier timings worth nothing. */
const PROBE_VERSION = 1;

/** Seconds that are measured, at least. */
const SECONDS = 1;

/** Where the first step takes longer, that is all there is to know. */
const PATIENCE_SECONDS = 5;

/** Steps after the first that go before the clock. */
const WARM_UP_STEPS = 2;

/** Steps between two reads, which wait for the device: training reads far less often. */
const STEPS = 4;

const BATCH = 64;
const SIZE = 28;
const CLASSES = 10;
const RATE = 1e-3;

/** Weights by the shapes of what they are multiplied with. */
const SHAPES = { conv1: [5, 5, 1, 16], conv2: [5, 5, 16, 32], linear: [7 * 7 * 32, 512] } as const;

/** What a timing depends on besides the two backends. */
export function surroundings(): FindingKey {
  return {
    probe: PROBE_VERSION,
    package: PACKAGE_VERSION,
    deno: Deno.version.deno,
    cores: navigator.hardwareConcurrency,
  };
}

/**
 * Makes a backend the running one and measures it; nothing is left in it.
 *
 * @returns Seconds of a step.
 */
export async function measureStep(backend: Backend, seconds = SECONDS): Promise<number> {
  if (!isRunning(backend)) await runBackend(backend);
  const weights = [...Object.values(SHAPES), [512, CLASSES]].map((shape, i) =>
    tf.tidy(() => tf.variable(waves(shape, i + 1)))
  );
  const biases = [16, 32, 512, CLASSES].map((width) =>
    tf.tidy(() => tf.variable(tf.zeros([width])))
  );
  const variables = [...weights, ...biases];
  const step = compile((images: tf.Tensor4D, labels: tf.Tensor1D): tf.Scalar => {
    const { value, grads } = tf.variableGrads(
      () => lossOf(images, labels, { weights, biases }),
      variables,
    );
    for (const variable of variables) {
      variable.assign(variable.sub(grads[variable.name]!.mul(RATE)));
    }
    return value;
  });
  const images = tf.tidy(() => waves([BATCH, SIZE, SIZE, 1], 0)) as tf.Tensor4D;
  const labels = tf.tensor1d(Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES), "int32");
  try {
    return secondsPerStep(() => step(images, labels), seconds);
  } finally {
    step.dispose();
    tf.dispose([images, labels, ...variables]);
  }
}

/** Numbers between -0.1 and 0.1, the same on all backends. */
function waves(shape: readonly number[], phase: number): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Float32Array.from({ length: size }, (_, i) => Math.sin(i + phase) / 10);
  return tf.tensor(values, [...shape]);
}

function lossOf(
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  { weights, biases }: { weights: tf.Variable[]; biases: tf.Variable[] },
): tf.Scalar {
  let x: tf.Tensor = images;
  for (const i of [0, 1]) {
    const maps = tf.conv2d(x as tf.Tensor4D, weights[i] as tf.Tensor as tf.Tensor4D, 1, "same");
    x = tf.maxPool(relu(biasAdd(maps, biases[i] as tf.Tensor as tf.Tensor1D)), 2, 2, "same");
  }
  x = x.reshape([BATCH, -1]); // [batch, 7 * 7 * 32]
  const linear = (x: tf.Tensor, i: number) =>
    biasAdd(tf.matMul(x as tf.Tensor2D, weights[i]!), biases[i] as tf.Tensor as tf.Tensor1D);
  const logits = linear(relu(linear(x, 2)), 3) as tf.Tensor2D;
  return sparseSoftmaxCrossEntropy(logits, labels).mean();
}

function secondsPerStep(step: () => tf.Scalar, atLeast: number): number {
  const round = (steps: number) =>
    tf.tidy(() => {
      let last!: tf.Scalar;
      for (let i = 0; i < steps; i++) last = step();
      last.dataSync();
    });
  // The first records and compiles.
  const first = performance.now();
  round(1);
  const firstSeconds = (performance.now() - first) / 1000;
  if (firstSeconds > PATIENCE_SECONDS) return firstSeconds;
  round(WARM_UP_STEPS);
  const started = performance.now();
  for (let steps = STEPS;; steps += STEPS) {
    round(STEPS);
    const seconds = (performance.now() - started) / 1000;
    if (seconds >= atLeast) return seconds / steps;
  }
}
