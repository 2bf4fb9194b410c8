/**
 * The operations beyond tfjs' own, composed of its kernels: what a backend that is one of tfjs' own
 * packages starts from. It replaces those that its device does better.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { BackendOps } from "../backend.ts";
import { fillNormal, fillUniform } from "./philox.ts";

/**
 * The operations on a backend that reads back synchronously what the host has given it.
 *
 * @param kernels What tfjs runs its kernels on.
 */
export function composedOps(kernels: Pick<tf.KernelBackend, "readSync">): BackendOps {
  /** Random numbers are drawn on the host, with TensorFlow's generator. */
  const random = (fill: typeof fillUniform) => (shape: readonly number[], key: tf.Tensor) =>
    tf.tidy(() => {
      // A copy comes from a kernel, which a compiled function refuses to run on tensors from outside.
      const { dataId } = tf.clone(key);
      const values = new Float32Array(tf.util.sizeFromShape([...shape]));
      fill(values, kernels.readSync(dataId) as Int32Array);
      return tf.tensor(values, [...shape]);
    });
  return {
    biasAdd: (x, bias) => tf.add(x, bias),
    biasAddGrad: (dy) => dy.sum(dy.shape.slice(0, -1).map((_, axis) => axis)),
    relu: (x) => tf.relu(x),
    reluGrad: (dy, y) => dy.mul(y.step()),
    sparseSoftmaxCrossEntropy(logits, labels) {
      const truth = tf.oneHot(labels as tf.Tensor1D, logits.shape[1]!);
      const loss = tf.logSoftmax(logits).mul(truth).sum(1).neg();
      return [loss, tf.softmax(logits).sub(truth)];
    },
    statelessRandomUniform: random(fillUniform),
    statelessRandomNormal: random(fillNormal),
    uint8Tensor: (values, shape) => tf.tensor(Int32Array.from(values), [...shape], "int32"),
    gatherUint8: (bytes, indices, dtype) => tf.gather(bytes, indices as tf.Tensor1D).cast(dtype),
    warpImages: (images, transforms) =>
      tf.image.transform(
        images as tf.Tensor4D,
        transforms as tf.Tensor2D,
        "bilinear",
        "constant",
        0,
      ),
    applyAdam({ parameter, m, v }, gradient, scalars) {
      const { stepSize, epsilon, beta1, beta2, weightDecay } = scalars;
      tf.tidy(() => {
        const penalised = weightDecay === undefined
          ? gradient
          : gradient.add(parameter.mul(weightDecay));
        m.assign(m.mul(beta1).add(penalised.mul(tf.sub(1, beta1))));
        v.assign(v.mul(beta2).add(penalised.square().mul(tf.sub(1, beta2))));
        parameter.assign(parameter.sub(m.mul(stepSize).div(v.sqrt().add(epsilon))));
      });
    },
    assignSlice(variable, value, start) {
      tf.tidy(() => {
        const axis = variable.rank - 1;
        const end = start + value.shape[axis]!;
        const [before, , after] = variable.split(
          [start, end - start, variable.shape[axis]! - end],
          axis,
        );
        variable.assign(tf.concat([before!, value, after!], axis));
      });
    },
  };
}
