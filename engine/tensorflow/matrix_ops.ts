/**
 * Matrices cut and put together, by ops that run at once or are recorded.
 *
 * @module
 */

import { attribute } from "./attributes.ts";
import { DataType } from "./c_enums.ts";
import type { Binding, TensorMetadata } from "./eager_binding.ts";
import type { Region } from "./matrix_blocks.ts";

const FLOAT = attribute.type("T", DataType.FLOAT);

/**
 * Cuts a part out of a matrix.
 *
 * @param id Of the matrix.
 */
export function cutOut(binding: Binding, id: number, { rows, columns }: Region): TensorMetadata {
  const [begin, size] = [[rows.start, columns.start], [rows.size, columns.size]].map((values) =>
    binding.createTensor([2], DataType.INT32, Int32Array.from(values))
  );
  const attributes = [FLOAT, attribute.type("Index", DataType.INT32)];
  try {
    return binding.executeOp("Slice", attributes, [id, begin!, size!], 1)[0]!;
  } finally {
    binding.deleteTensor(begin!);
    binding.deleteTensor(size!);
  }
}

/**
 * Puts a matrix together.
 *
 * @param ids Of its blocks, in the order of {@linkcode regionsOf}; they stay as they are.
 * @param rows Blocks that lie below each other.
 */
export function joinBlocks(
  binding: Binding,
  ids: readonly number[],
  rows: number,
): TensorMetadata {
  const strips = Array.from({ length: ids.length / rows }, (_, column) => {
    const blocks = ids.slice(column * rows, (column + 1) * rows);
    return concat(binding, blocks, 0).id;
  });
  try {
    return concat(binding, strips, 1);
  } finally {
    for (const id of strips) binding.deleteTensor(id);
  }
}

/** Joins tensors along an axis; the result is a tensor of its own. */
export function concat(binding: Binding, ids: readonly number[], axis: number): TensorMetadata {
  if (ids.length === 1) return binding.executeOp("Identity", [FLOAT], ids, 1)[0]!;
  const along = binding.createTensor([], DataType.INT32, Int32Array.of(axis));
  const attributes = [
    attribute.int("N", ids.length),
    FLOAT,
    attribute.type("Tidx", DataType.INT32),
  ];
  try {
    return binding.executeOp("ConcatV2", attributes, [...ids, along], 1)[0]!;
  } finally {
    binding.deleteTensor(along);
  }
}
