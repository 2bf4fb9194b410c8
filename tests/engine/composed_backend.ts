/**
 * A backend made of tfjs' own kernels alone, on its JavaScript `cpu` backend: the least that a backend
 * can be. It cannot record.
 */

import * as tf from "@tensorflow/tfjs";
import type { Backend, BackendOps } from "../../engine/backend.ts";

/** Every operation, composed. Its random numbers are none: tests load their weights. */
const ops: BackendOps = {
  biasAdd: (x, bias) => tf.add(x, bias),
  biasAddGrad: (dy) => dy.sum(dy.shape.slice(0, -1).map((_, axis) => axis)),
  relu: (x) => tf.relu(x),
  reluGrad: (dy, y) => dy.mul(y.step()),
  sparseSoftmaxCrossEntropy(logits, labels) {
    const truth = tf.oneHot(labels as tf.Tensor1D, logits.shape[1]!);
    const loss = tf.logSoftmax(logits).mul(truth).sum(1).neg();
    return [loss, tf.softmax(logits).sub(truth)];
  },
  statelessRandomUniform: (shape) => tf.zeros([...shape]),
  statelessRandomNormal: (shape) => tf.zeros([...shape]),
  uint8Tensor: (values, shape) => tf.tensor(Int32Array.from(values), [...shape], "int32"),
  gatherUint8: (bytes, indices, dtype) => tf.gather(bytes, indices as tf.Tensor1D).cast(dtype),
  applyAdam({ parameter, m, v }, gradient, { stepSize, epsilon, beta1, beta2 }) {
    tf.tidy(() => {
      m.assign(m.mul(beta1).add(gradient.mul(tf.sub(1, beta1))));
      v.assign(v.mul(beta2).add(gradient.square().mul(tf.sub(1, beta2))));
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

/** Makes the backend; call it once per process. */
export function composedBackend(): Backend {
  // tfjs has registered one of its own under the name.
  tf.removeBackend("cpu");
  const kernels = new tf.MathBackendCPU();
  return {
    name: "cpu",
    device: "CPU",
    version: tf.version_cpu,
    precision: "float32",
    kernels,
    ops,
  };
}
