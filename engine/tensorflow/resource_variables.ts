/**
 * TensorFlow variables: values that live in TensorFlow and are changed in place.
 *
 * @module
 */

import type { OpAttribute } from "./attributes.ts";
import { AttrType } from "./c_enums.ts";
import type { EagerBinding, TensorMetadata } from "./eager_binding.ts";

/**
 * Makes a variable.
 *
 * @param value Eager id of the tensor whose value it takes.
 * @returns Eager id of the variable; its owner calls {@linkcode destroyResource}.
 */
export function newResource(
  eager: EagerBinding,
  { shape, dtype }: { shape: readonly number[]; dtype: number },
  value: number,
): number {
  const [handle] = eager.executeOp("VarHandleOp", newHandle(shape, dtype), [], 1);
  eager.executeOp("AssignVariableOp", [valueType(dtype)], [handle!.id, value], 0);
  return handle!.id;
}

/** A new eager tensor with the variable's value at this moment. */
export function readResource(
  eager: EagerBinding,
  resource: number,
  dtype: number,
): TensorMetadata {
  return eager.executeOp("ReadVariableOp", [valueType(dtype)], [resource], 1)[0]!;
}

export function destroyResource(eager: EagerBinding, resource: number): void {
  eager.executeOp("DestroyResourceOp", [IGNORE_MISSING], [resource], 0);
  eager.deleteTensor(resource);
}

/** Of `VarHandleOp`: a variable that no other has the name of. */
export function newHandle(shape: readonly number[], dtype: number): OpAttribute[] {
  return [
    valueType(dtype),
    { name: "shape", type: AttrType.SHAPE, value: shape },
    { name: "shared_name", type: AttrType.STRING, value: crypto.randomUUID() },
    { name: "container", type: AttrType.STRING, value: "" },
  ];
}

/** Of `DestroyResourceOp`: a variable that is gone already is no error. */
export const IGNORE_MISSING: OpAttribute = {
  name: "ignore_lookup_error",
  type: AttrType.BOOL,
  value: true,
};

/** Of ops on variables: the type of the value. */
export function valueType(dtype: number): OpAttribute {
  return { name: "dtype", type: AttrType.TYPE, value: dtype };
}
