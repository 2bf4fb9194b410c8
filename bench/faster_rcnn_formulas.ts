/**
 * A detector's weights and images by formula, the same as `reference/faster_rcnn_formulas.py` makes:
 * two programs have the same detector without a file of 160 MB between them.
 *
 * @module
 */

/** Numbers 0 <= u < 1, a mixing of each index's bits. */
export function noise(seed: number, count: number): Float64Array {
  const shift = Math.imul(seed, 0x85ebca77);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i, 0x9e3779b1) + shift) | 0;
    x ^= x >>> 15;
    x = Math.imul(x, 0x2c1b3c6d);
    x ^= x >>> 12;
    x = Math.imul(x, 0x297a2d39);
    x ^= x >>> 15;
    values[i] = (x >>> 0) / 2 ** 32;
  }
  return values;
}

/** An image `[h, w, 3]` in 0..1: coarse blocks, finer ones on them, and noise. */
export function image(seed: number, height: number, width: number): Float32Array {
  const values = new Float64Array(height * width * 3);
  for (const [block, strength] of [[16, 0.5], [5, 0.3], [1, 0.2]] as const) {
    const [rows, columns] = [Math.ceil(height / block), Math.ceil(width / block)];
    const coarse = noise(seed * 10 + block, 3 * rows * columns);
    for (let at = 0; at < values.length; at++) {
      const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
      const cell = Math.floor(y / block) * columns + Math.floor(x / block);
      values[at] = values[at]! + strength * coarse[3 * cell + at % 3]!;
    }
  }
  return new Float32Array(values);
}

/** A model's weight by the formula; `seed` counts a state dict's parameters. */
export function formulaWeight(name: string, shape: readonly number[], seed: number): Float32Array {
  const [middle, half] = weightRange(name, shape);
  const values = noise(seed, shape.reduce((count, length) => count * length, 1));
  return new Float32Array(values.map((u) => middle + half * (2 * u - 1)));
}

/** Factors on the spread that would keep activations' scale, by part of the name. */
const SCALES: readonly (readonly [part: string, factor: number])[] = [
  ["fpn.layer_blocks", 0.1],
  ["rpn.head.cls_logits", 0.6],
  ["rpn.head.bbox_pred", 0.4],
  ["box_predictor.cls_score", 1.2],
  ["box_predictor.bbox_pred", 3],
];

/** Middle and half width of a parameter's values. */
function weightRange(name: string, shape: readonly number[]): [middle: number, half: number] {
  const kind = name.slice(name.lastIndexOf(".") + 1);
  if (kind === "running_var") return [1, 0.3];
  if (kind === "running_mean") return [0, 0.1];
  // The branch that is added to the shortcut is weak, so that sums do not grow.
  if (shape.length === 1 && kind === "weight") {
    return name.includes(".bn3.") ? [0.4, 0.1] : [1, 0.3];
  }
  if (kind === "bias") return [0, 0.1];
  const fanIn = shape.slice(1).reduce((count, length) => count * length, 1);
  const [, scale] = SCALES.find(([part]) => name.includes(part)) ?? ["", 1];
  return [0, scale * (6 / fanIn) ** 0.5];
}
