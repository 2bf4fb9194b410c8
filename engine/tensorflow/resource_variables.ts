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
  const attributes = [
    typeAttribute(dtype),
    { name: "shape", type: AttrType.SHAPE, value: shape },
    { name: "shared_name", type: AttrType.STRING, value: crypto.randomUUID() },
    { name: "container", type: AttrType.STRING, value: "" },
  ];
  const [handle] = eager.executeOp("VarHandleOp", attributes, [], 1);
  eager.executeOp("AssignVariableOp", [typeAttribute(dtype)], [handle!.id, value], 0);
  return handle!.id;
}

/** A new eager tensor with the variable's value at this moment. */
export function readResource(
  eager: EagerBinding,
  resource: number,
  dtype: number,
): TensorMetadata {
  return eager.executeOp("ReadVariableOp", [typeAttribute(dtype)], [resource], 1)[0]!;
}

export function destroyResource(eager: EagerBinding, resource: number): void {
  const ignore = { name: "ignore_lookup_error", type: AttrType.BOOL, value: true };
  eager.executeOp("DestroyResourceOp", [ignore], [resource], 0);
  eager.deleteTensor(resource);
}

function typeAttribute(dtype: number): OpAttribute {
  return { name: "dtype", type: AttrType.TYPE, value: dtype };
}
