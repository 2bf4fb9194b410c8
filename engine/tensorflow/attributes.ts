/**
 * Op attributes: one reading of what a kernel passes, set on eager ops and on graph nodes alike.
 *
 * @module
 */

import { AttrType } from "./c_enums.ts";
import { pointerList } from "./pointer_list.ts";
import type { TensorFlow } from "./tensorflow.ts";

/** An attribute as tfjs-node's kernels pass it: `type` is a {@linkcode AttrType}. */
export interface OpAttribute {
  /** The attribute's name in TensorFlow's op definition. */
  name: string;
  /** Its `TF_AttrType`; a list where `value` is an array (a shape is one value, not a list). */
  type: number;
  /** The value, or the list of values. */
  value: unknown;
}

/** Attributes of one value, by its kind in TensorFlow's op definition. */
export const attribute = {
  /** @param dtype A {@linkcode DataType}. */
  type: (name: string, dtype: number): OpAttribute => ({ name, type: AttrType.TYPE, value: dtype }),
  int: (name: string, value: number): OpAttribute => ({ name, type: AttrType.INT, value }),
  bool: (name: string, value: boolean): OpAttribute => ({ name, type: AttrType.BOOL, value }),
  string: (name: string, value: string | Uint8Array): OpAttribute => ({
    name,
    type: AttrType.STRING,
    value,
  }),
  shape: (name: string, shape: readonly number[]): OpAttribute => ({
    name,
    type: AttrType.SHAPE,
    value: [...shape],
  }),
};

/** The C setters of one kind of op, with the op as their first parameter. */
type Setters = Pick<
  TensorFlow["symbols"],
  | "TFE_OpSetAttrString"
  | "TFE_OpSetAttrInt"
  | "TFE_OpSetAttrFloat"
  | "TFE_OpSetAttrBool"
  | "TFE_OpSetAttrType"
  | "TFE_OpSetAttrStringList"
  | "TFE_OpSetAttrIntList"
  | "TFE_OpSetAttrFloatList"
  | "TFE_OpSetAttrBoolList"
  | "TFE_OpSetAttrTypeList"
>;

/**
 * Sets attributes of `op`.
 *
 * @param target `"eager"` for a `TFE_Op*`, `"graph"` for a `TF_OperationDescription*`.
 * @param opName The op's type, for messages.
 * @throws {TypeError} If a value is not of the kind its type says.
 */
export function setAttributes(
  tensorflow: TensorFlow,
  target: "eager" | "graph",
  op: Deno.PointerObject,
  opName: string,
  attributes: readonly OpAttribute[],
): void {
  const set = target === "eager" ? tensorflow.symbols : graphSetters(tensorflow);
  for (const { name, type, value } of attributes) {
    const key = tensorflow.cString(name);
    const refuse = (expected: string) =>
      new TypeError(`Cannot set ${opName}.${name}: expected ${expected}, got ${show(value)}`);
    switch (type) {
      case AttrType.STRING:
        if (Array.isArray(value)) {
          const list = value.map((item) => toBytes(item, refuse));
          const { pointers, lengths } = pointerList(list);
          set.TFE_OpSetAttrStringList(op, key, pointers, lengths, list.length);
        } else {
          const bytes = toBytes(value, refuse);
          set.TFE_OpSetAttrString(op, key, bytes, BigInt(bytes.length));
        }
        break;
      case AttrType.INT:
        if (isList(value)) {
          const list = BigInt64Array.from(value, (item) => toInteger(item, refuse));
          set.TFE_OpSetAttrIntList(op, key, list, list.length);
        } else set.TFE_OpSetAttrInt(op, key, toTruncated(value, refuse));
        break;
      case AttrType.FLOAT:
        if (isList(value)) {
          const list = Float32Array.from(value, (item) => toNumber(item, refuse));
          set.TFE_OpSetAttrFloatList(op, key, list, list.length);
        } else set.TFE_OpSetAttrFloat(op, key, toNumber(value, refuse));
        break;
      case AttrType.BOOL:
        if (isList(value)) {
          const list = Uint8Array.from(value, (item) => (item ? 1 : 0));
          set.TFE_OpSetAttrBoolList(op, key, list, list.length);
        } else set.TFE_OpSetAttrBool(op, key, value ? 1 : 0);
        break;
      case AttrType.TYPE:
        if (isList(value)) {
          const list = Int32Array.from(value, (item) => toNumber(item, refuse));
          set.TFE_OpSetAttrTypeList(op, key, list, list.length);
        } else set.TFE_OpSetAttrType(op, key, toNumber(value, refuse));
        break;
      case AttrType.SHAPE:
        setShape(tensorflow, target, op, key, value, refuse);
        break;
      default:
        throw new TypeError(`Cannot set ${opName}.${name}: unknown attribute type ${type}`);
    }
  }
}

function setShape(
  tensorflow: TensorFlow,
  target: "eager" | "graph",
  op: Deno.PointerObject,
  key: Uint8Array<ArrayBuffer>,
  value: unknown,
  refuse: Refusal,
): void {
  const { symbols, status } = tensorflow;
  if (!isList(value)) throw refuse("a shape");
  const isShapeList = value.length > 0 && value.every(isList);
  const shapes = (isShapeList ? value.filter(isList) : [value]).map((shape) =>
    BigInt64Array.from(shape, (size) => toInteger(size, refuse))
  );
  const [first = new BigInt64Array(0)] = shapes;
  if (!isShapeList) {
    if (target === "graph") return symbols.TF_SetAttrShape(op, key, first, first.length);
    symbols.TFE_OpSetAttrShape(op, key, first, first.length, status);
  } else {
    const { pointers } = pointerList(shapes);
    const ranks = Int32Array.from(shapes, (shape) => shape.length);
    if (target === "graph") {
      return symbols.TF_SetAttrShapeList(op, key, pointers, ranks, shapes.length);
    }
    symbols.TFE_OpSetAttrShapeList(op, key, pointers, ranks, shapes.length, status);
  }
  tensorflow.check("Cannot set a shape attribute");
}

/** The graph's setters under the names of the eager ones: their parameters are the same. */
function graphSetters({ symbols }: TensorFlow): Setters {
  return {
    TFE_OpSetAttrString: symbols.TF_SetAttrString,
    TFE_OpSetAttrInt: symbols.TF_SetAttrInt,
    TFE_OpSetAttrFloat: symbols.TF_SetAttrFloat,
    TFE_OpSetAttrBool: symbols.TF_SetAttrBool,
    TFE_OpSetAttrType: symbols.TF_SetAttrType,
    TFE_OpSetAttrStringList: symbols.TF_SetAttrStringList,
    TFE_OpSetAttrIntList: symbols.TF_SetAttrIntList,
    TFE_OpSetAttrFloatList: symbols.TF_SetAttrFloatList,
    TFE_OpSetAttrBoolList: symbols.TF_SetAttrBoolList,
    TFE_OpSetAttrTypeList: symbols.TF_SetAttrTypeList,
  };
}

type Refusal = (expected: string) => TypeError;

function isList(value: unknown): value is ArrayLike<unknown> & Iterable<unknown> & unknown[] {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function toBytes(value: unknown, refuse: Refusal): Uint8Array<ArrayBuffer> {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  throw refuse("a string");
}

function toInteger(value: unknown, refuse: Refusal): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  throw refuse("an integer");
}

/** Fractions are cut off, as C does it: tfjs takes any number as a seed and hands it on. */
function toTruncated(value: unknown, refuse: Refusal): bigint {
  return toInteger(typeof value === "number" ? Math.trunc(value) : value, refuse);
}

function toNumber(value: unknown, refuse: Refusal): number {
  if (typeof value === "number") return value;
  throw refuse("a number");
}

function show(value: unknown): string {
  return typeof value === "bigint" ? `${value}n` : JSON.stringify(value) ?? String(value);
}
