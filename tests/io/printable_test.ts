import { assertEquals } from "@std/assert";
import { printable, printableJson, shortened, terminalText } from "../../io/printable.ts";

Deno.test("printable() leaves one line without what a terminal acts upon or nobody sees", () => {
  const texts = {
    "a\u001b[31mred\u0007": "a [31mred",
    "gpj\u202e.exe": "gpj .exe",
    " two\r\n\tlines\u2028and \u0085more ": "two lines and more",
    "lone \ud800 half": "lone half",
    "数字 ü 👍": "数字 ü 👍",
  };
  for (const [text, shown] of Object.entries(texts)) assertEquals(printable(text), shown);
});

Deno.test("printable() cuts by characters, however long the text", () => {
  assertEquals(printable("👍".repeat(5), 5), "👍".repeat(5));
  assertEquals(printable("👍".repeat(6), 5), "👍👍👍👍…");
  assertEquals(printable("x".repeat(200)), "x".repeat(200));
  assertEquals(printable("x".repeat(10_000_000)), `${"x".repeat(199)}…`);
  assertEquals(printable(`${" ".repeat(10_000)}x`), "…");
});

Deno.test("shortened() changes nothing but the length", () => {
  assertEquals(shortened(" "), " ");
  assertEquals(shortened("abcdef", 4), "abc…");
});

Deno.test("terminalText() keeps lines and tabs", () => {
  assertEquals(terminalText("| a |\n\tb\u001b[2J\u202e\r"), "| a |\n\tb?[2J??");
});

Deno.test("printableJson() is JSON of the same value without invisible characters", () => {
  const value = { "\u202ename": ["a\u0007\u009b", "\ud800", "\u{e0001}", "数字"] };
  const text = printableJson(value);
  assertEquals(JSON.parse(text), value);
  assertEquals(/\p{C}/u.test(text), false);
});
