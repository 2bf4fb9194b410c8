/**
 * The gradient of max-pooling, in the memory of the module: the package's own kernel is thirty times
 * slower.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
import { floats } from "./heap.ts";
import { registerKernel } from "../portable/kernel_calls.ts";
import type { MaxPoolGradArguments, Shape4D } from "../portable/package_kernels.ts";
import { BACKEND } from "./package.ts";

/** Registers it in the place of the package's own. */
export function registerMaxPoolGrad(): void {
  registerKernel(BACKEND, "MaxPoolGrad", maxPoolGrad);
}

/** Of each window, the first element that is its maximum gets its gradient, as in TensorFlow. */
function maxPoolGrad({ inputs, attrs, backend }: MaxPoolGradArguments<BackendWasm>): tf.TensorInfo {
  const { dy, input, output } = inputs;
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const info = tf.backend_util.computePool2DInfo(
    ...[input.shape as Shape4D, filterSize, strides, 1, pad] as const,
    dimRoundingMode,
  );
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const { strideHeight, strideWidth, filterHeight, filterWidth } = info;
  const result = backend.makeOutput(input.shape, "float32");
  const [dx, x, y, above] = [result, input, output, dy].map((one) => floats(backend, one)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  dx.fill(0);
  let pooled = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let outRow = 0; outRow < outHeight; outRow++) {
      const top = outRow * strideHeight - padInfo.top;
      const firstRow = Math.max(top, 0);
      const lastRow = Math.min(top + filterHeight, inHeight);
      for (let outColumn = 0; outColumn < outWidth; outColumn++) {
        const left = outColumn * strideWidth - padInfo.left;
        const firstColumn = Math.max(left, 0);
        const lastColumn = Math.min(left + filterWidth, inWidth);
        for (let channel = 0; channel < inChannels; channel++, pooled++) {
          const maximum = y[pooled]!;
          search: for (let row = firstRow; row < lastRow; row++) {
            const start = (image * inHeight + row) * inWidth;
            for (let column = firstColumn; column < lastColumn; column++) {
              const place = (start + column) * inChannels + channel;
              if (x[place] !== maximum) continue;
              dx[place]! += above[pooled]!;
              break search;
            }
          }
        }
      }
    }
  }
  return result;
}
