/**
 * What a state dict's pickle names in PyTorch, as descriptions: storages, and tensors that view them.
 *
 * Nothing is read here but the pickle; which bytes a storage has is for the two file forms to say.
 *
 * @module
 */

import type { ByteCursor } from "./byte_cursor.ts";
import { type PickleEnvironment, SAVE_AGAIN, SAVE_AS_FLOAT32, SAVE_DEQUANTISED } from "./pickle.ts";
import {
  InertObject,
  kindOf,
  type PickleDict,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  type PickleValue,
} from "./pickle_value.ts";
import { byteWidth, type DType, elementCount, quoted } from "./state_dict.ts";
import { elementSpan } from "./stored_tensor.ts";

/** Most dimensions a tensor may have, as in PyTorch. */
const MAX_RANK = 64;

/** PyTorch's name for each dtype in `FloatStorage`, `FloatTensor` and so on. */
const TYPE_NAMES: Readonly<Record<string, DType>> = {
  Double: "float64",
  Float: "float32",
  Half: "float16",
  BFloat16: "bfloat16",
  Long: "int64",
  Int: "int32",
  Short: "int16",
  Char: "int8",
  Byte: "uint8",
  Bool: "bool",
};

/** dtype of each storage type's name. */
const STORAGE_DTYPES: ReadonlyMap<string, DType> = new Map([
  ...Object.entries(TYPE_NAMES).flatMap(([type, dtype]): [string, DType][] => [
    [`torch.${type}Storage`, dtype],
    [`torch.cuda.${type}Storage`, dtype],
  ]),
  ["torch.storage.UntypedStorage", "uint8"],
]);

/** One block of elements in the file. */
export interface StorageInfo {
  dtype: DType;
  numel: number;
}

/** A tensor's view of a storage. */
export interface TensorView extends StorageInfo {
  /** Key of the storage. */
  key: string;
  /** First element in the storage. */
  offset: number;
  /** Lengths of the dimensions. */
  shape: readonly number[];
  /** Distance in elements between neighbours along each dimension. */
  strides: readonly number[];
}

/** A storage, or a part of one, as the pickle refers to it. */
class StorageObject extends PickleObject {
  override readonly kind = "storage";

  constructor(readonly info: StorageInfo & { key: string; offset: number }) {
    super();
  }

  override setState(): void {}
}

/** A tensor of the pickle; the oldest files make it first and say later what it holds. */
export class TensorObject extends PickleObject {
  override readonly kind = "tensor";
  readonly #cursor: ByteCursor;
  /** PyTorch's name of its dtype, where it is one that is not read. */
  readonly #unreadable: string | undefined;
  #view: TensorView | undefined;

  constructor(cursor: ByteCursor, view?: TensorView, unreadable?: string) {
    super();
    this.#cursor = cursor;
    this.#view = view;
    this.#unreadable = unreadable;
  }

  /** Whether it has at most one element, as numbers do that a training script notes. */
  get isSingle(): boolean {
    return this.#view !== undefined && elementCount(this.#view.shape) < 2;
  }

  /** What the tensor holds. */
  get view(): TensorView {
    const cursor: ByteCursor = this.#cursor;
    if (this.#unreadable !== undefined) {
      cursor.refuse(`has a tensor of dtype ${quoted(this.#unreadable)}`, SAVE_AS_FLOAT32);
    }
    if (this.#view === undefined) cursor.refuse("makes a tensor that is given no storage");
    return this.#view;
  }

  /**
   * Takes the state of early PyTorch: a tensor's `(storage, offset, size, stride)`, a variable's
   * `(tensor, …)` of five, or a parameter's three flags, which say nothing about the data.
   */
  override setState(state: PickleValue): void {
    const cursor: ByteCursor = this.#cursor;
    const items = state instanceof PickleTuple ? state.items : [];
    if (items.length === 4) this.#view = viewOf(items, cursor);
    else if (items.length === 5) this.#view = tensorOf(items[0], cursor).view;
    else if (items.length !== 3) cursor.refuse("gives a tensor a state of the wrong form");
  }
}

/** What a pickle refers to outside of itself. */
export interface PickleReferences {
  /** Its storages by key. */
  storages: Map<string, StorageInfo>;
  /** Names that are not PyTorch's for tensors, in the order in which they come. */
  foreign: Set<string>;
}

/**
 * The names and ids that a checkpoint's pickle may use. Names of anything but tensors give inert
 * values: a checkpoint may hold them beside its tensors.
 *
 * @param cursor Where the pickle is read, for its errors.
 * @param references Filled with what the pickle refers to.
 */
export function torchEnvironment(
  cursor: ByteCursor,
  { storages, foreign }: PickleReferences,
): PickleEnvironment {
  const rebuild = (args: readonly PickleValue[]) => {
    const flags = args[6];
    if (flags instanceof Map && flags.size > 0) {
      cursor.refuse("has a tensor that is stored conjugated or negated", SAVE_AGAIN);
    }
    return new TensorObject(cursor, viewOf(args, cursor));
  };
  // The dtypes that got no storage type of their own, float8 among them: all that is read has one.
  const rebuildOther = ([, , , , , , dtype = null]: readonly PickleValue[]) =>
    new TensorObject(cursor, undefined, dtype instanceof PickleGlobal ? dtype.name : kindOf(dtype));
  const parameter = (args: readonly PickleValue[]) =>
    args.length === 0 ? new TensorObject(cursor) : tensorOf(args[0], cursor);
  const calls: Record<string, (args: readonly PickleValue[]) => PickleValue> = {
    "collections.OrderedDict": (args) => orderedDict(args, cursor),
    "torch.Size": (args) => args[0] ?? new PickleTuple([]),
    "torch._utils._rebuild_tensor": rebuild,
    "torch._utils._rebuild_tensor_v2": rebuild,
    "torch._utils._rebuild_tensor_v3": rebuildOther,
    "torch._utils._rebuild_parameter": parameter,
    "torch._utils._rebuild_parameter_with_state": parameter,
    "torch._tensor._rebuild_from_type_v2": (args) => rebuildFromType(args, cursor),
    "torch.nn.parameter.Parameter": parameter,
  };
  for (const type of Object.keys(TYPE_NAMES)) {
    calls[`torch.${type}Tensor`] = calls[`torch.cuda.${type}Tensor`] = (args) => {
      if (args.length > 0) cursor.refuse(`makes a torch.${type}Tensor from values`);
      return new TensorObject(cursor);
    };
  }
  const globals = new Map<string, PickleGlobal>();
  for (const name of STORAGE_DTYPES.keys()) globals.set(name, new PickleGlobal(name));
  for (const [name, call] of Object.entries(calls)) globals.set(name, new PickleGlobal(name, call));
  return {
    globals,
    foreign: (name) => {
      foreign.add(name);
      return new PickleGlobal(name, () => new InertObject(quoted(name), name));
    },
    persistent: (id) => storageOf(id, storages, cursor),
    bytes: () => new InertObject("bytes"),
  };
}

/** A tensor with attributes, `(function, type, arguments, state)`: the tensor alone. */
function rebuildFromType(args: readonly PickleValue[], cursor: ByteCursor): PickleValue {
  const [rebuild, , inner] = args;
  const isPlain = rebuild instanceof PickleGlobal && /^torch\._utils\._rebuild_/.test(rebuild.name);
  if (!isPlain || rebuild.call === undefined || !(inner instanceof PickleTuple)) {
    cursor.refuse("has a tensor with attributes in a form that is not known", SAVE_AGAIN);
  }
  return rebuild.call(inner.items);
}

/** `OrderedDict()`, or Python 2's `OrderedDict([[key, value], …])`. */
function orderedDict(args: readonly PickleValue[], cursor: ByteCursor): PickleDict {
  const dict: PickleDict = new Map();
  const pairs = args[0] ?? [];
  if (!Array.isArray(pairs)) cursor.refuse(`makes an OrderedDict from a ${kindOf(pairs)}`);
  for (const pair of pairs) {
    const [key, value] = sequence(pair) ?? [];
    if (key === undefined || value === undefined) cursor.refuse("has something that is not a pair");
    if (typeof key === "string" && dict.has(key)) cursor.refuse(`names ${quoted(key)} twice`);
    dict.set(key, value);
  }
  return dict;
}

function tensorOf(value: PickleValue | undefined, cursor: ByteCursor): TensorObject {
  if (value instanceof TensorObject) return value;
  cursor.refuse(`has a ${kindOf(value ?? null)} where a tensor should be`);
}

/** Reads `(storage, offset, size, stride, …)`. */
function viewOf(args: readonly PickleValue[], cursor: ByteCursor): TensorView {
  const [storage, offset = null, size = null, stride = null] = args;
  if (!(storage instanceof StorageObject)) {
    cursor.refuse(`has a ${kindOf(storage ?? null)} where a storage should be`);
  }
  const { key, dtype, numel, offset: start } = storage.info;
  const shape = lengths(size, cursor);
  const strides = lengths(stride, cursor);
  const first = length(offset, cursor);
  if (strides.length !== shape.length) cursor.refuse("has a tensor with a stride too few or many");
  if (!Number.isSafeInteger(elementCount(shape))) cursor.refuse(`has a tensor of shape [${shape}]`);
  const span = elementSpan(shape, strides);
  if (span > 0 && first + span > numel) {
    cursor.refuse(
      `has a tensor of shape [${shape}] that reaches element ${
        first + span
      } of a storage of ${numel}`,
    );
  }
  return { key, dtype, numel, offset: start + first, shape, strides };
}

/** Reads `("storage", type, key, location, numel)`, and behind them the old form's part of a storage. */
function storageOf(
  id: PickleValue,
  storages: Map<string, StorageInfo>,
  cursor: ByteCursor,
): StorageObject {
  const [tag, type, key, , count = null, part = null] = sequence(id) ?? [];
  if (tag !== "storage" || !(type instanceof PickleGlobal) || typeof key !== "string") {
    cursor.refuse("refers to something outside that is not a storage", SAVE_AGAIN);
  }
  const dtype = STORAGE_DTYPES.get(type.name);
  if (dtype === undefined) {
    // PyTorch's own types that are not read: of complex numbers, and of quantised ones.
    const [, other] = /^torch\.(?:cuda\.)?(\w+)Storage$/.exec(type.name) ?? [];
    const remedy = other === undefined
      ? undefined
      : /^QU?Int/.test(other)
      ? SAVE_DEQUANTISED
      : SAVE_AS_FLOAT32;
    cursor.refuse(`uses ${quoted(type.name)} as a storage's type`, remedy);
  }
  const numel = length(count, cursor);
  const known = storages.get(key);
  if (known !== undefined && (known.dtype !== dtype || known.numel !== numel)) {
    cursor.refuse(`describes storage ${quoted(key)} in two ways`);
  }
  if (!Number.isSafeInteger(numel * byteWidth(dtype))) {
    cursor.refuse(`has a storage of ${numel} elements`);
  }
  storages.set(key, { dtype, numel });
  if (part === null) return new StorageObject({ key, dtype, numel, offset: 0 });
  const [, partOffset = null, partCount = null] = sequence(part) ?? [];
  const offset = length(partOffset, cursor);
  const partNumel = length(partCount, cursor);
  if (offset + partNumel > numel) cursor.refuse(`has a part outside of storage ${quoted(key)}`);
  return new StorageObject({ key, dtype, numel: partNumel, offset });
}

function sequence(value: PickleValue): readonly PickleValue[] | undefined {
  return value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : undefined;
}

function lengths(value: PickleValue, cursor: ByteCursor): number[] {
  const items = sequence(value);
  if (items === undefined || items.length > MAX_RANK) {
    cursor.refuse("has a tensor whose size or stride is no tuple of at most 64 numbers");
  }
  return items.map((item) => length(item, cursor));
}

function length(value: PickleValue, cursor: ByteCursor): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  const shown = typeof value === "number" || typeof value === "bigint" ? value : kindOf(value);
  cursor.refuse(`has ${shown} for a length, offset or stride`);
}
