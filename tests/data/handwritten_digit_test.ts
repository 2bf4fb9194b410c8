/** Pictures of digits become what MNIST has. */

import { assert, assertEquals } from "@std/assert";
import { IMAGE_PIXELS } from "../../data/dataset.ts";
import { prepareDigit } from "../../data/handwritten_digit.ts";
import { type GreyPicture, greyPicture, resampled } from "../../data/grey_picture.ts";
import { photograph, randomNumbers } from "../inference/photograph.ts";
import { IMPORTS } from "../source.ts";
import { firstTestDigits } from "./mnist.ts";

const COUNT = 200;
const { images } = await firstTestDigits(COUNT);
const digit = (i: number) => images.subarray(i * IMAGE_PIXELS, (i + 1) * IMAGE_PIXELS);

/** A picture of light ink on black, from a function of its places, 0..255. */
function drawn(width: number, height: number, at: (x: number, y: number) => number): GreyPicture {
  const pixels = Float32Array.from(
    { length: width * height },
    (_, i) => at(i % width, Math.floor(i / width)),
  );
  return { width, height, pixels };
}

const inverted = ({ width, height, pixels }: GreyPicture): GreyPicture => ({
  width,
  height,
  pixels: Float32Array.from(pixels, (grey) => 255 - grey),
});

/** A bar of 30×120 in a field of 200×160, its corner at 90, 20. */
const BAR = drawn(200, 160, (x, y) => (x >= 90 && x < 120 && y >= 20 && y < 140 ? 230 : 0));

/** The smallest box with all pixels that are not 0: left, top, right, bottom. */
function boxOf(pixels: Uint8Array): number[] {
  const inked = [...pixels.keys()].filter((i) => pixels[i]! > 0);
  const [x, y] = [inked.map((i) => i % 28), inked.map((i) => Math.floor(i / 28))];
  return [Math.min(...x), Math.min(...y), Math.max(...x) + 1, Math.max(...y) + 1];
}

Deno.test("prepareDigit() leaves MNIST's own digits as they are", () => {
  let same = 0;
  for (let i = 0; i < COUNT; i++) {
    const { pixels, ink } = prepareDigit({ width: 28, height: 28, pixels: digit(i) })!;
    assertEquals(ink, "light");
    // The strongest ink, which noise could have, becomes full ink.
    if (pixels.every((grey, at) => Math.abs(grey - digit(i)[at]!) <= 4)) same++;
  }
  assert(same >= 0.98 * COUNT, `${same} of ${COUNT}`);
});

Deno.test("prepareDigit() tells dark ink from light, to the same result", () => {
  for (let i = 0; i < COUNT; i++) {
    const light = prepareDigit({ width: 28, height: 28, pixels: digit(i) })!;
    const dark = prepareDigit(inverted({ width: 28, height: 28, pixels: digit(i) }))!;
    assertEquals(dark.ink, "dark");
    assert(dark.pixels.every((grey, at) => Math.abs(grey - light.pixels[at]!) <= 1), `digit ${i}`);
  }
});

Deno.test("prepareDigit() takes the ink that it is told to", () => {
  assertEquals(prepareDigit(BAR, { ink: "light" })!.box, {
    left: 90,
    top: 20,
    width: 30,
    height: 120,
  });
  assertEquals(prepareDigit(BAR, { ink: "dark" }), undefined);
  const dark = prepareDigit(inverted(BAR), { ink: "dark" });
  assertEquals(dark, { ...prepareDigit(BAR)!, ink: "dark" });
});

Deno.test("prepareDigit() scales to 20 pixels, keeps proportions, and centres by mass", () => {
  const { pixels, box } = prepareDigit(BAR)!;
  assertEquals(box, { left: 90, top: 20, width: 30, height: 120 });
  const [left, top, right, bottom] = boxOf(pixels);
  assertEquals(bottom! - top!, 20);
  // 5 pixels wide, of which antialiasing may make two halves.
  assert(right! - left! <= 6, `${right! - left!}`);
  const columns = pixels.subarray(14 * 28, 15 * 28).reduce((sum, grey) => sum + grey, 0) / 255;
  assert(Math.abs(columns - 5) < 0.05, `${columns}`);
  // A heavy end draws the rest away from the middle.
  const wedge = drawn(120, 120, (x, y) => (y >= 20 && y < 100 && x >= 20 && x < 40 ||
      x >= 20 && x < 100 && y >= 20 && y < 40
    ? 255
    : 0));
  const image = prepareDigit(wedge)!.pixels;
  let [mass, x, y] = [0, 0, 0];
  for (const [i, grey] of image.entries()) {
    mass += grey;
    x += grey * (i % 28);
    y += grey * Math.floor(i / 28);
  }
  assert(Math.abs(x / mass - 14) <= 0.5 && Math.abs(y / mass - 14) <= 0.5, `${x / mass}`);
});

Deno.test("prepareDigit() passes over specks and what reaches in from the edge", () => {
  const plain = prepareDigit(BAR)!;
  const dirty = drawn(200, 160, (x, y) => {
    if (x > 180 || (x < 6 && y < 6 && x > 2)) return 200; // a dark margin, and a speck
    return BAR.pixels[y * 200 + x]!;
  });
  assertEquals(prepareDigit(dirty), plain);
});

Deno.test("prepareDigit() finds no ink on an empty page, whatever light and noise", () => {
  let state = 1;
  const noise = () => {
    let sum = 0;
    for (let i = 0; i < 4; i++) sum += (state = (state * 48271) % 0x7fffffff) / 0x7fffffff - 0.5;
    return 10 * sum;
  };
  for (const brightness of [15, 120, 240]) {
    assertEquals(prepareDigit(drawn(80, 60, () => brightness)), undefined);
    const page = drawn(
      160,
      120,
      (x, y) => brightness - 0.05 * x * brightness / 15 + 0.02 * y + noise(),
    );
    assertEquals(prepareDigit(page), undefined);
  }
});

Deno.test("prepareDigit() finds a small digit in a large picture", () => {
  const small = resampled({ width: 28, height: 28, pixels: digit(0) }, 84, 84);
  const large = drawn(1600, 1200, (x, y) => {
    const [u, v] = [x - 1100, y - 300];
    return u >= 0 && v >= 0 && u < 84 && v < 84 ? 220 - 0.8 * small.pixels[v * 84 + u]! : 220;
  });
  const { pixels, ink, box } = prepareDigit(large)!;
  assertEquals(ink, "dark");
  assert(box.left >= 1100 && box.left + box.width <= 1184, JSON.stringify(box));
  assert(box.top >= 300 && box.top + box.height <= 384, JSON.stringify(box));
  const difference = pixels.reduce((sum, grey, i) => sum + Math.abs(grey - digit(0)[i]!), 0);
  assert(difference / digit(0).reduce((sum, grey) => sum + grey, 0) < 0.35, `${difference}`);
});

Deno.test("prepareDigit() finds ink in a long strip where it is, whichever way it lies", () => {
  const side = 84;
  const at = (u: number, v: number) => (u >= 0 && v >= 0 && u < side && v < side ? 20 : 220);
  const inked = { width: side, height: side };
  // Of the second hardly a pixel is left of its width once it has been made smaller.
  for (const [length, start] of [[4000, 3000], [34_500, 30_000]] as const) {
    const upright = drawn(100, length, (x, y) => at(x - 8, y - start));
    const lying = drawn(length, 100, (x, y) => at(x - start, y - 8));
    assertEquals(prepareDigit(upright)!.box, { left: 8, top: start, ...inked });
    assertEquals(prepareDigit(lying)!.box, { left: start, top: 8, ...inked });
  }
});

Deno.test("prepareDigit() looks past the sharp edge of a shadow, and of the paper", () => {
  const random = randomNumbers(3);
  const { width, height, pixels } = photograph(digit(0), random);
  const plain = prepareDigit({ width, height, pixels })!;
  const inShade = Float32Array.from(
    pixels,
    (grey, i) => (i % width < 0.55 * width ? 0.7 * grey : grey),
  );
  const onDesk = Float32Array.from(pixels, (grey, i) => (i < 0.07 * pixels.length ? 50 : grey));
  for (const changed of [inShade, onDesk]) {
    const { box, ink } = prepareDigit({ width, height, pixels: changed })!;
    assertEquals(ink, "dark");
    // A pixel of MNIST is eight of these.
    for (const side of ["left", "top", "width", "height"] as const) {
      const difference = Math.abs(box[side] - plain.box[side]);
      assert(difference <= 6, `${side}: ${JSON.stringify(box)} for ${JSON.stringify(plain.box)}`);
    }
  }
});

Deno.test("prepareDigit() makes full ink of faint pencil", () => {
  const faint = { ...BAR, pixels: Float32Array.from(BAR.pixels, (grey) => 235 - 0.15 * grey) };
  const { pixels, ink } = prepareDigit(faint)!;
  assertEquals([ink, Math.max(...pixels)], ["dark", 255]);
});

Deno.test("greyPicture() weighs colours as PIL, and lays what is transparent on what differs", () => {
  const grey = (channels: number, data: number[], max = 255) =>
    Array.from(greyPicture({ width: 1, height: 1, channels, data, max }).pixels, Math.round);
  assertEquals(grey(3, [255, 0, 0]), [76]);
  assertEquals(grey(3, [0, 255, 0]), [150]);
  assertEquals(grey(1, [65535], 65535), [255]);
  const stroke = (ink: number) =>
    greyPicture({ width: 2, height: 1, channels: 2, data: [ink, 255, ink, 0] }).pixels;
  assertEquals(Array.from(stroke(0)), [0, 255]);
  assertEquals(Array.from(stroke(255)), [255, 0]);
});

Deno.test("resampled() keeps the mean of a picture made smaller", () => {
  const picture = drawn(90, 63, (x, y) => (x * 31 + y * 17) % 256);
  const mean = ({ pixels }: GreyPicture) =>
    Array.from(pixels).reduce((sum, grey) => sum + grey, 0) / pixels.length;
  assert(Math.abs(mean(resampled(picture, 20, 14)) - mean(picture)) < 1e-3);
});

Deno.test("handwritten_digit.ts can run in a browser: it imports plain TypeScript alone", () => {
  const reached = new Set(["data/handwritten_digit.ts", "data/grey_picture.ts"]);
  for (const path of reached) {
    const { files, packages } = IMPORTS.get(path)!;
    assertEquals(packages, [], path);
    for (const file of files) reached.add(file);
  }
  for (const path of reached) {
    const source = Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
    assert(!/\bDeno\./.test(source.replace(/\/\*[^]*?\*\//g, "")), path);
  }
});
