/**
 * The gradient of a two-dimensional convolution by its filter, as a product of matrices: the package's
 * program gives each element of the filter to one thread, which goes over all images alone.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { kernelOf, registerKernel } from "../portable/kernel_calls.ts";
import type { FilterGradientArguments, Shape4D } from "../portable/package_kernels.ts";
import type { WebGpuKernels } from "./kernels.ts";
import { BACKEND } from "./package.ts";
import { sumRows } from "./sum_rows.ts";

/** Rows and columns of the filter's matrix that a workgroup computes, and places it takes at a time. */
const TILE = 32;
const DEPTH = 16;

/** A thread has a square of them. */
const SQUARE = 4;
const SIDE = TILE / SQUARE;

/** Workgroups that are enough for any device. */
const WORKGROUPS = 1024;

/** Places of the output that are worth a workgroup of their own. */
const MIN_PLACES = 512;

/**
 * Row `m` of the matrix is a place and channel of the filter, column `n` a channel of the output; the
 * sum goes over the output's places `k`, of which each part of the result has some.
 */
const PROGRAM = `
  struct Settings {
    rows: u32, columns: u32, places: u32, places_per_part: u32,
    in_height: i32, in_width: i32, in_channels: u32,
    out_height: u32, out_width: u32, filter_width: u32,
    stride_height: u32, stride_width: u32, top: i32, left: i32,
  }
  @group(0) @binding(0) var<storage, read_write> parts: array<f32>;
  @group(0) @binding(1) var<storage, read> x: array<f32>;
  @group(0) @binding(2) var<storage, read> dy: array<f32>;
  @group(0) @binding(3) var<uniform> settings: Settings;
  var<workgroup> a: array<array<f32, ${TILE}>, ${DEPTH}>;
  var<workgroup> b: array<array<f32, ${TILE}>, ${DEPTH}>;

  fn input(m: u32, k: u32) -> f32 {
    let channel = m % settings.in_channels;
    let filter_x = (m / settings.in_channels) % settings.filter_width;
    let filter_y = m / settings.in_channels / settings.filter_width;
    let out_x = k % settings.out_width;
    let out_y = (k / settings.out_width) % settings.out_height;
    let image = k / settings.out_width / settings.out_height;
    let in_x = i32(out_x * settings.stride_width + filter_x) - settings.left;
    let in_y = i32(out_y * settings.stride_height + filter_y) - settings.top;
    if (in_x < 0 || in_x >= settings.in_width || in_y < 0 || in_y >= settings.in_height) {
      return 0.0;
    }
    let row = i32(image) * settings.in_height + in_y;
    return x[u32(row * settings.in_width + in_x) * settings.in_channels + channel];
  }

  @compute @workgroup_size(${SIDE}, ${SIDE}) fn main(
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) group: vec3<u32>,
  ) {
    let first_row = group.y * ${TILE}u;
    let first_column = group.x * ${TILE}u;
    let first_place = group.z * settings.places_per_part;
    let end = min(first_place + settings.places_per_part, settings.places);
    var sums: array<vec4<f32>, ${SQUARE}>;
    for (var start = first_place; start < end; start += ${DEPTH}u) {
      for (var i = thread; i < ${DEPTH * TILE}u; i += ${SIDE * SIDE}u) {
        let depth = i / ${TILE}u;
        let k = start + depth;
        let m = first_row + i % ${TILE}u;
        let n = first_column + i % ${TILE}u;
        var left = 0.0;
        var right = 0.0;
        if (k < end && m < settings.rows) { left = input(m, k); }
        if (k < end && n < settings.columns) { right = dy[k * settings.columns + n]; }
        a[depth][i % ${TILE}u] = left;
        b[depth][i % ${TILE}u] = right;
      }
      workgroupBarrier();
      for (var depth = 0u; depth < ${DEPTH}u; depth++) {
        let at = ${SQUARE}u * local.x;
        let right = vec4<f32>(
          b[depth][at], b[depth][at + 1u], b[depth][at + 2u], b[depth][at + 3u],
        );
        for (var i = 0u; i < ${SQUARE}u; i++) {
          sums[i] += a[depth][${SQUARE}u * local.y + i] * right;
        }
      }
      workgroupBarrier();
    }
    for (var i = 0u; i < ${SQUARE}u; i++) {
      let m = first_row + ${SQUARE}u * local.y + i;
      for (var j = 0u; j < 4u; j++) {
        let n = first_column + ${SQUARE}u * local.x + j;
        if (m < settings.rows && n < settings.columns) {
          parts[(group.z * settings.rows + m) * settings.columns + n] = sums[i][j];
        }
      }
    }
  }
`;

/** Registers it, in the place of the package's own. */
export function registerConv2dFilterGradient(): void {
  const own = kernelOf(BACKEND, "Conv2DBackpropFilter");
  registerKernel(
    BACKEND,
    "Conv2DBackpropFilter",
    (args: FilterGradientArguments<WebGpuKernels>) => {
      // The package's program does what nothing of the study needs.
      if (args.attrs.dataFormat !== "NHWC") {
        return own.kernelFunc(args as never) as tf.TensorInfo;
      }
      return filterGradient(args);
    },
  );
}

function filterGradient(
  { inputs: { x, dy }, attrs, backend }: FilterGradientArguments<WebGpuKernels>,
): tf.TensorInfo {
  const { filterShape, strides, pad, dimRoundingMode } = attrs;
  const info = tf.backend_util.computeConv2DInfo(
    ...[x.shape as Shape4D, filterShape, strides, 1, pad, dimRoundingMode] as const,
  );
  const columns = info.outChannels;
  const rows = info.filterHeight * info.filterWidth * info.inChannels;
  const places = info.batchSize * info.outHeight * info.outWidth;
  const tiles = [Math.ceil(columns / TILE), Math.ceil(rows / TILE)] as const;
  const wanted = Math.min(WORKGROUPS / (tiles[0] * tiles[1]), places / MIN_PLACES);
  // A multiple, so that no part but the last is short.
  const perPart = DEPTH * Math.ceil(places / Math.max(1, Math.floor(wanted)) / DEPTH);
  const partCount = Math.ceil(places / perPart);
  const parts = backend.makeTensorInfo([partCount, rows * columns], "float32");
  const uniforms = new Int32Array(16);
  uniforms.set([rows, columns, places, perPart]);
  uniforms.set([info.inHeight, info.inWidth, info.inChannels], 4);
  uniforms.set([info.outHeight, info.outWidth, info.filterWidth], 7);
  uniforms.set([info.strideHeight, info.strideWidth, info.padInfo.top, info.padInfo.left], 10);
  backend.run({
    program: backend.program(PROGRAM),
    written: [parts],
    read: [x, dy],
    uniforms: uniforms.buffer,
    workgroups: [...tiles, partCount],
  });
  const sums = sumRows(backend, parts, filterShape);
  backend.disposeData(parts.dataId);
  return sums;
}
