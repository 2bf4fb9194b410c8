/**
 * Where tensors lie in a checkpoint file, and how they are read from there.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { StudyError } from "../../io/errors.ts";
import { FileBytes, type RandomBytes } from "./file_bytes.ts";
import {
  asTypedArray,
  byteWidth,
  type DType,
  elementCount,
  quoted,
  type StateTensor,
} from "./state_dict.ts";

/** Most bytes of the file held while a strided tensor is put in order. */
const WINDOW_BYTES = 1 << 24;

/** A tensor in a checkpoint: the element at index `i` is `Σ i[d]·strides[d]` elements after the first. */
export interface StoredTensor {
  dtype: DType;
  /** Lengths of the dimensions. */
  shape: readonly number[];
  /** Distance in elements between neighbours along each dimension, 0 or more. */
  strides: readonly number[];
  /** Position of the first element's first byte in `source`, or else in the file. */
  position: number;
  /** Order of the bytes within an element. */
  littleEndian: boolean;
  /** What it is read from, where that is not the file itself. */
  source?: RandomBytes;
}

/** How a checkpoint's tensors lie in what it holds; empty for safetensors, which holds nothing else. */
export interface CheckpointStructure {
  /** Keys that lead to the dict of tensors; none if that is the whole. */
  readonly path: readonly string[];
  /** What stands beside them, and of what kind each is. */
  readonly beside: readonly string[];
  /** Names of Python that the file asks for and that were left alone. */
  readonly foreign: readonly string[];
}

/** A checkpoint open for reading one tensor at a time. */
export interface Checkpoint extends Disposable {
  /** How the file is written. */
  readonly format: "torch-zip" | "torch-stream" | "safetensors";
  /** The notes that a safetensors file carries; empty for the others. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What else the file holds. */
  readonly structure: CheckpointStructure;
  /** The tensors' names in the file's order. */
  names(): string[];
  /** A tensor's dtype and shape, without reading it. */
  describe(name: string): { dtype: DType; shape: readonly number[] };
  /**
   * Reads one tensor. Each call gives a copy of its own, also of tensors that share a storage.
   *
   * @throws {StudyError} If there is none of that name, or the file is damaged.
   * @throws {Error} If the checkpoint has been closed.
   */
  read(name: string): Promise<StateTensor>;
  /** Closes the file, as leaving the scope of a `using` does; a second time it does nothing. */
  close(): void;
}

/** What a format's reader finds in a file, before any tensor is read. */
export interface CheckpointIndex {
  /** The tensors by name, in the file's order. */
  tensors: Map<string, StoredTensor>;
  /** The file's own notes; only safetensors has any. */
  metadata: Record<string, string>;
  structure: CheckpointStructure;
}

/** What {@linkcode readCheckpoint} is told of a file. */
export interface FoundCheckpoint extends CheckpointIndex, Pick<Checkpoint, "format"> {
  /** Refuses a damaged file; called once, before the first tensor is read. */
  check?: () => void;
}

/**
 * Opens a checkpoint whose format is known, or found by `index`.
 *
 * @param index Finds the tensors in the file.
 * @throws {StudyError} One line that says what is wrong with the file.
 */
export async function readCheckpoint(
  path: string,
  index: (file: FileBytes) => FoundCheckpoint,
): Promise<Checkpoint> {
  const file = await FileBytes.open(path);
  try {
    const { format, tensors, metadata, structure, check } = index(file);
    let isChecked = false;
    const stored = (name: string) => {
      const found = tensors.get(name);
      if (found === undefined) throw new StudyError(`${path} has no tensor ${quoted(name)}`);
      return found;
    };
    let isClosed = false;
    const close = () => {
      if (!isClosed) file.close();
      isClosed = true;
    };
    return {
      format,
      metadata,
      structure,
      names: () => [...tensors.keys()],
      describe: (name) => ({ dtype: stored(name).dtype, shape: stored(name).shape }),
      // Async, so that an error is a rejection.
      // deno-lint-ignore require-await
      read: async (name) => {
        const tensor = stored(name);
        if (isClosed) throw new Error(`Cannot read ${path}: the checkpoint has been closed`);
        if (!isChecked) check?.();
        isChecked = true;
        return readStoredTensor(file, name, tensor);
      },
      close,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Strides of a row-major tensor of this shape. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d]!;
  }
  return strides;
}

/** Number of elements from a tensor's first in memory to its last, both included; 0 if it has none. */
export function elementSpan(shape: readonly number[], strides: readonly number[]): number {
  if (elementCount(shape) === 0) return 0;
  return shape.reduce((span, length, d) => span + (length - 1) * strides[d]!, 1);
}

/**
 * Reads one tensor, row-major and in this machine's byte order.
 *
 * @throws {StudyError} If the file ends before it, or a bool is neither 0 nor 1.
 */
export function readStoredTensor(file: FileBytes, name: string, stored: StoredTensor): StateTensor {
  const { dtype, shape, strides, position, source = file } = stored;
  const width = byteWidth(dtype);
  const what = `its tensor ${quoted(name)}`;
  const span = elementSpan(shape, strides);
  if (position + span * width > source.size) {
    file.refuse(`${what} ends at byte ${position + span * width} of ${source.size}`);
  }
  const buffer = file.allocate(elementCount(shape) * width, what);
  if (isRowMajor(shape, strides)) source.readInto(new Uint8Array(buffer), position);
  else gather(source, elementBits(buffer, width), stored);
  if (!stored.littleEndian) reverseEach(buffer, width);
  const data = asTypedArray(dtype, buffer);
  if (dtype === "bool" && !data.every((value) => value === 0 || value === 1)) {
    file.refuse(`${what} is bool and has a value that is neither 0 nor 1`);
  }
  return { dtype, shape: [...shape], data };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  if (elementCount(shape) === 0) return true;
  const expected = rowMajorStrides(shape);
  return shape.every((length, d) => length === 1 || strides[d] === expected[d]);
}

/** Elements as plain bits, so that copying changes none (a NaN's payload, for one). */
type ElementBits = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;

function elementBits(buffer: ArrayBuffer, width: number): ElementBits {
  if (width === 8) return new BigUint64Array(buffer);
  if (width === 4) return new Uint32Array(buffer);
  return width === 2 ? new Uint16Array(buffer) : new Uint8Array(buffer);
}

/**
 * Fills `target` with a strided tensor of at least one element, in row-major order.
 *
 * The elements are visited in the file's order, so that a part of the file at a time is enough; only a
 * tensor whose elements overlap is read as a whole.
 */
function gather(
  source: RandomBytes,
  target: ElementBits,
  { shape, strides, position }: StoredTensor,
): void {
  const width = target.BYTES_PER_ELEMENT;
  const steps = rowMajorStrides(shape);
  const dims = shape.map((length, d) => ({ length, stride: strides[d]!, step: steps[d]!, at: 0 }));
  dims.sort((a, b) => b.stride - a.stride);
  const span = elementSpan(shape, strides);
  const blockLength = overlaps(dims) ? span : Math.min(span, WINDOW_BYTES / width);
  const inner = dims.pop()!;
  const buffer = source.allocate(blockLength * width, "a part of a tensor");
  const block = elementBits(buffer, width);
  let blockStart = 0;
  let blockEnd = 0;
  let from = 0;
  let to = 0;
  for (;;) {
    for (let i = 0; i < inner.length; i++) {
      const at = from + i * inner.stride;
      if (at >= blockEnd) {
        blockStart = at;
        blockEnd = Math.min(at + blockLength, span);
        const bytes = new Uint8Array(buffer, 0, (blockEnd - blockStart) * width);
        source.readInto(bytes, position + at * width);
      }
      target[to + i * inner.step] = block[at - blockStart]!;
    }
    let d = dims.length - 1;
    for (; d >= 0; d--) {
      const dim = dims[d]!;
      from += dim.stride;
      to += dim.step;
      if (++dim.at < dim.length) break;
      from -= dim.length * dim.stride;
      to -= dim.length * dim.step;
      dim.at = 0;
    }
    if (d < 0) return;
  }
}

/** Whether going through dimensions, sorted from the widest stride, ever goes back in the file. */
function overlaps(dims: readonly { length: number; stride: number }[]): boolean {
  let reach = 0;
  for (const { length, stride } of dims.toReversed()) {
    if (length > 1 && stride > 0 && stride <= reach) return true;
    reach += (length - 1) * stride;
  }
  return false;
}

/** Reverses the bytes of every element of `width` bytes. */
function reverseEach(buffer: ArrayBuffer, width: number): void {
  const bytes = Buffer.from(buffer);
  if (width === 8) bytes.swap64();
  if (width === 4) bytes.swap32();
  if (width === 2) bytes.swap16();
}
