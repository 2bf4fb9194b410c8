/**
 * The assertion that an object contains another.
 *
 * @module
 */

import { equal } from "./equal.ts";
import { assertEquals } from "./equality.ts";

/**
 * Asserts that `actual` has everything that `expected` has, at every depth: further keys of objects,
 * entries of maps, members of sets and trailing items of arrays are ignored, and so are classes.
 *
 * @throws {TypeError} If `actual` is not an object.
 */
export function assertObjectMatch(
  actual: object,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  if (!isObject(actual)) {
    throw new TypeError(
      `Cannot assertObjectMatch ${actual === null ? null : `type ${typeof actual}`}`,
    );
  }
  assertEquals(
    part(actual, expected, new Map()),
    part(expected, expected, new Map()),
    msg,
  );
}

/** What of `value` lies under the keys of `pattern`; `done` maps patterns met to their results. */
function part(
  value: unknown,
  pattern: unknown,
  done: Map<unknown, Map<unknown, unknown>>,
): unknown {
  if (!isContainer(value) || !isContainer(pattern)) return value;
  const before = done.get(value)?.get(pattern);
  if (before !== undefined) return before;
  const remember = <T>(result: T): T => {
    const results = done.get(value) ?? new Map<unknown, unknown>();
    done.set(value, results.set(pattern, result));
    return result;
  };
  if (Array.isArray(value) && Array.isArray(pattern)) {
    const items: unknown[] = remember([]);
    pattern.slice(0, value.length).forEach((item, i) => items.push(part(value[i], item, done)));
    return items;
  }
  if (value instanceof Set && pattern instanceof Set) {
    return new Set(
      [...value].filter((item) => [...pattern].some((other) => equal(item, other))),
    );
  }
  if (value instanceof Map && pattern instanceof Map) {
    const entries = remember(new Map<unknown, unknown>());
    for (const [key, item] of pattern) {
      if (value.has(key)) entries.set(key, part(value.get(key), item, done));
    }
    return entries;
  }
  const object: Record<PropertyKey, unknown> = remember({});
  for (const key of Reflect.ownKeys(pattern)) {
    if (Object.hasOwn(value, key)) {
      object[key] = part(
        Reflect.get(value, key),
        Reflect.get(pattern, key),
        done,
      );
    }
  }
  return object;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** An object to look into, where a regular expression or a date is one value. */
function isContainer(value: unknown): value is object {
  return isObject(value) && !(value instanceof RegExp) &&
    !(value instanceof Date);
}
