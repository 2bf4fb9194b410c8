import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseIgnoreList, readIgnoreList } from "../../../engine/conformance/ignore_list.ts";
import { EXCEPTIONS, sortResults } from "../../../engine/conformance/run_conformance.ts";
import { CONFORMANCE_EXCEPTIONS } from "../../../engine/conformance/exceptions.ts";

const SOURCE = `
var IGNORE_LIST = [
    // This comment doesn't count: 'not a name'
    'first name',
    // tslint:disable-next-line
    'second test-tensorflow {} x=[2,2] f=[1,1]',
];
if (process.platform === 'win32') {
    IGNORE_LIST.push('on windows only');
}
`;

Deno.test("parseIgnoreList() takes the names and leaves comments out", () => {
  const names = ["first name", "second test-tensorflow {} x=[2,2] f=[1,1]"];
  assertEquals(parseIgnoreList(SOURCE, false), names);
  assertEquals(parseIgnoreList(SOURCE, true), [...names, "on windows only"]);
});

Deno.test("parseIgnoreList() refuses a file that is not what it was", () => {
  assertThrows(() => parseIgnoreList("", false), SyntaxError, "IGNORE_LIST");
  const computed = SOURCE.replace("'first name'", "'first ' + 'name'");
  assertThrows(() => parseIgnoreList(computed, false), SyntaxError, "IGNORE_LIST");
});

Deno.test("readIgnoreList() reads tfjs-node-gpu's list", async () => {
  const names = await readIgnoreList();
  assert(names.includes("depthwiseConv2D"));
  // An exception of ours that is on that list would never be run.
  for (const { spec = "" } of CONFORMANCE_EXCEPTIONS) {
    assertEquals(names.filter((name) => spec.includes(name)), []);
  }
});

Deno.test("sortResults() tells explained failures from others", () => {
  const exceptions = [{ spec: "round int32", reason: "its reason" }];
  const sorted = sortResults([
    { name: "add", status: "passed", message: "" },
    { name: "sub", status: "failed", message: "wrong" },
    { name: "round int32 of 1", status: "failed", message: "also wrong" },
    { name: "round int32 of 2", status: "passed", message: "" },
    { name: "the round int32", status: "failed", message: "another" },
    { name: "off", status: "pending", message: "" },
  ], exceptions);
  assertEquals(sorted, {
    passed: 2,
    failed: [{ name: "sub", message: "wrong" }, { name: "the round int32", message: "another" }],
    known: [{ name: "round int32 of 1", message: "its reason" }],
    fixed: [{ name: "round int32 of 2", message: "its reason" }],
    pending: 1,
  });
});

Deno.test("sortResults() knows failures by what they say, of one spec or of all", () => {
  const exceptions = [
    { message: "Kernel 'Einsum' not registered", reason: "it is missing" },
    { spec: "fill", message: "string", reason: "no strings" },
  ];
  const sorted = sortResults([
    { name: "einsum of one", status: "failed", message: "Error: Kernel 'Einsum' not registered" },
    { name: "einsum of two", status: "failed", message: "wrong" },
    { name: "einsum of three", status: "passed", message: "" },
    { name: "fill strings", status: "failed", message: "Unknown dtype string" },
    { name: "tile strings", status: "failed", message: "Unknown dtype string" },
  ], exceptions);
  assertEquals(sorted.known.map(({ message }) => message), ["it is missing", "no strings"]);
  assertEquals(sorted.failed.map(({ name }) => name), ["einsum of two", "tile strings"]);
  assertEquals([sorted.passed, sorted.fixed], [1, []]);
});

Deno.test("every exception says which failures it is of, and why", () => {
  for (const [backend, exceptions] of Object.entries(EXCEPTIONS)) {
    for (const { spec, message, reason } of exceptions) {
      assert((spec ?? message ?? "") !== "", `${backend}: ${reason}`);
      assert(reason.length > 10, `${backend}: ${reason}`);
      // The environment's name is part of a spec's.
      assert(spec === undefined || spec.includes(`test-${backend} `), spec);
    }
  }
});
