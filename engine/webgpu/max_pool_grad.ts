/**
 * The gradient of max-pooling: where several elements of a window are its maximum, the package's
 * program gives it to the last, TensorFlow and PyTorch to the first.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { registerKernel } from "../portable/kernel_calls.ts";
import type { MaxPoolGradArguments, Shape4D } from "../portable/package_kernels.ts";
import type { WebGpuKernels } from "./kernels.ts";
import { workgroupsOf } from "./ops.ts";
import { BACKEND } from "./package.ts";
import { MAIN, PLACE } from "./programs.ts";

/** A thread per element of the input, which looks at each window that it is in. */
const PROGRAM = `
  struct Settings {
    count: u32, channels: i32, height: i32, width: i32, out_height: i32, out_width: i32,
    stride_height: i32, stride_width: i32, filter_height: i32, filter_width: i32, top: i32, left: i32,
  }
  @group(0) @binding(0) var<storage, read_write> dx: array<f32>;
  @group(0) @binding(1) var<storage, read> dy: array<f32>;
  @group(0) @binding(2) var<storage, read> x: array<f32>;
  @group(0) @binding(3) var<storage, read> y: array<f32>;
  @group(0) @binding(4) var<uniform> settings: Settings;
  ${PLACE}

  // Whether a window has its maximum before a row and column.
  fn is_before(maximum: f32, first: i32, corner: vec2<i32>, row: i32, column: i32) -> bool {
    let end = min(corner.y + settings.filter_width, settings.width);
    for (var r = max(corner.x, 0); r <= row; r++) {
      for (var c = max(corner.y, 0); c < end; c++) {
        if (r == row && c >= column) { break; }
        if (x[first + (r * settings.width + c) * settings.channels] == maximum) { return true; }
      }
    }
    return false;
  }

  ${MAIN} {
    let i = place(id, groups);
    if (i >= settings.count) { return; }
    let channel = i32(i) % settings.channels;
    let column = i32(i) / settings.channels % settings.width;
    let row = i32(i) / settings.channels / settings.width % settings.height;
    let image = i32(i) / settings.channels / settings.width / settings.height;
    let first = image * settings.height * settings.width * settings.channels + channel;
    let down = row + settings.top;
    let right = column + settings.left;
    let filter_size = vec2<i32>(settings.filter_height, settings.filter_width);
    let stride = vec2<i32>(settings.stride_height, settings.stride_width);
    let begin = max((vec2<i32>(down, right) - filter_size + stride) / stride, vec2<i32>(0));
    let end = min(
      vec2<i32>(down, right) / stride + 1, vec2<i32>(settings.out_height, settings.out_width),
    );
    var sum = 0.0;
    for (var r = begin.x; r < end.x; r++) {
      for (var c = begin.y; c < end.y; c++) {
        let out = ((image * settings.out_height + r) * settings.out_width + c) * settings.channels +
          channel;
        if (x[i] != y[out]) { continue; }
        let corner = vec2<i32>(r, c) * stride - vec2<i32>(settings.top, settings.left);
        if (!is_before(y[out], first, corner, row, column)) { sum += dy[out]; }
      }
    }
    dx[i] = sum;
  }
`;

/** Registers it in the place of the package's own. */
export function registerMaxPoolGrad(): void {
  registerKernel(BACKEND, "MaxPoolGrad", maxPoolGrad);
}

function maxPoolGrad(
  { inputs: { dy, input, output }, attrs, backend }: MaxPoolGradArguments<WebGpuKernels>,
): tf.TensorInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const info = tf.backend_util.computePool2DInfo(
    ...[input.shape as Shape4D, filterSize, strides, 1, pad] as const,
    dimRoundingMode,
  );
  const dx = backend.makeTensorInfo(input.shape, "float32");
  const count = tf.util.sizeFromShape(input.shape);
  const { inChannels, inHeight, inWidth, outHeight, outWidth, padInfo: { top, left } } = info;
  const { strideHeight, strideWidth, filterHeight, filterWidth } = info;
  const uniforms = Int32Array.of(
    ...[count, inChannels, inHeight, inWidth, outHeight, outWidth],
    ...[strideHeight, strideWidth, filterHeight, filterWidth, top, left],
  );
  backend.run({
    program: backend.program(PROGRAM),
    written: [dx],
    read: [dy, input, output],
    uniforms: uniforms.buffer,
    workgroups: workgroupsOf(count),
  });
  return dx;
}
