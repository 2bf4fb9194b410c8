/**
 * How a large matrix lies in TensorFlow: in blocks, each a variable of its own.
 *
 * An op on a matrix of a hundred megabytes waits for memory, and a training step has half a dozen such:
 * products, the L2 term, the update. In blocks that fit into the processor's cache, a block's gradient,
 * its L2 term and its update follow each other, and only the first to touch it waits; there is never
 * more of the gradient than a block. A product with few rows is faster too, as neighbouring rows of a
 * block are not pages of memory apart. On two cores with AVX2 a step of AlexNet's and of VGG16's
 * classifier takes three quarters of the time.
 *
 * @module
 */

import { DataType } from "./c_enums.ts";

/** Some rows or columns that follow each other. */
export interface Stretch {
  start: number;
  size: number;
}

/** A part of a matrix. */
export interface Region {
  rows: Stretch;
  columns: Stretch;
}

/** How a matrix is cut: a block lies where one of the stretches of rows and one of columns meet. */
export interface MatrixBlocks {
  /** Sizes of the whole. */
  shape: readonly [rows: number, columns: number];
  rows: readonly Stretch[];
  columns: readonly Stretch[];
}

/** What a matrix is cut by. */
export interface BlockLimits {
  /** Elements of a matrix from which on it lies in blocks. */
  matrix: number;
  /** Columns of a block for each thread that computes with it; two threads' at least. */
  columns: number;
  /** Elements of a block for each thread. */
  elements: number;
}

/** What computes with a matrix. */
export interface MatrixDevice {
  /** Threads that an operation is spread over. */
  threads: number;
  /** TensorFlow's device, of which the kind counts. */
  device: { type: string };
  blockLimits: BlockLimits;
}

/**
 * Matrices of 67 MB, in blocks of 256 columns and 4 MB with two threads: four times that with moments and
 * gradient. Half and twice as much of a block made no difference that could be told from the machine's.
 */
export const BLOCK_LIMITS: BlockLimits = { matrix: 1 << 24, columns: 128, elements: 1 << 19 };

/**
 * How a variable of compiled functions lies in TensorFlow.
 *
 * @param machine Each of its threads has as much of a block, however many they are.
 * @param dtype The variable's `TF_DataType`.
 * @returns `undefined` for what is no large matrix of float32, and on a GPU: it is one variable.
 */
export function matrixBlocks(
  machine: MatrixDevice,
  shape: readonly number[],
  dtype: number,
): MatrixBlocks | undefined {
  const { threads, blockLimits } = machine;
  if (shape.length !== 2 || dtype !== DataType.FLOAT) return undefined;
  const [rows, columns] = shape as [number, number];
  if (rows * columns < blockLimits.matrix || machine.device.type === "GPU") return undefined;
  const shares = Math.max(threads, 2);
  const width = Math.min(columns, blockLimits.columns * shares);
  return {
    shape: [rows, columns],
    rows: stretches(rows, Math.ceil(rows * width / (blockLimits.elements * shares))),
    columns: stretches(columns, Math.ceil(columns / width)),
  };
}

/** The blocks, those of the first columns first. */
export function regionsOf({ rows, columns }: MatrixBlocks): Region[] {
  return columns.flatMap((columns) => rows.map((rows) => ({ rows, columns })));
}

/** Where in {@linkcode regionsOf} the block of a stretch of rows and one of columns stands. */
export function blockIndex({ rows }: MatrixBlocks, row: number, column: number): number {
  return column * rows.length + row;
}

/** The reverse of {@linkcode blockIndex}: which stretches a block is of. */
export function blockPlace({ rows }: MatrixBlocks, index: number): [row: number, column: number] {
  return [index % rows.length, Math.floor(index / rows.length)];
}

/** What two stretches have in common, if anything. */
export function overlap(one: Stretch, other: Stretch): Stretch | undefined {
  const start = Math.max(one.start, other.start);
  const size = Math.min(one.start + one.size, other.start + other.size) - start;
  return size > 0 ? { start, size } : undefined;
}

/** Cuts a length into parts that differ by one at most. */
function stretches(length: number, parts: number): Stretch[] {
  return Array.from({ length: parts }, (_, part) => {
    const start = Math.floor(part * length / parts);
    return { start, size: Math.floor((part + 1) * length / parts) - start };
  });
}
