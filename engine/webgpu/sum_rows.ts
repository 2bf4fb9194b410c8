/**
 * Sums of the columns of a matrix, in parts where it has many rows.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { WebGpuKernels } from "./kernels.ts";

/** Columns that a workgroup takes, and threads that share one. */
const COLUMNS = 32;
const THREADS_PER_COLUMN = 8;

/** Parts that are summed side by side, at most. */
const MAX_PARTS = 128;

/** Rows that are worth a part of their own. */
const MIN_ROWS = 64;

const PROGRAM = `
  struct Settings { rows: u32, columns: u32, rows_per_part: u32 }
  @group(0) @binding(0) var<storage, read_write> sums: array<f32>;
  @group(0) @binding(1) var<storage, read> matrix: array<f32>;
  @group(0) @binding(2) var<uniform> settings: Settings;
  var<workgroup> shares: array<array<f32, ${COLUMNS}>, ${THREADS_PER_COLUMN}>;
  @compute @workgroup_size(${COLUMNS}, ${THREADS_PER_COLUMN}) fn main(
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
  ) {
    let column = group.x * ${COLUMNS}u + local.x;
    let first = group.y * settings.rows_per_part;
    let end = min(first + settings.rows_per_part, settings.rows);
    var sum = 0.0;
    if (column < settings.columns) {
      for (var row = first + local.y; row < end; row += ${THREADS_PER_COLUMN}u) {
        sum += matrix[row * settings.columns + column];
      }
    }
    shares[local.y][local.x] = sum;
    workgroupBarrier();
    if (local.y > 0u || column >= settings.columns) { return; }
    sum = 0.0;
    for (var i = 0u; i < ${THREADS_PER_COLUMN}u; i++) { sum += shares[i][local.x]; }
    sums[group.y * settings.columns + column] = sum;
  }
`;

/**
 * Sums the columns.
 *
 * @param matrix float32, of any shape.
 * @param shape The result's: as many elements as there are columns.
 */
export function sumRows(
  backend: WebGpuKernels,
  matrix: tf.TensorInfo,
  shape: number[],
): tf.TensorInfo {
  const columns = tf.util.sizeFromShape(shape);
  const rows = tf.util.sizeFromShape(matrix.shape) / columns;
  const parts = Math.max(1, Math.min(MAX_PARTS, Math.floor(rows / MIN_ROWS)));
  const sums = backend.makeTensorInfo(parts === 1 ? shape : [parts, columns], "float32");
  backend.run({
    program: backend.program(PROGRAM),
    written: [sums],
    read: [matrix],
    uniforms: Uint32Array.of(rows, columns, Math.ceil(rows / parts)).buffer,
    workgroups: [Math.ceil(columns / COLUMNS), parts],
  });
  if (parts === 1) return sums;
  const total = sumRows(backend, sums, shape);
  backend.disposeData(sums.dataId);
  return total;
}
