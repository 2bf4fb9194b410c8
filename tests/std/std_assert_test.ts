import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotStrictEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unreachable,
} from "@std/assert";
import { strictEqual } from "node:assert";
import { stripVTControlCharacters } from "node:util";
import { difference } from "../../std/assert/format.ts";

/** Asserts with node:assert, so that the package under test does not judge itself. */
function holds(actual: boolean, expected = true): void {
  strictEqual(actual, expected);
}

/** The AssertionError that `fn` throws. */
function failure(fn: () => void): string {
  try {
    fn();
  } catch (error) {
    holds(error instanceof AssertionError);
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

Deno.test("equal() takes NaN as itself and 0 as -0, at every depth", () => {
  holds(equal(NaN, NaN));
  holds(equal({ a: [0, NaN] }, { a: [-0, NaN] }));
  holds(equal(1, "1"), false);
  holds(equal(null, undefined), false);
  holds(equal(new Float32Array([0, NaN]), new Float32Array([-0, NaN])));
});

Deno.test("equal() compares typed arrays by kind, length and items", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  holds(equal(bytes.subarray(1), new Uint8Array([2, 3])));
  holds(equal(bytes, new Uint8Array([1, 2, 4])), false);
  holds(equal(bytes, new Uint8Array([1, 2])), false);
  holds(equal(bytes, new Int8Array([1, 2, 3])), false);
  holds(equal(bytes, [1, 2, 3]), false);
  holds(equal(bytes.buffer, new Uint8Array([1, 2, 3]).buffer));
  holds(equal(bytes.buffer, new Uint8Array([1, 2, 4]).buffer), false);
});

Deno.test("equal() ignores the order of maps and sets, not their contents", () => {
  holds(equal(new Set([1, new Set([2, 3])]), new Set([new Set([3, 2]), 1])));
  holds(equal(new Set([{ a: 1 }, { b: 2 }]), new Set([{ b: 2 }, { a: 1 }])));
  holds(equal(new Set([1, 2]), new Set([1, 3])), false);
  holds(
    equal(new Map([["a", { x: 1 }], ["b", { x: 2 }]]), new Map([["b", { x: 2 }], ["a", { x: 1 }]])),
  );
  holds(equal(new Map([[{ x: 1 }, true]]), new Map([[{ x: 1 }, true]])));
  holds(equal(new Map([[{ x: 1 }, true]]), new Map([[{ x: 1 }, false]])), false);
  holds(equal(new Map([["a", undefined]]), new Map([["b", undefined]])), false);
});

Deno.test("equal() compares dates, patterns and addresses by value", () => {
  holds(equal(new Date(5), new Date(5)));
  holds(equal(new Date(5), new Date(6)), false);
  holds(equal(new Date("?"), new Date("?")));
  holds(equal(/a/g, /a/g));
  holds(equal(/a/g, /a/), false);
  holds(equal(new URL("http://a.test"), new URL("http://a.test/")));
  holds(equal(new URL("http://a.test"), new URL("http://b.test")), false);
});

Deno.test("equal() counts keys that hold undefined and holes in arrays", () => {
  holds(equal({ a: undefined }, {}), false);
  holds(equal({ a: undefined, b: 1 }, { b: 1, c: undefined }), false);
  // deno-lint-ignore no-sparse-arrays
  holds(equal([1, , 3], [1, undefined, 3]), false);
  holds(equal({ [Symbol.for("a")]: 1 }, { [Symbol.for("a")]: 2 }), false);
});

Deno.test("equal() tells classes apart, plain objects with no prototype not", () => {
  class A {
    x = 1;
  }
  class B {
    x = 1;
  }
  holds(equal(new A(), new A()));
  holds(equal(new A(), new B()), false);
  holds(equal(new A(), { x: 1 }), false);
  holds(equal(Object.assign(Object.create(null), { x: 1 }), { x: 1 }));
  const error = new Error("a");
  holds(equal(error, error));
  holds(equal(error, new Error("b")), false);
});

Deno.test("equal() follows circular references and refuses weak collections", () => {
  const a: Record<string, unknown> = { n: 1 };
  a.self = a;
  const b: Record<string, unknown> = { n: 1 };
  b.self = b;
  holds(equal(a, b));
  b.n = 2;
  holds(equal(a, b), false);
  assertThrows(() => equal(new WeakMap(), new WeakMap()), TypeError, "WeakMap");
});

Deno.test("assertEquals() shows what differs", () => {
  assertEquals({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] });
  const message = stripVTControlCharacters(
    failure(() => assertEquals({ a: 1, b: "x" }, { a: 1, b: "y" }, "rows")),
  );
  holds(message.startsWith("Values are not equal: rows\n"));
  holds(/-.*b: ['"]x/.test(message) && /\+.*b: ['"]y/.test(message));
});

Deno.test("difference() of the stand-in gives the place in long lists", () => {
  const long = new Float32Array(100_000);
  const changed = long.slice();
  changed[70_000] = 1;
  assertStringIncludes(
    difference(long, changed),
    "1 of 100000 items differ, first at [70000]: 0 / 1",
  );
  assertStringIncludes(difference([1], [1, 2]), "lengths differ: 1 / 2");
});

Deno.test("assertNotEquals() fails on equal values", () => {
  assertNotEquals<unknown>([1], [2]);
  assertThrows(() => assertNotEquals([1], [1]), AssertionError, "not to be");
});

Deno.test("assertStrictEquals() compares as Object.is", () => {
  const a = {};
  assertStrictEquals(a, a);
  assertStrictEquals(NaN, NaN);
  assertThrows(() => assertStrictEquals(0, -0), AssertionError);
  assertThrows(() => assertStrictEquals({}, {}), AssertionError, "not reference-equal");
  assertThrows(() => assertStrictEquals(1, 2), AssertionError, "Values are not strictly equal.");
  assertNotStrictEquals({}, {});
  assertThrows(() => assertNotStrictEquals(a, a), AssertionError);
});

Deno.test("assertAlmostEquals() allows 1e-7 of the expected value by default", () => {
  assertAlmostEquals(1 + 0.9e-7, 1);
  assertThrows(() => assertAlmostEquals(1 + 1.1e-7, 1), AssertionError, "is greater than");
  assertAlmostEquals(1e9 + 99, 1e9);
  assertThrows(() => assertAlmostEquals(1e-12, 0), AssertionError);
  assertAlmostEquals(1e-12, 0, 1e-11);
  assertAlmostEquals(0.01, 0.02, 0.1);
  assertAlmostEquals(NaN, NaN);
  assertAlmostEquals(Infinity, Infinity);
  assertThrows(() => assertAlmostEquals(NaN, 1, 10), AssertionError);
});

Deno.test("assertThrows() returns what was thrown", () => {
  strictEqual(
    assertThrows(() => {
      throw "text";
    }),
    "text",
  );
  const thrown = new RangeError("out of \x1b[31mrange\x1b[0m");
  strictEqual(
    assertThrows(
      () => {
        throw thrown;
      },
      RangeError,
      "of range",
    ),
    thrown,
  );
  strictEqual(
    assertThrows(() => {
      throw thrown;
    }, Error),
    thrown,
  );
});

Deno.test("assertThrows() fails on no error, another class and another message", () => {
  const typed = () => {
    throw new TypeError("abc");
  };
  strictEqual(failure(() => assertThrows(() => {})), "Expected function to throw.");
  strictEqual(failure(() => assertThrows(() => {}, "msg")), "Expected function to throw: msg");
  strictEqual(
    failure(() => assertThrows(typed, RangeError)),
    'Expected error to be instance of "RangeError", but was "TypeError".',
  );
  strictEqual(
    failure(() => assertThrows(typed, TypeError, "xyz")),
    'Expected error message to include "xyz", but got "abc".',
  );
  strictEqual(
    failure(() =>
      assertThrows(() => {
        throw "abc";
      }, Error)
    ),
    "A non-Error object was thrown.",
  );
});

Deno.test("assertRejects() resolves to the error, and wants a promise", async () => {
  const thrown = new TypeError("abc");
  strictEqual(await assertRejects(() => Promise.reject(thrown), TypeError, "b"), thrown);
  strictEqual(await assertRejects(() => Promise.reject(5)), 5);
  await assertRejects(
    () => assertRejects(() => Promise.resolve(1)),
    AssertionError,
    "Expected function to reject.",
  );
  await assertRejects(
    () =>
      assertRejects(() => {
        throw thrown;
      }, TypeError),
    AssertionError,
    "Function throws when expected to reject.",
  );
  await assertRejects(
    () => assertRejects(() => Promise.reject(thrown), RangeError),
    AssertionError,
    'instance of "RangeError"',
  );
});

Deno.test("assertObjectMatch() ignores what the pattern does not name", () => {
  class Row {
    a = 1;
    b = [{ c: 1, d: 2 }, 2, 3];
  }
  assertObjectMatch(new Row(), { a: 1, b: [{ d: 2 }, 2] });
  assertObjectMatch({ m: new Map([["x", { y: 1, z: 2 }], ["w", { y: 0, z: 0 }]]) }, {
    m: new Map([["x", { y: 1 }]]),
  });
  assertObjectMatch({ s: new Set([1, 2]), r: /a/g }, { s: new Set([2]), r: /a/g });
  assertThrows(() => assertObjectMatch({ a: 1 }, { a: 2 }), AssertionError);
  assertThrows(() => assertObjectMatch({ a: 1 }, { a: 1, b: undefined }), AssertionError);
  assertThrows(() => assertObjectMatch({ a: [1, 2] }, { a: [1, 2, 3] }), AssertionError);
  assertThrows(() => assertObjectMatch({ a: null }, { a: { b: 1 } }), AssertionError);
  assertThrows(() => assertObjectMatch({ r: /a/g }, { r: /a/ }), AssertionError);
  const circle: Record<string, unknown> = { a: 1 };
  circle.self = circle;
  assertObjectMatch(circle, { self: { self: { a: 1 } } });
  assertThrows(() => assertObjectMatch(circle, { self: { self: { a: 2 } } }), AssertionError);
});

Deno.test("assert() and its kin pass and fail as named", () => {
  assert(1);
  strictEqual(failure(() => assert("", "reason")), "reason");
  assertFalse(0);
  strictEqual(failure(() => assertFalse(1, "reason")), "reason");
  assertExists(0);
  assertStringIncludes(failure(() => assertExists(null)), "null or undefined");
  assertInstanceOf(new Date(), Date);
  strictEqual(
    failure(() => assertInstanceOf(5, Date)),
    'Expected object to be an instance of "Date" but was "number".',
  );
  assertMatch("digit 7", /\d$/);
  assertStringIncludes(failure(() => assertMatch("digit", /\d$/)), "to match");
  assertStringIncludes("abc", "b");
  assertStringIncludes(failure(() => assertStringIncludes("abc", "d")), "to contain");
  strictEqual(failure(() => fail("why")), "Failed assertion: why");
  strictEqual(failure(() => unreachable()), "Unreachable.");
});

Deno.test("assertGreater() and its kin compare, NaN never", () => {
  assertGreater(2, 1);
  assertGreaterOrEqual(2, 2);
  assertLess(1, 2);
  assertLessOrEqual(2, 2);
  strictEqual(failure(() => assertGreater(1, 1)), "Expect 1 > 1");
  strictEqual(failure(() => assertGreaterOrEqual(1, 2)), "Expect 1 >= 2");
  strictEqual(failure(() => assertLess(1, 1)), "Expect 1 < 1");
  strictEqual(failure(() => assertLessOrEqual(NaN, 1)), "Expect NaN <= 1");
});

Deno.test("assertArrayIncludes() finds items by value", () => {
  assertArrayIncludes([{ a: 1 }, { b: 2 }], [{ b: 2 }]);
  assertArrayIncludes(new Uint8Array([1, 2]), new Uint8Array([2]));
  assertMatch(failure(() => assertArrayIncludes([1, 2], [2, 3])), /missing: \[\s+3/);
});
