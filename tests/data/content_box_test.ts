import { assert, assertEquals } from "@std/assert";
import { contentBox } from "../../data/content_box.ts";
import { resize224, resizedBox } from "../../data/rgb224.ts";
import type { Tensor } from "../../engine/ops.ts";
import { testEngine } from "../engine/engine.ts";

const { tf } = await testEngine();

/** Images with the given pixels set, `[row, column]`. */
function imagesOf(...images: readonly (readonly (readonly [number, number])[])[]): Uint8Array {
  const pixels = new Uint8Array(784 * images.length);
  for (const [index, places] of images.entries()) {
    for (const [row, column] of places) pixels[784 * index + 28 * row + column] = 255;
  }
  return pixels;
}

Deno.test("contentBox() is the smallest box around what is not black", () => {
  const images = imagesOf([[3, 5], [8, 20]], [[3, 5], [7, 21]], [[27, 27]], [], [[0, 0], [27, 27]]);
  assertEquals([0, 1, 2, 3, 4].map((index) => contentBox(images, index)), [
    { left: 5, top: 3, width: 16, height: 6 },
    { left: 5, top: 3, width: 17, height: 5 },
    { left: 27, top: 27, width: 1, height: 1 },
    { left: 14, top: 14, width: 1, height: 1 },
    { left: 0, top: 0, width: 28, height: 28 },
  ]);
});

Deno.test("resizedBox() holds all that a box's pixels change, and no more", () => {
  for (const place of [[0, 0], [13, 4], [27, 27], [9, 26]] as const) {
    const pixels = imagesOf([place], []);
    const [row, column] = place;
    const { left, top, width, height } = resizedBox({
      left: column,
      top: row,
      width: 1,
      height: 1,
    });
    const enlarged = tf.tidy(() =>
      resize224(tf.tensor2d(Float32Array.from(pixels), [2, 784]) as Tensor).dataSync()
    );
    const changed = [...enlarged.subarray(0, 224 * 224).entries()].filter(([, grey]) => grey !== 0)
      .map(([index]) => [Math.floor(index / 224), index % 224] as const);
    const span = (axis: 0 | 1) => {
      const places = changed.map((at) => at[axis]);
      return [Math.min(...places), Math.max(...places) + 1];
    };
    assert(changed.length > 0);
    assertEquals(span(0), [top, top + height], `${place}`);
    assertEquals(span(1), [left, left + width], `${place}`);
  }
});
