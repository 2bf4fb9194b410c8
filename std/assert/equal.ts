/**
 * Deep equality by value.
 *
 * Numbers are equal as `Map` keys are (`NaN` equals itself, `0` equals `-0`), objects need the same
 * prototype (a null prototype counts as a plain object's), `Map` and `Set` ignore order, own keys
 * matter even where they hold `undefined`, and circular references are followed once.
 *
 * @module
 */

import { types } from "node:util";

/** Kinds of object that their text describes completely. */
const TEXTUAL = new Set<object>([
  RegExp.prototype,
  URL.prototype,
  URLSearchParams.prototype,
  Intl.Locale.prototype,
]);

/**
 * Whether two values are deeply equal.
 *
 * @throws {TypeError} For two `WeakMap`s or two `WeakSet`s, whose contents can't be listed.
 */
export function equal(a: unknown, b: unknown): boolean {
  return same(a, b, new Map());
}

/** `assumed` holds the pairs under comparison further up, taken as equal where met again. */
function same(a: unknown, b: unknown, assumed: Map<object, object>): boolean {
  if (sameNumberOrReference(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof Date && b instanceof Date) {
    return Object.is(a.getTime(), b.getTime());
  }
  const prototype = prototypeOf(a);
  if (prototype !== prototypeOf(b)) return false;
  if (isArrayOfNumbers(a)) return sameNumbers(a, b as typeof a);
  if (types.isAnyArrayBuffer(a)) {
    return sameNumbers(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  if (TEXTUAL.has(prototype)) return String(a) === String(b);
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(`Cannot compare ${a.constructor.name} instances`);
  }
  if (a instanceof WeakRef) {
    return same(a.deref(), (b as typeof a).deref(), assumed);
  }
  if (assumed.get(a) === b) return true;
  assumed.set(a, b);
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  if (a instanceof Set) return sameEntries([...a], [...b as typeof a], assumed);
  if (a instanceof Map) return sameMaps(a, b as typeof a, assumed);
  return keysOf(a, prototype).union(keysOf(b, prototype)).values().every((
    key,
  ) =>
    key in a && key in b &&
    same(Reflect.get(a, key), Reflect.get(b, key), assumed)
  );
}

function sameNumberOrReference(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function prototypeOf(value: object): object {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

function isArrayOfNumbers(value: object): value is ArrayLike<unknown> {
  return ArrayBuffer.isView(value) && !types.isDataView(value);
}

function sameNumbers(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (!sameNumberOrReference(a[i], b[i])) return false;
  }
  return true;
}

function sameMaps(
  a: Map<unknown, unknown>,
  b: Map<unknown, unknown>,
  assumed: Map<object, object>,
): boolean {
  if (a.size !== b.size) return false;
  if (a.keys().some(isObject)) return sameEntries([...a], [...b], assumed);
  return a.entries().every(([key, value]) => b.has(key) && same(value, b.get(key), assumed));
}

/** Whether the two lists pair up, in any order. */
function sameEntries(
  a: unknown[],
  b: unknown[],
  assumed: Map<object, object>,
): boolean {
  if (a.length !== b.length) return false;
  const primitives = new Set(b.filter((item) => !isObject(item)));
  const objects = b.filter(isObject);
  return a.every((item) => {
    if (!isObject(item)) return primitives.has(item);
    const match = objects.findIndex((other) => same(item, other, assumed));
    if (match < 0) return false;
    objects.splice(match, 1);
    return true;
  });
}

/** A plain object's own enumerable keys; of any other object also those of its classes. */
function keysOf(value: object, prototype: object): Set<string | symbol> {
  if (prototype === Object.prototype || prototype === Array.prototype) {
    return new Set(Reflect.ownKeys({ ...value }));
  }
  const keys = new Set<string | symbol>();
  for (
    let level: object | null = value;
    level !== null && level !== Object.prototype && level !== Array.prototype;
    level = Object.getPrototypeOf(level)
  ) {
    for (const key of Reflect.ownKeys(level)) keys.add(key);
  }
  return keys;
}
