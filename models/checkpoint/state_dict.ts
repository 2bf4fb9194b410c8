/**
 * State dicts: tensors under PyTorch's names as a checkpoint holds them, each a dtype, a shape and the
 * elements in row-major order.
 *
 * Deno's platforms are all little-endian, and so is the data here.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";

/** The array that holds each dtype's elements, in the order in which safetensors sorts dtypes. */
const ARRAYS = {
  int64: BigInt64Array,
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  bfloat16: Uint16Array,
  float16: Uint16Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const satisfies Record<DType, unknown>;

/** Element type of a {@linkcode StateTensor}, by PyTorch's name. */
export type DType =
  | "int64"
  | "float64"
  | "float32"
  | "int32"
  | "bfloat16"
  | "float16"
  | "int16"
  | "int8"
  | "uint8"
  | "bool";

/** The arrays a {@linkcode StateTensor} may hold its elements in. */
export type TypedArray =
  | BigInt64Array
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint16Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** One tensor of a checkpoint. */
export interface StateTensor {
  /** PyTorch's name of the element type. */
  dtype: DType;
  /** Lengths of the dimensions; `[]` is a scalar. */
  shape: number[];
  /**
   * The elements, contiguous and row-major. int64 is a `BigInt64Array`; float16 and bfloat16 are
   * their raw 16 bits in a `Uint16Array` ({@linkcode toFloat32} reads them); bool is a `Uint8Array`
   * of 0 and 1.
   */
  data: TypedArray;
}

/** A model's parameters and buffers under PyTorch's names, in the checkpoint's order. */
export type StateDict = Map<string, StateTensor>;

/** All dtypes, in the order in which safetensors sorts them. */
export const DTYPES = Object.keys(ARRAYS) as readonly DType[];

/** Bytes that one element of `dtype` takes. */
export function byteWidth(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Number of elements of a tensor of this shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  // A zero anywhere wins over lengths whose product would overflow.
  return shape.includes(0) ? 0 : shape.reduce((count, length) => count * length, 1);
}

/** Views a buffer of whole elements as the array in which `dtype` is kept. */
export function asTypedArray(dtype: DType, buffer: ArrayBuffer): TypedArray {
  return new ARRAYS[dtype](buffer);
}

/** True if `data` is the kind of array in which `dtype` is kept. */
export function isTypedArrayOf(dtype: DType, data: TypedArray): boolean {
  return data instanceof ARRAYS[dtype];
}

/**
 * A tensor's elements as 32-bit floats.
 *
 * float32 gives the tensor's own array, not a copy. float64 and 64-bit integers are rounded to the
 * nearest float.
 *
 * @param tensor Tensor of any dtype.
 * @returns Its elements in row-major order.
 */
export function toFloat32(tensor: StateTensor): Float32Array {
  const { dtype, data } = tensor;
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number);
  if (dtype === "float16") {
    return new Float32Array(new Float16Array(data.buffer, data.byteOffset, data.length));
  }
  if (dtype === "bfloat16") {
    // bfloat16 is the upper half of a float32.
    return new Float32Array(Uint32Array.from(data, (bits) => bits << 16).buffer);
  }
  return new Float32Array(data);
}

/**
 * Holds a state dict to the names and shapes that a model has.
 *
 * @param sd State dict to check, of which only names and shapes count.
 * @param expected The model's shapes by name.
 * @param options `what` names the model in the error.
 * @throws {StudyError} One line with the missing, the extra and the misshapen names, the first ten of
 * each.
 */
export function matchStateDict(
  sd: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  expected: ReadonlyMap<string, readonly number[]>,
  options: { what: string },
): void {
  refuseMisfit(findMisfit(sd, expected), options);
}

/** Throws the one-line {@linkcode StudyError} about weights that do not fit. */
export function refuseMisfit(misfit: Misfit, { what }: { what: string }): void {
  const faults = describeMisfit(misfit);
  if (faults === "") return;
  throw new StudyError(`The weights do not fit ${what}: ${faults}; give weights of this model`);
}

/** How a state dict's names and shapes differ from a model's. */
export interface Misfit {
  /** Names that only the model has. */
  missing: string[];
  /** Names that only the state dict has. */
  extra: string[];
  /** Names of both with different shapes, and which. */
  misshapen: { name: string; found: readonly number[]; expected: readonly number[] }[];
}

/** Compares names and shapes; all lists are empty if they fit. */
export function findMisfit(
  sd: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  expected: ReadonlyMap<string, readonly number[]>,
): Misfit {
  const misshapen: Misfit["misshapen"] = [];
  for (const [name, shape] of expected) {
    const found = sd.get(name)?.shape;
    if (found !== undefined && String(found) !== String(shape)) {
      misshapen.push({ name, found, expected: shape });
    }
  }
  return {
    missing: [...expected.keys()].filter((name) => !sd.has(name)),
    extra: [...sd.keys()].filter((name) => !expected.has(name)),
    misshapen,
  };
}

/**
 * A misfit in words; the empty string if there is none.
 *
 * @param most How many names of each kind are given.
 */
export function describeMisfit({ missing, extra, misshapen }: Misfit, most = 10): string {
  const shapes = misshapen.map(({ name, found, expected }) =>
    `${name} [${found}] instead of [${expected}]`
  );
  return [
    listed("missing", missing, most),
    listed("not in the model", extra.map(quoted), most),
    listed("of another shape", shapes, most),
  ].filter((fault) => fault !== "").join("; ");
}

function listed(what: string, names: readonly string[], most: number): string {
  if (names.length === 0) return "";
  const more = names.length > most ? `, … ${names.length - most} more` : "";
  return `${names.length} ${what} (${names.slice(0, most).join(", ")}${more})`;
}

/** Control characters that JSON leaves as they are, line ends, and what turns the direction of text. */
const UNPRINTABLE = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A name from a file as it may be shown: quoted, on one line, not too long. */
export function quoted(name: string): string {
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return JSON.stringify(shown).replace(UNPRINTABLE, "?");
}
