import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { contactSheet } from "../../../report/figures/contact_sheet.ts";
import { COLOUR } from "../../../report/figures/theme.ts";
import { svgTexts, wellFormedElements } from "./well_formed.ts";

const TEXT = { title: "Wrong", alt: "what is wrong" };

/** Images whose pixels tell which image and place they are. */
function testImages(count: number): Uint8Array {
  return Uint8Array.from({ length: count * 784 }, (_, i) => (i * 7 + Math.floor(i / 784)) % 251);
}

const mistake = (index: number) => ({ index, target: 5, prediction: 3, score: 0.98 });

/** What the paths of each digit put where, in sixteenths of full ink: `[784]` per digit. */
function drawnDigits(svg: string): number[][] {
  return [...svg.matchAll(/<g transform="[^"]*scale\(3\)"[^>]*>(.*?)<\/g>/gs)].map(([, paths]) => {
    const shades: number[] = Array(784).fill(0);
    for (const [, opacity, d] of paths!.matchAll(/stroke-opacity="([\d.]+)" d="([^"]*)"/g)) {
      for (const [, x, y, length] of d!.matchAll(/M(\d+) (\d+)\.5h(\d+)/g)) {
        const start = 28 * Number(y) + Number(x);
        shades.fill(Math.round(15 * Number(opacity)), start, start + Number(length));
      }
    }
    return shades;
  });
}

Deno.test("contactSheet() draws each digit threefold, in order, eight in a row", () => {
  const images = testImages(12);
  const order = [11, 3, 7, 0, 1, 2, 4, 5, 6];
  const svg = contactSheet(order.map(mistake), images, TEXT);
  assertStringIncludes(svg, 'width="800" height="260" viewBox="0 0 800 260"');
  const cells = [...svg.matchAll(/<g transform="translate\((\d+),(\d+)\)"><title>/g)];
  assertEquals(
    cells.map(([, x, y]) => [Number(x), Number(y)]),
    order.map((_, place) => [place % 8 * 100, Math.floor(place / 8) * 130]),
  );
  const drawn = drawnDigits(svg);
  for (const [place, index] of order.entries()) {
    const digit = [...images.subarray(index * 784, (index + 1) * 784)];
    assertEquals(drawn[place], digit.map((grey) => Math.round(grey * 15 / 255)));
  }
});

Deno.test("contactSheet() writes target, prediction and score under the digit, as text", () => {
  const scores = [0.9804, 0.99999, 0.05];
  const mistakes = scores.map((score) => ({ index: 0, target: 5, prediction: 3, score }));
  const svg = contactSheet(mistakes, testImages(1), TEXT);
  assertEquals(svgTexts(svg), ["5 → 3", "0.980", "5 → 3", "1.000", "5 → 3", "0.050"]);
  assertStringIncludes(svg, "<title>Image 0: 5 predicted as 3, score 0.9804</title>");
});

Deno.test("contactSheet() describes itself, refers to nothing and follows the reader's theme", () => {
  const svg = contactSheet([mistake(2), mistake(0)], testImages(3), TEXT);
  wellFormedElements(svg);
  assertStringIncludes(svg, 'width="200" height="130"');
  assertStringIncludes(svg, "<title>Wrong</title><desc>what is wrong</desc><style>@media (prefers");
  assertStringIncludes(svg, `[stroke="${COLOUR.ink}"]{stroke:`);
  assert(!/href|url\(|<image/.test(svg));
  assertEquals(contactSheet([mistake(2), mistake(0)], testImages(3), TEXT), svg);
});

Deno.test("contactSheet() refuses nothing, and an image that is not there", () => {
  assertThrows(() => contactSheet([], testImages(1), TEXT), RangeError);
  assertThrows(() => contactSheet([mistake(1)], testImages(1), TEXT), RangeError, "only 1");
});
