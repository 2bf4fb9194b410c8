import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli";

Deno.test("parseArgs() reads values, bare flags and arguments", () => {
  assertEquals(
    parseArgs(["--host", "localhost", "--port=555", "--dry", "-v", "a", "file", "7"]),
    { host: "localhost", port: 555, dry: true, v: "a", _: ["file", 7] },
  );
});

Deno.test("parseArgs() turns numbers into numbers unless declared as strings", () => {
  const args = ["--a", "007", "--b", "0x10", "--c", "1e3", "--d", "10f", "08"];
  assertEquals(parseArgs(args), { a: 7, b: 16, c: 1000, d: "10f", _: [8] });
  assertEquals<unknown>(parseArgs(args, { string: ["a", "b", "c", "_"] }), {
    a: "007",
    b: "0x10",
    c: "1e3",
    d: "10f",
    _: ["08"],
  });
});

Deno.test("parseArgs() gives a boolean flag no value but true or false", () => {
  const options = { boolean: ["x", "y"] } as const;
  assertEquals(parseArgs(["--x", "one"], options), { x: true, y: false, _: ["one"] });
  assertEquals(parseArgs(["--x", "false", "--y=true"], options), { x: false, y: true, _: [] });
  assertEquals(parseArgs(["--other", "true"], options).other, "true");
});

Deno.test("parseArgs() with boolean: true makes every long flag without = a boolean", () => {
  assertEquals(parseArgs(["moo", "--honk", "cow", "-p", "55", "--tacos=good"], { boolean: true }), {
    honk: true,
    tacos: "good",
    p: 55,
    _: ["moo", "cow"],
  });
});

Deno.test("parseArgs() takes no flag for a value", () => {
  assertEquals(parseArgs(["--out", "--quiet"], { string: "out" }), {
    out: "",
    quiet: true,
    _: [],
  });
  assertEquals(parseArgs(["--lr", "-1"], { string: "lr" }), { lr: "", 1: true, _: [] });
  assertEquals(parseArgs(["--lr=-1", "--empty="], { string: "lr" }), {
    lr: "-1",
    empty: "",
    _: [],
  });
});

Deno.test("parseArgs() keeps the last of repeated flags, collected ones in a list", () => {
  const args = ["--a", "1", "--a", "2", "--b", "x", "--b", "y", "--c", "--c"];
  assertEquals(parseArgs(args, { string: ["b"], collect: ["b", "c"] }), {
    a: 2,
    b: ["x", "y"],
    c: [true, true],
    _: [],
  });
  assertEquals(parseArgs(["--c=false", "--c"], { boolean: ["c"], collect: ["c"] }).c, [
    false,
    true,
  ]);
  assertEquals(parseArgs([], { string: ["b"], boolean: ["c"], collect: ["b", "c"] }), {
    b: [],
    c: [],
    _: [],
  });
});

Deno.test("parseArgs() negates only what is negatable", () => {
  assertEquals(parseArgs(["--no-moo"]), { "no-moo": true, _: [] });
  const options = { boolean: ["foo"], negatable: ["foo"] } as const;
  assertEquals(parseArgs(["--foo", "--no-foo"], options).foo, false);
  assertEquals(parseArgs(["--no-foo", "--foo"], options).foo, true);
});

Deno.test("parseArgs() fills in defaults and keeps null", () => {
  const options = { boolean: ["maybe"], default: { maybe: null, lr: 0.1 } } as const;
  assertEquals(parseArgs([], options), { maybe: null, lr: 0.1, _: [] });
  assertEquals(parseArgs(["--maybe", "--lr", "0.2"], options), { maybe: true, lr: 0.2, _: [] });
});

Deno.test("parseArgs() gives every alias the value", () => {
  const options = { boolean: ["herp"], string: ["s"], alias: { h: ["herp", "harp"], s: "str" } };
  const expected = { h: true, herp: true, harp: true, _: ["derp"] };
  assertEquals<unknown>(parseArgs(["-h", "derp"], options), expected);
  assertEquals<unknown>(parseArgs(["--harp", "derp"], options), expected);
  assertEquals(parseArgs(["--str", "007"], options).s, "007");
});

Deno.test("parseArgs() reads groups of short flags", () => {
  assertEquals(parseArgs(["-cats", "meow"]), { c: true, a: true, t: true, s: "meow", _: [] });
  assertEquals(parseArgs(["-n123", "-b=robots", "-f-", "-e=="]), {
    n: 123,
    b: "robots",
    f: "-",
    e: "=",
    _: [],
  });
  assertEquals(parseArgs(["-xyz/foo/bar", "-"]), { x: true, y: true, z: "/foo/bar", _: ["-"] });
  assertEquals(parseArgs(["-n", "-"]), { n: "-", _: [] });
  assertEquals(parseArgs(["-123", "456"]), { 1: true, 2: true, 3: 456, _: [] });
});

Deno.test("parseArgs() reads no flags after --, nor after an argument with stopEarly", () => {
  const args = ["--name", "John", "before", "--", "--after", "5"];
  assertEquals(parseArgs(args), { name: "John", _: ["before", "--after", "5"] });
  assertEquals(parseArgs(args, { "--": true }), {
    name: "John",
    _: ["before"],
    "--": ["--after", "5"],
  });
  assertEquals(parseArgs(["--aaa", "bbb", "ccc", "--ddd"], { stopEarly: true }), {
    aaa: "bbb",
    _: ["ccc", "--ddd"],
  });
});

Deno.test("parseArgs() asks unknown() about undeclared flags and arguments", () => {
  const seen: unknown[] = [];
  const result = parseArgs(["-h", "--derp", "goodbye", "cow", "--list=1", "--bad", "--", "x"], {
    boolean: ["help"],
    alias: { h: "help" },
    collect: ["list"],
    unknown: (arg, key, value) => {
      seen.push([arg, key, value]);
      return false;
    },
  });
  assertEquals(seen, [
    ["--derp", "derp", "goodbye"],
    ["cow", undefined, undefined],
    ["--bad", "bad", true],
  ]);
  assertEquals(result, { h: true, help: true, list: [1], _: ["x"] });
});

Deno.test("parseArgs() types the result", () => {
  const flags = parseArgs(["--quiet", "--model", "a", "--model", "b"], {
    boolean: ["quiet"],
    string: ["out", "model", "data"],
    collect: ["model"],
    default: { out: "results" },
  });
  const quiet: boolean = flags.quiet;
  const out: string = flags.out;
  const models: string[] = flags.model;
  const data: string | undefined = flags.data;
  assertEquals([quiet, out, models, data], [true, "results", ["a", "b"], undefined]);
});

Deno.test("parseArgs() is not confused by names of built-in properties", () => {
  assertEquals(parseArgs(["--toString", "--valueOf", "foo"]), {
    toString: true,
    valueOf: "foo",
    _: [],
  });
  parseArgs(["--__proto__", "yes"]);
  assertEquals(Object.hasOwn(Object.prototype, "yes"), false);
});
