import { assertEquals, assertFalse, assertInstanceOf, assertThrows } from "@std/assert";
import { parse, stringify } from "@std/csv";

Deno.test("parse() returns lists of text, whatever the line ends", () => {
  assertEquals(parse("a,b,c\n1,,3"), [["a", "b", "c"], ["1", "", "3"]]);
  assertEquals(parse("a,b\r\nc,d\r\n"), [["a", "b"], ["c", "d"]]);
  assertEquals(parse("\ufeffa,b\rc,d\n"), [["a", "b\rc", "d"]]);
  assertEquals(parse("a,b\r"), [["a", "b"]]);
  assertEquals(parse(""), []);
});

Deno.test("parse() leaves out blank lines and, where asked, comments", () => {
  assertEquals(parse("\na\n\n\r\nb\n\n"), [["a"], ["b"]]);
  assertEquals(parse("#a,b\nc,#d\n", { comment: "#" }), [["c", "#d"]]);
  assertEquals(parse("#a,b\n"), [["#a", "b"]]);
});

Deno.test("parse() reads quoted values", () => {
  assertEquals(parse('"a ""word""","x,y","two\nlines",""\n'), [
    ['a "word"', "x,y", "two\nlines", ""],
  ]);
  assertEquals(parse('"a\r\nb",c\r\n'), [["a\nb", "c"]]);
  assertEquals(parse('""\n,\n'), [[""], ["", ""]]);
});

Deno.test("parse() takes another separator and drops leading space where asked", () => {
  assertEquals(parse("a;b,c", { separator: ";" }), [["a", "b,c"]]);
  assertEquals(parse(' a,  "b"', { trimLeadingSpace: true }), [["a", "b"]]);
  assertEquals(parse(" a, b"), [[" a", " b"]]);
  for (const options of [{ separator: '"' }, { separator: "#", comment: "#" }, { comment: "\n" }]) {
    assertThrows(() => parse("a", options), Error, "invalid delimiter");
  }
});

Deno.test("parse() names columns by the first row or by the caller", () => {
  const rows = parse("x,y\n1,2\n3,4\n", { skipFirstRow: true });
  const typed: Record<string, string>[] = rows;
  assertEquals(typed, [{ x: "1", y: "2" }, { x: "3", y: "4" }]);
  const named = parse("1,2\n", { columns: ["a", "b"] });
  const a: string | undefined = named[0]?.a;
  assertEquals([a, named[0]?.b], ["1", "2"]);
  assertEquals(parse("x,y\n1,2\n", { columns: ["a", "b"], skipFirstRow: true }), [
    { a: "1", b: "2" },
  ]);
  assertEquals(parse("x,y\n", { skipFirstRow: true }), []);
  assertThrows(() => parse("", { skipFirstRow: true }), TypeError, "headers must be defined");
});

Deno.test("parse() refuses a row that does not fit the header", () => {
  const error = assertThrows(
    () => parse("x,y\n1,2\n3", { skipFirstRow: true }),
    Error,
    "Syntax error on line 3: The record has 1 fields, but the header has 2 fields",
  );
  assertFalse(error instanceof SyntaxError);
});

Deno.test("parse() checks the number of fields where asked", () => {
  assertEquals(parse("a,b\nc\n"), [["a", "b"], ["c"]]);
  assertEquals(parse("a,b\nc\n", { fieldsPerRecord: -1 }), [["a", "b"], ["c"]]);
  assertThrows(
    () => parse("a,b\n\nc,d,e\n", { fieldsPerRecord: 0 }),
    SyntaxError,
    "Syntax error on line 3: expected 2 fields but got 3",
  );
  assertThrows(
    () => parse("a,b\n", { fieldsPerRecord: 3 }),
    SyntaxError,
    "Syntax error on line 1: expected 3 fields but got 2",
  );
});

Deno.test("parse() says where a quote is out of place", () => {
  const bare = assertThrows(() => parse('x,y\na "b",c\n'), SyntaxError);
  assertInstanceOf(bare, SyntaxError);
  assertEquals(
    bare.message,
    'Syntax error on line 2; parse error on line 2, column 3: bare " in non-quoted-field',
  );
  assertThrows(
    () => parse('a,"b"c\n'),
    SyntaxError,
    'parse error on line 1, column 5: extraneous or missing " in quoted-field',
  );
  assertThrows(
    () => parse('a,"b\nc'),
    SyntaxError,
    "Syntax error on line 1; parse error on line 2",
  );
});

Deno.test("stringify() ends lines in CRLF and quotes only where needed", () => {
  assertEquals(
    stringify([["a b", 'say "x"', "1,2", "two\nlines", "bare\r"]]),
    'a b,"say ""x""","1,2","two\nlines",bare\r\r\n',
  );
  assertEquals(stringify([]), "");
  assertEquals(
    stringify([[1, true, 0.5, 10n, null, undefined, "", NaN]]),
    "1,true,0.5,10,,,,NaN\r\n",
  );
  assertEquals(stringify([[[1, 2], { a: 1 }]]), '"[1,2]","{""a"":1}"\r\n');
});

Deno.test("stringify() picks columns by name, index or path", () => {
  const data = [{ name: { first: "Ada" }, age: 36 }, { name: { first: "Alan" }, age: 41 }];
  const columns = [["name", "first"], { prop: "age", header: "years" }];
  assertEquals(stringify(data, { columns }), "first,years\r\nAda,36\r\nAlan,41\r\n");
  assertEquals(stringify(data, { columns, headers: false }), "Ada,36\r\nAlan,41\r\n");
  assertEquals(stringify([], { columns }), "first,years\r\n");
  assertEquals(stringify([["x", "y"]], { columns: [1] }), "1\r\ny\r\n");
  assertEquals(stringify([{ a: 1 }], { columns: ["a", "b"] }), "a,b\r\n1,\r\n");
});

Deno.test("stringify() takes another separator and a byte-order mark", () => {
  assertEquals(stringify([["a,b", "c\td"]], { separator: "\t" }), 'a,b\t"c\td"\r\n');
  assertEquals(stringify([["a"]], { bom: true }), "\ufeffa\r\n");
  assertThrows(() => stringify([["a"]], { separator: '"' }), TypeError, "Separator cannot include");
});

Deno.test("stringify() refuses objects without columns and names on arrays", () => {
  assertThrows(() => stringify([{ a: 1 }]), TypeError, "No property accessor function");
  assertThrows(() => stringify([["a"]], { columns: ["a"] }), TypeError, 'not of type "number"');
});

Deno.test("parse() reads back what stringify() wrote", () => {
  const rows = [["", "a", 'b"c', "d,e", "f\ng"], ["1", "", "", "", ""]];
  assertEquals(parse(stringify(rows)), rows);
});
