/**
 * Products of matrices as programs: a workgroup computes a tile of the result, and where there are few
 * tiles, several share one, each with a part of the sum.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import type { WebGpuKernels } from "./kernels.ts";
import { sumRows } from "./sum_rows.ts";

/** Threads of a workgroup along each side of its tile. */
const SIDE = 16;

/** Columns of a tile: four for a thread. */
const TILE_COLUMNS = 4 * SIDE;

/** Terms of the sum that are taken at a time. */
const DEPTH = 16;

/** Workgroups that keep any device busy. */
const WORKGROUPS = 512;

/** Terms of a sum that are worth a workgroup of their own. */
const MIN_TERMS = 256;

/** A product `[m, n]` of what two functions of WGSL give: `left(m, k)` and `right(k, n)`, float32. */
export interface Product {
  /** Fields of the struct `settings` behind its own, each with its type. */
  settings: string;
  /** The functions, which read the arrays `a` and `b`. */
  functions: string;
  /** Along which axis the elements of `a`, and of `b`, lie next to each other. */
  leftAlong: "m" | "k";
  rightAlong: "n" | "k";
}

/** What a {@linkcode Product} is run on. */
export interface ProductRun {
  a: tf.TensorInfo;
  b: tf.TensorInfo;
  /** Lengths: rows, columns, and terms of a sum. */
  m: number;
  n: number;
  k: number;
  /** Values of the product's settings: u32 or i32. */
  settings: readonly number[];
  /** The result's: m n elements. */
  shape: number[];
}

/** Runs a product. */
export function runProduct(
  backend: WebGpuKernels,
  product: Product,
  { a, b, m, n, k, settings, shape }: ProductRun,
): tf.TensorInfo {
  const rowsPerThread = m > SIDE ? 4 : 1;
  const tiles = [Math.ceil(n / TILE_COLUMNS), Math.ceil(m / (SIDE * rowsPerThread))] as const;
  const wanted = Math.min(WORKGROUPS / (tiles[0] * tiles[1]), k / MIN_TERMS);
  // A multiple, so that no part but the last is short.
  const termsPerPart = DEPTH * Math.ceil(k / Math.max(1, Math.floor(wanted)) / DEPTH);
  const parts = Math.max(1, Math.ceil(k / termsPerPart));
  const result = backend.makeTensorInfo(parts === 1 ? shape : [parts, m * n], "float32");
  backend.run({
    program: backend.program(programOf(product, rowsPerThread)),
    written: [result],
    read: [a, b],
    uniforms: Int32Array.of(m, n, k, termsPerPart, ...settings).buffer,
    workgroups: [...tiles, parts],
  });
  if (parts === 1) return result;
  const sums = sumRows(backend, result, shape);
  backend.disposeData(result.dataId);
  return sums;
}

function programOf(
  { settings, functions, leftAlong, rightAlong }: Product,
  rowsPerThread: 1 | 4,
): string {
  const tileRows = SIDE * rowsPerThread;
  const threads = SIDE * SIDE;
  const place = (size: number, isDepthFast: boolean) =>
    isDepthFast
      ? `let depth = i % ${DEPTH}u; let at = i / ${DEPTH}u;`
      : `let depth = i / ${size}u; let at = i % ${size}u;`;
  return `
  struct Settings { m: u32, n: u32, k: u32, terms_per_part: u32, ${settings} }
  @group(0) @binding(0) var<storage, read_write> result: array<f32>;
  @group(0) @binding(1) var<storage, read> a: array<f32>;
  @group(0) @binding(2) var<storage, read> b: array<f32>;
  @group(0) @binding(3) var<uniform> settings: Settings;
  var<workgroup> left_tile: array<array<f32, ${tileRows}>, ${DEPTH}>;
  var<workgroup> right_tile: array<array<f32, ${TILE_COLUMNS}>, ${DEPTH}>;
  ${functions}
  @compute @workgroup_size(${SIDE}, ${SIDE}) fn main(
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) group: vec3<u32>,
  ) {
    let first_row = group.y * ${tileRows}u;
    let first_column = group.x * ${TILE_COLUMNS}u;
    let first_term = group.z * settings.terms_per_part;
    let end = min(first_term + settings.terms_per_part, settings.k);
    var sums: array<vec4<f32>, ${rowsPerThread}>;
    for (var start = first_term; start < end; start += ${DEPTH}u) {
      for (var i = thread; i < ${DEPTH * tileRows}u; i += ${threads}u) {
        ${place(tileRows, leftAlong === "k")}
        var value = 0.0;
        if (start + depth < end && first_row + at < settings.m) {
          value = left(first_row + at, start + depth);
        }
        left_tile[depth][at] = value;
      }
      for (var i = thread; i < ${DEPTH * TILE_COLUMNS}u; i += ${threads}u) {
        ${place(TILE_COLUMNS, rightAlong === "k")}
        var value = 0.0;
        if (start + depth < end && first_column + at < settings.n) {
          value = right(start + depth, first_column + at);
        }
        right_tile[depth][at] = value;
      }
      workgroupBarrier();
      for (var depth = 0u; depth < ${DEPTH}u; depth++) {
        let at = 4u * local.x;
        let factors = vec4<f32>(
          right_tile[depth][at],
          right_tile[depth][at + 1u],
          right_tile[depth][at + 2u],
          right_tile[depth][at + 3u],
        );
        for (var i = 0u; i < ${rowsPerThread}u; i++) {
          sums[i] += left_tile[depth][${rowsPerThread}u * local.y + i] * factors;
        }
      }
      workgroupBarrier();
    }
    for (var i = 0u; i < ${rowsPerThread}u; i++) {
      let row = first_row + ${rowsPerThread}u * local.y + i;
      for (var j = 0u; j < 4u; j++) {
        let column = first_column + 4u * local.x + j;
        if (row < settings.m && column < settings.n) {
          result[(group.z * settings.m + row) * settings.n + column] = sums[i][j];
        }
      }
    }
  }
`;
}
