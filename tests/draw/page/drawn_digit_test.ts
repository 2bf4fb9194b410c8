/** From the paper to 28×28 pixels. */

import { assert, assertEquals } from "@std/assert";
import { drawnDigit } from "../../../draw/page/drawn_digit.ts";

const SIDE = 560;

/** RGBA of a paper with opaque black in some rectangles: left, top, width, height. */
function paper(...boxes: readonly (readonly [number, number, number, number])[]) {
  const ink = new Uint8ClampedArray(4 * SIDE * SIDE);
  for (const [left, top, width, height] of boxes) {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) ink[4 * (y * SIDE + x) + 3] = 255;
    }
  }
  return ink;
}

/** Rows and columns with ink, first and last. */
function extent(pixels: Uint8Array): { rows: number[]; columns: number[] } {
  const places = [...pixels.keys()].filter((place) => pixels[place]! > 100);
  const span = (values: number[]) => [Math.min(...values), Math.max(...values)];
  return {
    rows: span(places.map((place) => Math.floor(place / 28))),
    columns: span(places.map((place) => place % 28)),
  };
}

Deno.test("drawnDigit() has nothing of empty paper", () => {
  assertEquals(drawnDigit(paper(), SIDE), undefined);
});

/** Makes sure of 20 rows, centred as near as whole pixels come. */
function assertFillsRows(rows: readonly number[], what: string): void {
  assertEquals(rows[1]! - rows[0]!, 19, what);
  assert(rows[0] === 4 || rows[0] === 5, `${what}: rows ${rows}`);
}

Deno.test("drawnDigit() makes a drawing 20 pixels high and centres it, wherever it is", () => {
  const places = [[260, 80, 40, 400], [10, 440, 12, 119], [548, 0, 12, 120]] as const;
  for (const box of places) {
    const { rows, columns } = extent(drawnDigit(paper(box), SIDE)!);
    assertFillsRows(rows, `${box}`);
    assert(columns[0]! >= 12 && columns[1]! <= 15, `${box}: columns ${columns}`);
  }
});

Deno.test("drawnDigit() keeps ink that runs over the paper's edge", () => {
  const pixels = drawnDigit(paper([0, 0, 40, 560], [0, 260, 400, 40]), SIDE)!;
  const { rows, columns } = extent(pixels);
  assertFillsRows(rows, "a cross");
  assert(columns[1]! - columns[0]! >= 13, `columns ${columns}`);
});

Deno.test("drawnDigit() takes a dot for a drawing too", () => {
  assert(drawnDigit(paper([100, 100, 42, 42]), SIDE)!.some((grey) => grey > 200));
});
