/**
 * Finds the arrays in a pickle of nested dicts of numpy arrays, as JAX programs save parameters.
 *
 * The three names by which numpy pickles an array are descriptions here, as in
 * {@linkcode torchEnvironment}: nothing is called, and no array's bytes are read before they are asked
 * for. Only little-endian float32 arrays in row-major order are taken.
 *
 * @module
 */

import { ByteCursor } from "./byte_cursor.ts";
import type { FileBytes } from "./file_bytes.ts";
import { type PickleEnvironment, unpickle } from "./pickle.ts";
import {
  kindOf,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  type PickleValue,
} from "./pickle_value.ts";
import { elementCount } from "./state_dict.ts";
import { rowMajorStrides, type StoredTensor } from "./stored_tensor.ts";

/** Most dicts within each other. */
const MAX_DEPTH = 8;

/** Most dimensions an array may have, as in numpy. */
const MAX_RANK = 64;

/** Bytes of the file, which are not read. */
class BytesObject extends PickleObject {
  override readonly kind = "bytes";

  constructor(readonly position: number, readonly length: number) {
    super();
  }

  override setState(): void {}
}

/** `numpy.dtype("f4")`, and the state that gives it a byte order. */
class DtypeObject extends PickleObject {
  override readonly kind = "dtype";
  isLittleEndian = false;

  override setState(state: PickleValue): void {
    this.isLittleEndian = itemsOf(state)[1] === "<";
  }
}

/** An array, empty until it is given its state `(version, shape, dtype, fortran order, bytes)`. */
class ArrayObject extends PickleObject {
  override readonly kind = "array";
  readonly #cursor: ByteCursor;
  #stored: StoredTensor | undefined;

  constructor(cursor: ByteCursor) {
    super();
    this.#cursor = cursor;
  }

  get stored(): StoredTensor {
    const cursor: ByteCursor = this.#cursor;
    if (this.#stored === undefined) cursor.refuse("makes an array that is given no values");
    return this.#stored;
  }

  override setState(state: PickleValue): void {
    const cursor: ByteCursor = this.#cursor;
    const [, sizes = null, dtype, isFortran, bytes] = itemsOf(state);
    const shape = itemsOf(sizes);
    if (!isShape(shape)) cursor.refuse("has an array whose shape is no tuple of lengths");
    if (!(dtype instanceof DtypeObject && dtype.isLittleEndian) || isFortran !== false) {
      cursor.refuse("has an array that is not of little-endian float32 in row-major order");
    }
    if (!(bytes instanceof BytesObject) || bytes.length !== 4 * elementCount(shape)) {
      cursor.refuse(`has an array of shape [${shape}] without as many values`);
    }
    const strides = rowMajorStrides(shape);
    const { position } = bytes;
    this.#stored = { dtype: "float32", shape, strides, position, littleEndian: true };
  }
}

/**
 * Indexes a pickle of nested dicts of arrays.
 *
 * @returns Where each array lies, by the keys that lead to it, joined by `/`.
 * @throws {StudyError} If it holds anything else.
 */
export function indexNumpyPickle(file: FileBytes): Map<string, StoredTensor> {
  const cursor: ByteCursor = new ByteCursor(file, { start: 0, end: file.size, what: "its pickle" });
  const root = unpickle(cursor, numpyEnvironment(cursor));
  if (cursor.position !== file.size) cursor.refuse("ends before the file does");
  const arrays = new Map<string, StoredTensor>();
  const seen = new Set<PickleValue>();
  const collect = (value: PickleValue, path: readonly string[]): void => {
    if (value instanceof ArrayObject) {
      arrays.set(path.join("/"), value.stored);
      return;
    }
    if (!(value instanceof Map) || path.length === MAX_DEPTH) {
      cursor.refuse(`has a ${kindOf(value)} where a dict or an array should be`);
    }
    if (seen.has(value)) cursor.refuse("has a dict in two places");
    seen.add(value);
    for (const [key, item] of value) {
      if (typeof key !== "string") cursor.refuse(`has a ${kindOf(key)} for a name`);
      collect(item, [...path, key]);
    }
  };
  collect(root, []);
  return arrays;
}

function numpyEnvironment(cursor: ByteCursor): PickleEnvironment {
  const dtype = ([name]: readonly PickleValue[]) => {
    if (name !== "f4") cursor.refuse("has an array of another dtype than float32");
    return new DtypeObject();
  };
  const globals = [
    new PickleGlobal("numpy.ndarray"),
    new PickleGlobal("numpy.dtype", dtype),
    ...["numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"].map((name) =>
      new PickleGlobal(name, () => new ArrayObject(cursor))
    ),
  ];
  return {
    globals: new Map(globals.map((global) => [global.name, global])),
    bytes: (position, length) => new BytesObject(position, length),
  };
}

function itemsOf(value: PickleValue): readonly PickleValue[] {
  return value instanceof PickleTuple ? value.items : [];
}

function isShape(items: readonly PickleValue[]): items is readonly number[] {
  return items.length > 0 && items.length <= MAX_RANK &&
    items.every((item) => typeof item === "number" && Number.isSafeInteger(item) && item >= 0);
}
