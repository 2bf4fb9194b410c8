/**
 * JavaScript values into `TF_Tensor` and back. Everything is checked here, before memory is touched.
 *
 * @module
 */

import { DataType, dataTypeName } from "./c_enums.ts";
import { notNull, type TensorFlow } from "./tensorflow.ts";

/** Values a tensor can be made of: a typed array, or a list of byte strings for `string`. */
export type HostValues =
  | Float32Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | BigInt64Array
  | readonly number[]
  | readonly boolean[]
  | readonly Uint8Array[];

/** What reading a tensor yields. Complex numbers come interleaved; a resource as its raw bytes. */
export type ReadValues =
  | Float32Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | BigInt64Array
  | Uint8Array[];

/** `sizeof(TF_TString)` on every 64-bit platform. */
const STRING_BYTES = 24;

/** Number of elements of a shape; a dimension that is not a whole number >= 0 is refused. */
function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError(`Cannot make a tensor of shape [${shape}]: ${size} is not a size`);
    }
    count *= size;
  }
  if (!Number.isSafeInteger(count)) {
    throw new RangeError(`Cannot make a tensor of shape [${shape}]: too many elements`);
  }
  return count;
}

/**
 * Copies values into a new `TF_Tensor`.
 *
 * @param shape Sizes, each >= 0; their product is the number of elements.
 * @param dtype A `TF_DataType` of {@linkcode DataType}, resource excepted.
 * @param values Exactly as many elements as the shape has: `Float32Array` for float32, interleaved
 *   pairs for complex64, `Int32Array` for int32, `BigInt64Array` or an `Int32Array` of low and high
 *   words for int64, `Uint8Array` for uint8 and bool, `Uint16Array` for bfloat16, `Uint8Array[]`
 *   for string. Plain arrays of numbers or booleans are taken where their values fit exactly.
 * @returns An owned `TF_Tensor*`; the caller deletes it with {@linkcode deleteHostTensor}.
 * @throws {TypeError} If the values are of another kind than the dtype.
 * @throws {RangeError} If the shape and the number of values disagree.
 */
export function newHostTensor(
  tensorflow: TensorFlow,
  shape: readonly number[],
  dtype: number,
  values: HostValues,
): Deno.PointerObject {
  if (dtype === DataType.STRING) return newStringTensor(tensorflow, shape, values);
  const count = elementCount(shape);
  const bytes = toBytes(dtype, values);
  const width = ELEMENT_BYTES[dtype]!;
  if (bytes.length !== count * width) {
    throw new RangeError(
      `Cannot make a ${dataTypeName(dtype)} tensor of shape [${shape}]: it has ${count} elements ` +
        `of ${width} bytes, but ${values.length} values of ${bytes.length} bytes were given`,
    );
  }
  const tensor = allocate(tensorflow, shape, dtype, bytes.length);
  if (bytes.length > 0) memoryOf(tensorflow, tensor, bytes.length).set(bytes);
  return tensor;
}

/** Bytes per element, for the types that have a fixed one. */
const ELEMENT_BYTES: Record<number, number> = {
  [DataType.FLOAT]: 4,
  [DataType.INT32]: 4,
  [DataType.UINT8]: 1,
  [DataType.COMPLEX64]: 8,
  [DataType.INT64]: 8,
  [DataType.BOOL]: 1,
  [DataType.BFLOAT16]: 2,
};

/** Which typed array carries which dtype. */
function carries(dtype: number, values: ArrayBufferView): boolean {
  switch (dtype) {
    case DataType.FLOAT:
    case DataType.COMPLEX64:
      return values instanceof Float32Array;
    case DataType.INT32:
      return values instanceof Int32Array;
    case DataType.INT64:
      return values instanceof BigInt64Array || values instanceof Int32Array;
    case DataType.UINT8:
    case DataType.BOOL:
      return values instanceof Uint8Array;
    case DataType.BFLOAT16:
      return values instanceof Uint16Array;
    default:
      return false;
  }
}

function toBytes(dtype: number, values: HostValues): Uint8Array {
  const wrong = (found: string) =>
    new TypeError(`Cannot make a ${dataTypeName(dtype)} tensor from ${found}`);
  if (!(dtype in ELEMENT_BYTES)) throw wrong("values: TensorFlow makes those itself");
  const array = ArrayBuffer.isView(values) ? values : typedArray(dtype, values);
  if (array === undefined) throw wrong("values that do not fit it");
  if (!carries(dtype, array)) throw wrong(`a ${array.constructor.name}`);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A plain array as the typed array of `dtype`; undefined if a value would change. */
function typedArray(
  dtype: number,
  values: readonly unknown[],
): Float32Array | Int32Array | Uint8Array | BigInt64Array | undefined {
  if (!values.every((value) => typeof value === "number" || typeof value === "boolean")) {
    return undefined;
  }
  const numbers = values.map(Number);
  const within = (low: number, high: number) =>
    numbers.every((value) => Number.isInteger(value) && value >= low && value <= high);
  switch (dtype) {
    case DataType.FLOAT:
    case DataType.COMPLEX64:
      return Float32Array.from(numbers);
    case DataType.INT32:
      return within(-(2 ** 31), 2 ** 31 - 1) ? Int32Array.from(numbers) : undefined;
    case DataType.INT64:
      return within(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
        ? BigInt64Array.from(numbers, BigInt)
        : undefined;
    case DataType.BOOL:
      return within(0, 1) ? Uint8Array.from(numbers) : undefined;
    case DataType.UINT8:
      return within(0, 255) ? Uint8Array.from(numbers) : undefined;
    default:
      return undefined;
  }
}

function newStringTensor(
  tensorflow: TensorFlow,
  shape: readonly number[],
  values: HostValues,
): Deno.PointerObject {
  const count = elementCount(shape);
  const strings: Uint8Array[] = [];
  for (const value of ArrayBuffer.isView(values) ? [] : values) {
    if (value instanceof Uint8Array) strings.push(value);
  }
  if (ArrayBuffer.isView(values) || strings.length !== values.length) {
    throw new TypeError("Cannot make a string tensor: each value must be a Uint8Array of bytes");
  }
  if (strings.length !== count) {
    throw new RangeError(
      `Cannot make a string tensor of shape [${shape}]: it has ${count} elements, but ` +
        `${strings.length} values were given`,
    );
  }
  const tensor = allocate(tensorflow, shape, DataType.STRING, count * STRING_BYTES);
  const { TF_StringInit, TF_StringCopy } = tensorflow.symbols;
  eachString(tensorflow, tensor, count, (slot, index) => {
    const bytes = Uint8Array.from(strings[index]!);
    TF_StringInit(slot);
    TF_StringCopy(slot, bytes, BigInt(bytes.length));
  });
  return tensor;
}

/** Frees the strings' own memory; the tensor must be the only one that uses its buffer. */
export function freeStrings(tensorflow: TensorFlow, tensor: Deno.PointerObject): void {
  const count = Number(tensorflow.symbols.TF_TensorElementCount(tensor));
  eachString(tensorflow, tensor, count, (slot) => tensorflow.symbols.TF_StringDealloc(slot));
}

export function deleteHostTensor(tensorflow: TensorFlow, tensor: Deno.PointerObject): void {
  tensorflow.symbols.TF_DeleteTensor(tensor);
}

/** Copies the values out of a `TF_Tensor`. */
export function readHostTensor(tensorflow: TensorFlow, tensor: Deno.PointerObject): ReadValues {
  const { symbols } = tensorflow;
  const dtype = symbols.TF_TensorType(tensor);
  if (dtype === DataType.STRING) return readStrings(tensorflow, tensor);
  const byteLength = Number(symbols.TF_TensorByteSize(tensor));
  const buffer = byteLength === 0
    ? new ArrayBuffer(0)
    : memoryOf(tensorflow, tensor, byteLength).slice().buffer;
  switch (dtype) {
    case DataType.FLOAT:
    case DataType.COMPLEX64:
      return new Float32Array(buffer);
    case DataType.INT32:
      return new Int32Array(buffer);
    case DataType.INT64:
      return new BigInt64Array(buffer);
    case DataType.UINT8:
    case DataType.BOOL:
    case DataType.RESOURCE:
      return new Uint8Array(buffer);
    case DataType.BFLOAT16:
      return new Uint16Array(buffer);
    default:
      throw new TypeError(`Cannot read a tensor of ${dataTypeName(dtype)}: cast it first`);
  }
}

function readStrings(tensorflow: TensorFlow, tensor: Deno.PointerObject): Uint8Array[] {
  const { symbols } = tensorflow;
  const strings: Uint8Array[] = [];
  const count = Number(symbols.TF_TensorElementCount(tensor));
  eachString(tensorflow, tensor, count, (slot) => {
    const size = Number(symbols.TF_StringGetSize(slot));
    const bytes = new Uint8Array(size);
    if (size > 0) {
      const data = notNull(symbols.TF_StringGetDataPointer(slot), "TF_StringGetDataPointer");
      new Deno.UnsafePointerView(data).copyInto(bytes);
    }
    strings.push(bytes);
  });
  return strings;
}

function eachString(
  tensorflow: TensorFlow,
  tensor: Deno.PointerObject,
  count: number,
  visit: (slot: Deno.PointerObject, index: number) => void,
): void {
  if (count === 0) return;
  const data = notNull(tensorflow.symbols.TF_TensorData(tensor), "TF_TensorData");
  for (let index = 0; index < count; index++) {
    const slot = Deno.UnsafePointer.offset(data, index * STRING_BYTES);
    visit(notNull(slot, "TF_TensorData"), index);
  }
}

function allocate(
  tensorflow: TensorFlow,
  shape: readonly number[],
  dtype: number,
  byteLength: number,
): Deno.PointerObject {
  const dims = BigInt64Array.from(shape, BigInt);
  const tensor = tensorflow.symbols.TF_AllocateTensor(
    dtype,
    dims,
    shape.length,
    BigInt(byteLength),
  );
  return notNull(tensor, "TF_AllocateTensor");
}

/** The tensor's own memory, valid only until the tensor is deleted. */
function memoryOf(
  tensorflow: TensorFlow,
  tensor: Deno.PointerObject,
  byteLength: number,
): Uint8Array {
  const data = notNull(tensorflow.symbols.TF_TensorData(tensor), "TF_TensorData");
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(data, byteLength));
}
