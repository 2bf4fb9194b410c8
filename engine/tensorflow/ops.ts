/**
 * The operations beyond tfjs' own as TensorFlow has them, one kernel each.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { BackendOps } from "../backend.ts";
import { attribute, type OpAttribute } from "./attributes.ts";
import type { TensorFlowBackend } from "./backend.ts";
import { DataType } from "./c_enums.ts";
import { gatherOnDevice } from "./gather_kernel.ts";

const FLOAT = attribute.type("T", DataType.FLOAT);

/** Elements of a parameter, 34 MB, from which on a second tensor of that size is felt. */
const LARGE = 1 << 23;

/** The operations on a backend. */
export function tensorflowOps(backend: TensorFlowBackend): BackendOps {
  const run = (opName: string, attributes: readonly OpAttribute[], inputs: readonly tf.Tensor[]) =>
    backend.run(opName, attributes, inputs)[0]!;

  const statelessRandom = (opName: string, shape: readonly number[], key: tf.Tensor) =>
    tf.tidy(() => {
      const attributes = [
        attribute.type("dtype", DataType.FLOAT),
        attribute.type("T", DataType.INT32),
        attribute.type("Tseed", DataType.INT32),
      ];
      return run(opName, attributes, [tf.tensor1d([...shape], "int32"), key]);
    });

  /** A gradient with the L2 term of its parameter. */
  const penalise = (gradient: tf.Tensor, parameter: tf.Variable, weightDecay: tf.Tensor) =>
    gradient.size < LARGE && backend.blocksOf(parameter) === undefined
      ? gradient.add(parameter.mul(weightDecay))
      : backend.axpy(weightDecay, parameter, gradient);

  return {
    biasAdd: (x, bias) => run("BiasAdd", [FLOAT], [x, bias]),
    biasAddGrad: (dy) => run("BiasAddGrad", [FLOAT], [dy]),
    relu: (x) => run("Relu", [FLOAT], [x]),
    reluGrad: (dy, y) => run("ReluGrad", [FLOAT], [dy, y]),

    sparseSoftmaxCrossEntropy(logits, labels) {
      const opName = "SparseSoftmaxCrossEntropyWithLogits";
      const attributes = [FLOAT, attribute.type("Tlabels", DataType.INT32)];
      const [loss, gradient] = backend.run(opName, attributes, [logits, labels], 2);
      return [loss!, gradient!];
    },

    // Philox, a counter-based generator.
    statelessRandomUniform: (shape, key) => statelessRandom("StatelessRandomUniform", shape, key),
    statelessRandomNormal: (shape, key) => statelessRandom("StatelessRandomNormal", shape, key),

    uint8Tensor: (values, shape) => backend.uint8Tensor(values, [...shape]),

    gatherUint8: (bytes, indices, dtype) =>
      tf.tidy(() => {
        const rows = gatherOnDevice(backend, bytes, indices);
        return run("Cast", [
          attribute.type("SrcT", DataType.UINT8),
          attribute.type("DstT", dtype === "float32" ? DataType.FLOAT : DataType.INT32),
          attribute.bool("Truncate", false),
        ], [rows]);
      }),

    warpImages: (images, transforms) =>
      tf.tidy(() => {
        const size = tf.tensor1d(images.shape.slice(1, 3), "int32");
        return run("ImageProjectiveTransformV3", [
          attribute.type("dtype", DataType.FLOAT),
          attribute.string("interpolation", "BILINEAR"),
          attribute.string("fill_mode", "CONSTANT"),
        ], [images, transforms, size, tf.scalar(0)]);
      }),

    applyAdam({ parameter, m, v }, gradient, scalars) {
      const { stepSize, epsilon, beta1, beta2, weightDecay } = scalars;
      tf.tidy(() => {
        const penalised = weightDecay === undefined
          ? gradient
          : penalise(gradient, parameter, weightDecay);
        // With both powers at 0 the op applies no bias correction of its own.
        const none = tf.scalar(0);
        const attributes = [
          FLOAT,
          attribute.bool("use_locking", false),
          attribute.bool("use_nesterov", false),
        ];
        const inputs = [none, none, stepSize, beta1, beta2, epsilon, penalised];
        backend.update("ResourceApplyAdam", attributes, [parameter, m, v], inputs);
      });
    },

    assignSlice(variable, value, start) {
      const masks = ["begin", "end", "ellipsis", "new_axis", "shrink_axis"];
      const last = variable.rank - 1;
      tf.tidy(() => {
        const begin = tf.tensor1d(
          variable.shape.map((_, axis) => (axis < last ? 0 : start)),
          "int32",
        );
        const end = begin.add(tf.tensor1d(value.shape, "int32"));
        const attributes = [
          FLOAT,
          attribute.type("Index", DataType.INT32),
          ...masks.map((mask) => attribute.int(`${mask}_mask`, 0)),
        ];
        const inputs = [begin, end, tf.onesLike(begin), value];
        backend.update("ResourceStridedSliceAssign", attributes, [variable], inputs);
      });
    },
  };
}
