/**
 * Enumerations of TensorFlow's C API (`tf_datatype.h`, `tf_attrtype.h`, `tf_status.h`).
 *
 * @module
 */

/** `TF_DataType`: the types the suite handles. */
export const DataType = {
  FLOAT: 1,
  INT32: 3,
  UINT8: 4,
  STRING: 7,
  COMPLEX64: 8,
  INT64: 9,
  BOOL: 10,
  BFLOAT16: 14,
  RESOURCE: 20,
} as const;

/** Names of {@linkcode DataType} values as TensorFlow prints them, for messages. */
const NAMES: Record<number, string> = {
  1: "float32",
  2: "float64",
  3: "int32",
  4: "uint8",
  7: "string",
  8: "complex64",
  9: "int64",
  10: "bool",
  14: "bfloat16",
  19: "float16",
  20: "resource",
};

/** The name of a `TF_DataType`, or `dtype N`. */
export function dataTypeName(dtype: number): string {
  return NAMES[dtype] ?? `dtype ${dtype}`;
}

/** The `TF_DataType` of that name. */
export function dataTypeNamed(name: string): number {
  const found = Object.entries(NAMES).find(([, known]) => known === name);
  if (found === undefined) throw new TypeError(`TensorFlow has no type ${name}`);
  return Number(found[0]);
}

/** Kinds of attributes: `TF_AttrType`. */
export const AttrType = {
  STRING: 0,
  INT: 1,
  FLOAT: 2,
  BOOL: 3,
  TYPE: 4,
  SHAPE: 5,
  RESOURCE: 8,
} as const;

/** Names of `TF_Code` values other than OK. */
export const STATUS_NAMES: readonly string[] = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];
