/**
 * TensorFlow variables: values that live in TensorFlow and are changed in place.
 *
 * @module
 */

import { attribute, type OpAttribute } from "./attributes.ts";
import { DataType } from "./c_enums.ts";
import type { EagerBinding, TensorMetadata } from "./eager_binding.ts";
import { type MatrixBlocks, overlap, type Region, regionsOf } from "./matrix_blocks.ts";
import { cutOut, joinBlocks } from "./matrix_ops.ts";

/** Where a value lives in TensorFlow. */
export interface Resource {
  /** Eager ids of the variables: one, or one for each block of a matrix. */
  readonly ids: readonly number[];
  /** How the matrix is cut, if it is. */
  readonly blocks: MatrixBlocks | undefined;
}

/** Sizes and type of a value. */
interface ValueType {
  shape: readonly number[];
  dtype: number;
}

/**
 * Makes a variable.
 *
 * @param value Eager id of the tensor whose value it takes.
 * @returns Its owner calls {@linkcode destroyResource}.
 */
export function newResource(eager: EagerBinding, type: ValueType, value: number): Resource {
  return { ids: [newVariable(eager, type, value)], blocks: undefined };
}

/**
 * Makes the blocks of a matrix of float32.
 *
 * @param value Eager id of the tensor whose value they take or, if no tensor has been made of them, the
 *   elements row by row, which then are not in TensorFlow twice.
 * @returns Its owner calls {@linkcode destroyResource}.
 */
export function newBlocks(
  eager: EagerBinding,
  blocks: MatrixBlocks,
  value: number | Float32Array,
): Resource {
  const blockOf = typeof value === "number"
    ? (region: Region) => cutOut(eager, value, region).id
    : uploads(eager, blocks, value);
  const ids = regionsOf(blocks).map((region) => {
    const block = blockOf(region);
    const shape = [region.rows.size, region.columns.size];
    const id = newVariable(eager, { shape, dtype: DataType.FLOAT }, block);
    eager.deleteTensor(block);
    return id;
  });
  return { ids, blocks };
}

/** Makes tensors of parts of a matrix. All are copied by way of one array: garbage would pile up. */
function uploads(
  eager: EagerBinding,
  blocks: MatrixBlocks,
  values: Float32Array,
): (region: Region) => number {
  const [, width] = blocks.shape;
  const sizes = regionsOf(blocks).map(({ rows, columns }) => rows.size * columns.size);
  const array = new Float32Array(Math.max(...sizes));
  return ({ rows, columns }) => {
    for (let row = 0; row < rows.size; row++) {
      const start = (rows.start + row) * width + columns.start;
      array.set(values.subarray(start, start + columns.size), row * columns.size);
    }
    const shape = [rows.size, columns.size];
    return eager.createTensor(shape, DataType.FLOAT, array.subarray(0, rows.size * columns.size));
  };
}

function newVariable(eager: EagerBinding, { shape, dtype }: ValueType, value: number): number {
  const [handle] = eager.executeOp("VarHandleOp", newHandle(shape, dtype), [], 1);
  eager.executeOp("AssignVariableOp", [valueType(dtype)], [handle!.id, value], 0);
  return handle!.id;
}

/**
 * A new eager tensor with the value at this moment.
 *
 * @param region What part of a matrix in blocks, all of it if absent; no more than that is copied.
 */
export function readResource(
  eager: EagerBinding,
  { ids, blocks }: Resource,
  dtype: number,
  region?: Region,
): TensorMetadata {
  if (blocks === undefined) return readVariable(eager, ids[0]!, dtype);
  const parts = regionsOf(blocks).flatMap((block, index) => {
    const rows = overlap(block.rows, (region ?? block).rows);
    const columns = overlap(block.columns, (region ?? block).columns);
    if (rows === undefined || columns === undefined) return [];
    const { id } = readVariable(eager, ids[index]!, dtype);
    if (rows.size === block.rows.size && columns.size === block.columns.size) return [id];
    const part = cutOut(eager, id, {
      rows: { start: rows.start - block.rows.start, size: rows.size },
      columns: { start: columns.start - block.columns.start, size: columns.size },
    });
    eager.deleteTensor(id);
    return [part.id];
  });
  const rows = blocks.rows.filter((stretch) => overlap(stretch, region?.rows ?? stretch));
  const joined = joinBlocks(eager, parts, rows.length);
  for (const id of parts) eager.deleteTensor(id);
  return joined;
}

function readVariable(eager: EagerBinding, id: number, dtype: number): TensorMetadata {
  return eager.executeOp("ReadVariableOp", [valueType(dtype)], [id], 1)[0]!;
}

export function destroyResource(eager: EagerBinding, { ids }: Resource): void {
  for (const id of ids) {
    eager.executeOp("DestroyResourceOp", [IGNORE_MISSING], [id], 0);
    eager.deleteTensor(id);
  }
}

/** Of `VarHandleOp`: a variable that no other has the name of. */
export function newHandle(shape: readonly number[], dtype: number): OpAttribute[] {
  return [
    valueType(dtype),
    attribute.shape("shape", shape),
    attribute.string("shared_name", crypto.randomUUID()),
    attribute.string("container", ""),
  ];
}

/** Of `DestroyResourceOp`: a variable that is gone already is no error. */
export const IGNORE_MISSING: OpAttribute = attribute.bool("ignore_lookup_error", true);

/** Of ops on variables: the type of the value. */
export function valueType(dtype: number): OpAttribute {
  return attribute.type("dtype", dtype);
}
