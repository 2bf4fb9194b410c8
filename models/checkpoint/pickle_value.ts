/**
 * The values that a pickle of a state dict is made of.
 *
 * @module
 */

import { quoted } from "./state_dict.ts";

/** A value a pickle can hold. A dict is a `Map`, a list an array. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleObject;

/** A Python dict or OrderedDict. */
export type PickleDict = Map<PickleValue, PickleValue>;

export class PickleTuple {
  constructor(
    readonly items: readonly PickleValue[],
  ) {}
}

/** A name of the allow-list. */
export class PickleGlobal {
  constructor(
    /** Module and name, joined by a dot. */
    readonly name: string,
    /** What calling it gives; without one it can't be called. */
    readonly call?: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}

/** An object made by a {@linkcode PickleGlobal} or a persistent id. */
export abstract class PickleObject {
  /** The word for it in error messages. */
  abstract readonly kind: string;
  /** Takes the state that the pickle gives the object after making it. */
  abstract setState(state: PickleValue): void;
}

/**
 * What a checkpoint holds beside tensors and nothing here looks into: a value of a class that is not
 * known, or a set. Whatever the pickle would do to it is passed over, and nothing is called.
 */
export class InertObject extends PickleObject {
  constructor(
    override readonly kind: string,
    /** Module and name of what made it, where that is not a part of Python's own syntax. */
    readonly foreignName?: string,
  ) {
    super();
  }

  override setState(): void {}
}

/** The word for a value's kind in error messages. */
export function kindOf(value: PickleValue): string {
  if (value === null) return "None";
  if (Array.isArray(value)) return "list";
  if (value instanceof PickleTuple) return "tuple";
  if (value instanceof Map) return "dict";
  if (value instanceof PickleGlobal) return quoted(value.name);
  if (value instanceof PickleObject) return value.kind;
  const names: Record<string, string> = { string: "str", boolean: "bool" };
  return names[typeof value] ?? "number";
}
