/**
 * Operations that a backend registers as kernels of its own, under names that tfjs does not have:
 * `BiasAddGrad`, `GatherUint8`, `ApplyAdam` and `AssignSlice`.
 *
 * As kernels they are under the rules that compiled functions impose on all kernels.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { AdamState, BackendOps } from "../backend.ts";
import type { KernelArguments } from "./kernel_calls.ts";

/** What `BiasAddGrad` gets; it returns the sum of `dy` over all axes but the last. */
export type BiasAddGradArguments<Kernels> = KernelArguments<
  { dy: tf.TensorInfo },
  unknown,
  Kernels
>;

/** What `GatherUint8` gets; `bytes` is what the backend's `uint8Tensor()` makes. */
export type GatherUint8Arguments<Kernels> = KernelArguments<
  { bytes: tf.TensorInfo; indices: tf.TensorInfo },
  { dtype: "float32" | "int32" },
  Kernels
>;

/** What `ApplyAdam` gets. It changes `parameter`, `m` and `v` in place, and returns nothing. */
export type ApplyAdamArguments<Kernels> = KernelArguments<
  & Record<
    "parameter" | "m" | "v" | "gradient" | "stepSize" | "epsilon" | "beta1" | "beta2",
    tf.TensorInfo
  >
  & { weightDecay?: tf.TensorInfo },
  unknown,
  Kernels
>;

/** What `AssignSlice` gets. It changes `variable` in place, and returns nothing. */
export type AssignSliceArguments<Kernels> = KernelArguments<
  { variable: tf.TensorInfo; value: tf.TensorInfo },
  { start: number },
  Kernels
>;

/**
 * The operations as calls of the kernels.
 *
 * @param backend What counts who shares a value.
 */
export function kernelOps(
  backend: Pick<tf.KernelBackend, "refCount">,
): Pick<BackendOps, "biasAddGrad" | "gatherUint8" | "applyAdam" | "assignSlice"> {
  const run = (name: string, inputs: Record<string, tf.Tensor>, attrs: tf.NamedAttrMap = {}) =>
    tf.engine().runKernel<tf.Tensor>(name, inputs, attrs);

  /** Before it is changed in place: what shares its value keeps that, and it moves on. */
  const separate = (variable: tf.Variable) => {
    if (backend.refCount(variable.dataId) === 1) return;
    tf.tidy(() => variable.assign(variable.slice(variable.shape.map(() => 0))));
  };

  return {
    biasAddGrad: (dy) => run("BiasAddGrad", { dy }),
    gatherUint8: (bytes, indices, dtype) => run("GatherUint8", { bytes, indices }, { dtype }),
    applyAdam({ parameter, m, v }: AdamState, gradient, scalars) {
      for (const variable of [parameter, m, v]) separate(variable);
      run("ApplyAdam", { parameter, m, v, gradient, ...scalars });
    },
    assignSlice(variable, value, start) {
      separate(variable);
      run("AssignSlice", { variable, value }, { start });
    },
  };
}
