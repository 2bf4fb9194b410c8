/** Steps of a drawing, and that undoing them paints what was there before. */

import { assert, assertEquals } from "@std/assert";
import { type Paint, Sketch } from "../../../draw/page/sketch.ts";

/** Paint that remembers what is on the canvas as what was done since it was last cleared. */
function recorder(): { paint: Paint; seen: () => string } {
  let marks: string[] = [];
  const paint = {
    globalCompositeOperation: "source-over",
    lineCap: "butt",
    lineWidth: 1,
    fillStyle: "",
    clearRect: () => marks = [],
    beginPath() {},
    moveTo: (x: number, y: number) => marks.push(`${paint.globalCompositeOperation} ${x},${y}`),
    lineTo: (x: number, y: number) => marks.push(`to ${x},${y} ${paint.lineWidth}`),
    stroke() {},
    arc: (x: number, y: number, radius: number) =>
      marks.push(`${paint.globalCompositeOperation} ${paint.fillStyle} ${x},${y} ${radius}`),
    fill() {},
    fillRect: (x: number, y: number) => marks.push(`${paint.fillStyle} ${x},${y}`),
  };
  return { paint: paint as Paint, seen: () => marks.join("; ") };
}

const at = (x: number, y: number) => ({ x, y, width: 10 });

Deno.test("undo() paints what was there before each step", () => {
  const { paint, seen } = recorder();
  const sketch = new Sketch(paint);
  const before: string[] = [];
  const digit = new Uint8Array(784);
  digit[29] = 255;
  const steps = [
    () => sketch.begin("pen", at(1, 2)),
    () => sketch.begin("eraser", at(3, 4)),
    () => sketch.clear(),
    () => sketch.show(digit),
    () => sketch.begin("pen", at(5, 6)),
  ];
  for (const step of steps) {
    before.push(seen());
    step();
    sketch.extend([at(7, 8), at(9, 9)]);
  }
  for (const marks of before.reverse()) {
    sketch.undo();
    assertEquals(seen(), marks);
  }
  assertEquals(sketch.canUndo, false);
});

Deno.test("a digit that is shown is handed on to the bit until something is drawn on it", () => {
  const sketch = new Sketch(recorder().paint);
  const digit = Uint8Array.from({ length: 784 }, (_, i) => i % 256);
  sketch.begin("pen", at(1, 1));
  assertEquals(sketch.digit, undefined);
  sketch.show(digit);
  assertEquals(sketch.digit, digit);
  sketch.begin("pen", at(1, 1));
  assertEquals(sketch.digit, undefined);
  sketch.undo();
  assertEquals(sketch.digit, digit);
});

Deno.test("paper is empty at first and after clear(), which is no step on empty paper", () => {
  const sketch = new Sketch(recorder().paint);
  assert(sketch.isEmpty);
  sketch.clear();
  assertEquals(sketch.canUndo, false);
  sketch.begin("pen", at(1, 1));
  assertEquals(sketch.isEmpty, false);
  sketch.clear();
  assert(sketch.isEmpty && sketch.canUndo);
});

Deno.test("a tap is a dot as wide as the tool, not a line without length", () => {
  const { paint, seen } = recorder();
  const sketch = new Sketch(paint);
  sketch.begin("pen", at(1, 2));
  assertEquals(seen(), "source-over black 1,2 5");
  sketch.begin("eraser", at(3, 4));
  assertEquals(seen().split("; ")[1], "destination-out black 3,4 5");
});
