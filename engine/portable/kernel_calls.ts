/**
 * Kernels made of other kernels: calls them by name and frees what lies between.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";

/** What a kernel gets. */
export interface KernelArguments<Inputs, Attributes, Kernels> {
  inputs: Inputs;
  attrs: Attributes;
  /** What tfjs runs the kernels of the backend on. */
  backend: Kernels;
}

/** What a kernel gives. */
export type KernelResult = tf.TensorInfo | tf.TensorInfo[];

/** Attributes of a kernel, as tfjs names them. */
type Attributes = Readonly<Record<string, unknown>>;

/** What frees a result. */
type Disposer = Pick<tf.KernelBackend, "disposeData">;

/** Calls of kernels whose results are freed together, but for those that are kept. */
export class KernelCalls implements Disposable {
  #name: string;
  #backend: Disposer;
  #results = new Set<tf.TensorInfo>();

  /** @param name The backend's, under which its kernels are registered. */
  constructor(name: string, backend: Disposer) {
    this.#name = name;
    this.#backend = backend;
  }

  /** Runs the kernel of that name, which has one result. */
  run(
    kernelName: string,
    inputs: Readonly<Record<string, tf.TensorInfo>>,
    attrs: Attributes = {},
  ): tf.TensorInfo {
    return this.call(kernelOf(this.#name, kernelName), inputs, attrs);
  }

  /** Runs a kernel that has one result. */
  call(
    { kernelFunc }: tf.KernelConfig,
    inputs: Readonly<Record<string, tf.TensorInfo>>,
    attrs: Attributes = {},
  ): tf.TensorInfo {
    const result = kernelFunc({
      inputs: { ...inputs },
      attrs: { ...attrs } as tf.NamedAttrMap,
      backend: this.#backend,
    }) as tf.TensorInfo;
    return this.track(result);
  }

  /** `x` with its axes in another order. */
  transpose(x: tf.TensorInfo, perm: readonly number[]): tf.TensorInfo {
    return this.run("Transpose", { x }, { perm });
  }

  /** `x` in another shape of as many elements; both share their memory. */
  reshape(x: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
    return this.run("Reshape", { x }, { shape });
  }

  /** Frees a tensor with the results. */
  track(tensor: tf.TensorInfo): tf.TensorInfo {
    this.#results.add(tensor);
    return tensor;
  }

  /** Leaves a result to the caller. */
  keep(result: tf.TensorInfo): tf.TensorInfo {
    this.#results.delete(result);
    return result;
  }

  /** Frees the results that are not kept. */
  [Symbol.dispose](): void {
    for (const { dataId } of this.#results) this.#backend.disposeData(dataId);
  }
}

/** The kernel that a backend has under a name. */
export function kernelOf(backendName: string, kernelName: string): tf.KernelConfig {
  const found = tf.getKernel(kernelName, backendName);
  if (found === undefined) {
    throw new Error(`The ${backendName} backend has no kernel ${kernelName}`);
  }
  return found;
}

/**
 * Registers a kernel, in the place of the package's own where it has one.
 *
 * @param kernelFunc What runs it.
 */
export function registerKernel<Arguments>(
  backendName: string,
  kernelName: string,
  kernelFunc: (args: Arguments) => KernelResult,
): void {
  const own = tf.getKernel(kernelName, backendName);
  if (own !== undefined) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: kernelFunc as unknown as tf.KernelFunc,
    // The package's own may still be called.
    ...(own?.setupFunc !== undefined && { setupFunc: own.setupFunc }),
  });
}
