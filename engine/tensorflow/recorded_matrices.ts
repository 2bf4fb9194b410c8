/**
 * Matrices in blocks inside a recording: an op that takes one block after the other is recorded on
 * the blocks, any other on the whole, which is put together only then.
 *
 * @module
 */

import { attribute } from "./attributes.ts";
import { DataType } from "./c_enums.ts";
import type { Binding } from "./eager_binding.ts";
import {
  blockIndex,
  blockPlace,
  type MatrixBlocks,
  regionsOf,
  type Stretch,
} from "./matrix_blocks.ts";
import { concat, joinBlocks } from "./matrix_ops.ts";

/** Operations of the graph, which others may have to follow. */
export type Operations = readonly Deno.PointerObject[];

/** A recording, as its matrices see it. */
export interface MatrixGraph extends Binding {
  /** Adds the product of two matrices, the first or second of which may have to be transposed. */
  matMul(
    left: number,
    right: number,
    transposed?: "left" | "right",
    after?: Operations,
  ): number;
}

/** A matrix of which single blocks can be had; ids are the recording's. */
export interface BlockedMatrix {
  blocks: MatrixBlocks;
  /**
   * A block, by its place in {@linkcode regionsOf}.
   *
   * @param after What has to be done before it is computed.
   */
  block(index: number, after?: Operations): number;
  /** The node that has all of it. */
  whole(): number;
}

/** A matrix whose whole is its blocks put together. */
export function blockedMatrix(
  graph: Binding,
  blocks: MatrixBlocks,
  block: BlockedMatrix["block"],
): BlockedMatrix {
  return {
    blocks,
    block,
    whole: () => {
      const ids = regionsOf(blocks).map((_, index) => block(index));
      return joinBlocks(graph, ids, blocks.rows.length).id;
    },
  };
}

/** `left matrix`, or `left matrixᵀ`. */
export function timesMatrix(
  graph: MatrixGraph,
  left: number,
  matrix: BlockedMatrix,
  isTransposed: boolean,
): number {
  const { rows, columns } = matrix.blocks;
  const [inner, outer] = isTransposed ? [columns, rows] : [rows, columns];
  const parts = split(graph, left, inner, 1);
  const strips = outer.map((_, out) => {
    const products = parts.map((part, within) => {
      const [row, column] = isTransposed ? [out, within] : [within, out];
      const block = matrix.block(blockIndex(matrix.blocks, row!, column!));
      return graph.matMul(part, block, isTransposed ? "right" : undefined);
    });
    return sum(graph, products);
  });
  return concat(graph, strips, 1).id;
}

/** `leftᵀ right`, by blocks of the result. */
export function productInBlocks(
  graph: MatrixGraph,
  left: number,
  right: number,
  blocks: MatrixBlocks,
): BlockedMatrix {
  const { rows, columns } = blocks;
  // Made when first asked for. A product of few rows takes less time by a matrix that lies as it is read.
  let parts: { left: number[]; right: number[] } | undefined;
  const cut = () => ({
    left: split(graph, transpose(graph, left), rows, 0),
    right: split(graph, right, columns, 1),
  });
  return {
    ...blockedMatrix(graph, blocks, (index, after) => {
      parts ??= cut();
      const [row, column] = blockPlace(blocks, index);
      return graph.matMul(parts.left[row]!, parts.right[column]!, undefined, after);
    }),
    whole: () => graph.matMul(left, right, "left"),
  };
}

/** Cuts a matrix into stretches of an axis. */
function split(graph: Binding, id: number, stretches: readonly Stretch[], axis: number): number[] {
  const sizes = graph.createTensor(
    [stretches.length],
    DataType.INT32,
    Int32Array.from(stretches, ({ size }) => size),
  );
  const along = graph.createTensor([], DataType.INT32, Int32Array.of(axis));
  const parts = attribute.int("num_split", stretches.length);
  return graph.executeOp("SplitV", [parts], [id, sizes, along], stretches.length).map(({ id }) =>
    id
  );
}

function transpose(graph: Binding, id: number): number {
  const order = graph.createTensor([2], DataType.INT32, Int32Array.of(1, 0));
  return graph.executeOp("Transpose", [], [id, order], 1)[0]!.id;
}

function sum(graph: Binding, ids: readonly number[]): number {
  if (ids.length === 1) return ids[0]!;
  const count = attribute.int("N", ids.length);
  return graph.executeOp("AddN", [count], ids, 1)[0]!.id;
}
