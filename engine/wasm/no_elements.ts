/**
 * Transpositions and means of no images: the package's kernels divide by the number of elements.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type OneInput, registerForNone } from "../portable/no_elements.ts";
import { BACKEND } from "./package.ts";

/** Wraps the kernels that are registered. */
export function registerNoElements(): void {
  registerForNone(
    BACKEND,
    "Transpose",
    ({ x }: OneInput, { perm }: { perm: number[] }) => perm.map((axis) => x.shape[axis]!),
    ({ x }) => x.dtype,
  );
  registerForNone(
    BACKEND,
    "Mean",
    ({ x }: OneInput, { axis, keepDims }: { axis: number | number[]; keepDims: boolean }) => {
      const axes = tf.util.parseAxisParam(axis, x.shape);
      const [kept] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
      return keepDims ? tf.backend_util.expandShapeToKeepDim(kept, axes) : kept;
    },
  );
}
