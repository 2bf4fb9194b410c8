import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { join } from "node:path";
import { drawRooms } from "../../docs/draw_rooms.ts";
import { type Imports, importsOf } from "../../docs/imports.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { StudyError } from "../../io/errors.ts";
import { wellFormedElements } from "../report/figures/well_formed.ts";

/** Files with what they import, as `readImports()` gives them. */
function imports(files: Record<string, string[]>): Map<string, Imports> {
  return new Map(Object.entries(files).map(([path, files]) => [path, { files, packages: [] }]));
}

/** From the top: a, b, c; a imports from both others. */
const THREE = { "a/x.ts": ["b/y/z.ts", "c.ts"], "b/y/z.ts": ["c.ts"], "c.ts": [] };

function topOf(room: string, drawing: string): number {
  return Number(drawing.match(`<title>${room} .*?y="(\\d+)"`)![1]);
}

Deno.test("importsOf() sees every form of import, types included", () => {
  const source = [
    'import { a } from "./a.ts";',
    'import type { B } from "../b.ts";',
    'import {\n  c,\n} from "@std/c";',
    'import "./d.ts";',
    'export * from "./e/e.ts";',
    'export { type F } from "./a.ts";',
    `const g = await ${"import"}("./g.ts");`,
    '// import "./h.ts";',
    `const i: ${"import"}("node:fs").Stats = from("./i.ts");`,
  ];
  assertEquals(importsOf("room/x.ts", source.join("\n")), {
    files: ["room/a.ts", "b.ts", "room/d.ts", "room/e/e.ts", "room/g.ts"],
    packages: ["@std/c", "node:fs"],
  });
});

Deno.test("drawRooms() puts a room above those that it imports from", () => {
  const drawing = drawRooms(imports(THREE));
  assert(topOf("a", drawing) < topOf("b", drawing));
  assert(topOf("b", drawing) < topOf("c.ts", drawing));
  assertEquals(wellFormedElements(drawing).filter((name) => name === "rect").length, 3);
});

Deno.test("drawRooms() leaves out the arrow that follows from others, and says it in the title", () => {
  const drawing = drawRooms(imports(THREE));
  assertEquals(drawing.match(/class="head" d/g)!.length, 2);
  assert(drawing.includes("<title>a imports b 1, c.ts 1</title>"));
});

Deno.test("drawRooms() counts files and folders, and leaves the tests out", () => {
  const files = { ...THREE, "b/v.ts": [], "tests/t.ts": ["a/x.ts"] };
  const drawing = drawRooms(imports(files));
  assert(drawing.includes(">2 files<") && drawing.includes(">y 1<"));
  assertFalse(drawing.includes("tests"));
});

Deno.test("the suite's drawing has room for every line in its box", async () => {
  const drawing = await Deno.readTextFile(join(repositoryRoot(), "docs/rooms.svg"));
  const boxes = [...drawing.matchAll(/<rect [^>]*y="(\d+)"[^>]*height="(\d+)"[^>]*>(.*?)<\/g>/g)];
  assert(boxes.length > 9);
  for (const [, top, height, text] of boxes) {
    const lines = Array.from(text!.matchAll(/ y="([\d.]+)"/g), ([, y]) => Number(y));
    // The first line's letters are 14 pixels high; below the last one's baseline hang 4.
    assert(lines[0]! - 14 >= Number(top), text);
    assert(lines.at(-1)! + 4 <= Number(top) + Number(height), text);
  }
});

Deno.test("drawRooms() names the rooms of a circle", () => {
  const circle = imports({ "a/x.ts": ["b/y.ts"], "b/y.ts": ["a/x.ts"] });
  assertThrows(() => drawRooms(circle), StudyError, "a → b → a");
});
