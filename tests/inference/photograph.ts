/** A digit as a telephone would photograph it. */

import { type GreyPicture, resampled } from "../../data/grey_picture.ts";

/** Numbers in 0..1 from a seed (Lehmer's generator). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff;
}

/** Side of the digit's field in the picture, and paper around it. */
const SIDE = 224;
const MARGIN = 24;

/** Standard deviation of the sensor's noise, in levels of grey. */
const NOISE = 8;

/** Share of the light that full ink takes. */
const INK = 0.7;

/**
 * Enlarges a digit eight times and photographs it: dark ink on paper, lit from one side so that the
 * other has about half the light, slightly out of focus, with a sensor's noise and rounding.
 *
 * @param pixels `[784]`, light on dark.
 */
export function photograph(pixels: Uint8Array, random: () => number): GreyPicture {
  const digit = resampled({ width: 28, height: 28, pixels }, SIDE, SIDE);
  const side = SIDE + 2 * MARGIN;
  const ink = new Float32Array(side * side);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      ink[(y + MARGIN) * side + x + MARGIN] = digit.pixels[y * SIDE + x]! / 255;
    }
  }
  const soft = outOfFocus(ink, side);
  const angle = 2 * Math.PI * random();
  const picture = new Float32Array(side * side);
  for (let i = 0; i < picture.length; i++) {
    const [x, y] = [i % side / side - 0.5, Math.floor(i / side) / side - 0.5];
    const light = 170 *
      (1 + 0.6 * (x * Math.cos(angle) + y * Math.sin(angle)) - 0.3 * (x * x + y * y));
    const noise = NOISE * Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    const grey = light * (1 - INK * soft[i]!) + noise;
    picture[i] = Math.round(Math.min(255, Math.max(0, grey)));
  }
  return { width: side, height: side, pixels: picture };
}

/** Each value the mean of 5×5. */
function outOfFocus(values: Float32Array, side: number): Float32Array {
  return values.map((_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    let [sum, count] = [0, 0];
    for (let v = Math.max(0, y - 2); v <= Math.min(side - 1, y + 2); v++) {
      for (let u = Math.max(0, x - 2); u <= Math.min(side - 1, x + 2); u++) {
        sum += values[v * side + u]!;
        count++;
      }
    }
    return sum / count;
  });
}
