import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode } from "fast-png";
import { contactSheet } from "../../../report/figures/contact_sheet.ts";
import { drawText, type GreyImage, textWidth } from "../../../report/figures/pixel_font.ts";

/** Images whose pixels tell which image and place they are. */
function testImages(count: number): Uint8Array {
  return Uint8Array.from({ length: count * 784 }, (_, i) => (i * 7 + Math.floor(i / 784)) % 251);
}

const mistake = (index: number) => ({ index, target: 5, prediction: 3, score: 0.98 });

Deno.test("contactSheet() draws each digit threefold, in order, eight in a row", () => {
  const images = testImages(12);
  const order = [11, 3, 7, 0, 1, 2, 4, 5, 6];
  const { width, height, data, channels } = decode(contactSheet(order.map(mistake), images));
  assertEquals([width, height, channels], [800, 244, 1]);
  for (const [place, index] of order.entries()) {
    const [left, top] = [place % 8 * 100 + 8, Math.floor(place / 8) * 122 + 8];
    const drawn = Array.from({ length: 784 }, (_, i) => {
      const corner = (top + Math.floor(i / 28) * 3) * width + left + i % 28 * 3;
      const square = [0, 1, 2].flatMap((row) => [
        ...data.subarray(corner + row * width, corner + row * width + 3),
      ]);
      assert(square.every((grey) => grey === square[0]));
      return square[0]!;
    });
    assertEquals(drawn, [...images.subarray(index * 784, (index + 1) * 784)]);
  }
});

Deno.test("contactSheet() writes target, prediction and score under the digit", () => {
  const black = new Uint8Array(784);
  const label = (score: number) => {
    const png = contactSheet([{ index: 0, target: 5, prediction: 3, score }], black);
    const { width, data } = decode(png);
    return Array.from({ length: 14 }, (_, row) =>
      Array.from(
        data.subarray((100 + row) * width, (101 + row) * width),
        (grey) => grey > 100 ? "#" : " ",
      ).join("")).join("\n");
  };
  const drawn = (text: string) => {
    const image: GreyImage = { width: 100, height: 14, data: new Uint8Array(1400) };
    const x = Math.floor((100 - textWidth(text, 2)) / 2);
    drawText(image, text, { x, y: 0, scale: 2, grey: 255 });
    return Array.from({ length: 14 }, (_, row) =>
      Array.from(
        image.data.subarray(row * 100, (row + 1) * 100),
        (grey) => grey > 0 ? "#" : " ",
      ).join("")).join("\n");
  };
  assertEquals(label(0.9804), drawn("5→3 .980"));
  assertEquals(label(0.99999), drawn("5→3 1.00"));
  assertEquals(label(0.05), drawn("5→3 .050"));
  assert(textWidth("5→3 1.00", 2) <= 100 - 2 * 3);
});

Deno.test("contactSheet() is as wide as its digits, and the same every time", () => {
  const images = testImages(3);
  const sheet = contactSheet([mistake(2), mistake(0)], images);
  const { width, height } = decode(sheet);
  assertEquals([width, height], [200, 122]);
  assertEquals(contactSheet([mistake(2), mistake(0)], images), sheet);
});

Deno.test("contactSheet() refuses nothing, and an image that is not there", () => {
  assertThrows(() => contactSheet([], testImages(1)), RangeError);
  assertThrows(() => contactSheet([mistake(1)], testImages(1)), RangeError, "only 1");
});

Deno.test("drawText() draws a digit as the font has it and clips at the edges", () => {
  const image: GreyImage = { width: 5, height: 7, data: new Uint8Array(35) };
  drawText(image, "1", { x: 0, y: 0, scale: 1, grey: 9 });
  const rows = Array.from(
    { length: 7 },
    (_, row) => [...image.data.subarray(row * 5, row * 5 + 5)].join(""),
  );
  assertEquals(rows, ["00900", "09900", "00900", "00900", "00900", "00900", "09990"]);
  drawText(image, "88", { x: -3, y: -2, scale: 3, grey: 1 });
  assertEquals(image.data.length, 35);
  assertThrows(() => drawText(image, "a", { x: 0, y: 0, scale: 1, grey: 1 }), RangeError, '"a"');
});
