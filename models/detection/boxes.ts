/**
 * Box arithmetic of detectors, as torchvision does it: coding, clipping, overlap, suppression.
 *
 * Boxes are `[n*4]` corners x1, y1, x2, y2 one after the other. All of it is small enough for plain
 * arrays, and rounds to float32 where torchvision's rounding decides what is kept.
 *
 * @module
 */

/** An image's height and width in pixels. */
export type ImageSize = readonly [height: number, width: number];

/** What box regression multiplies offsets dx, dy and log sizes dw, dh by. */
export type BoxWeights = readonly [number, number, number, number];

/** The weights of the box predictor's codes; those of the region proposal network are ones. */
export const BOX_WEIGHTS: BoxWeights = [10, 10, 5, 5];

/** Largest log size decoded, so that no box grows by more than 1000/16. */
const MAX_LOG_SIZE = Math.log(1000 / 16);

/** Up to this many boxes, torchvision tells groups apart by moving them away from each other. */
const MAX_MOVED_BOXES = 1000;

const UNIT_WEIGHTS: BoxWeights = [1, 1, 1, 1];

/**
 * Applies box regression: `torchvision.models.detection._utils.BoxCoder.decode`.
 *
 * @param codes `[n*4]` dx, dy, dw, dh per box.
 * @param boxes `[n*4]` anchors or proposals.
 * @param weights What the codes are divided by.
 * @returns `[n*4]` boxes.
 */
export function decodeBoxes(
  codes: Float32Array,
  boxes: Float32Array,
  weights: BoxWeights = UNIT_WEIGHTS,
): Float32Array {
  const decoded = new Float32Array(boxes.length);
  for (let at = 0; at < boxes.length; at += 4) {
    const width = boxes[at + 2]! - boxes[at]!;
    const height = boxes[at + 3]! - boxes[at + 1]!;
    const x = boxes[at]! + 0.5 * width + codes[at]! / weights[0] * width;
    const y = boxes[at + 1]! + 0.5 * height + codes[at + 1]! / weights[1] * height;
    const halfWidth = 0.5 * width * Math.exp(Math.min(codes[at + 2]! / weights[2], MAX_LOG_SIZE));
    const halfHeight = 0.5 * height * Math.exp(Math.min(codes[at + 3]! / weights[3], MAX_LOG_SIZE));
    decoded[at] = x - halfWidth;
    decoded[at + 1] = y - halfHeight;
    decoded[at + 2] = x + halfWidth;
    decoded[at + 3] = y + halfHeight;
  }
  return decoded;
}

/**
 * What box regression should give: `torchvision.models.detection._utils.BoxCoder.encode`, the reverse
 * of {@linkcode decodeBoxes}.
 *
 * @param reference `[n*4]` boxes to arrive at.
 * @param boxes `[n*4]` proposals to start from, of positive width and height.
 * @param weights What the codes are multiplied by.
 * @returns `[n*4]` dx, dy, dw, dh per box.
 */
export function encodeBoxes(
  reference: Float32Array,
  boxes: Float32Array,
  weights: BoxWeights = UNIT_WEIGHTS,
): Float32Array {
  const codes = new Float32Array(boxes.length);
  for (let at = 0; at < boxes.length; at += 4) {
    for (const axis of [0, 1]) {
      const start = at + axis;
      const size = boxes[start + 2]! - boxes[start]!;
      const wanted = reference[start + 2]! - reference[start]!;
      const shift = reference[start]! + 0.5 * wanted - (boxes[start]! + 0.5 * size);
      codes[start] = weights[axis]! * shift / size;
      codes[start + 2] = weights[axis + 2]! * Math.log(wanted / size);
    }
  }
  return codes;
}

/** Moves corners outside of the image onto its edge, in place. */
export function clipBoxes(boxes: Float32Array, [height, width]: ImageSize): void {
  for (let at = 0; at < boxes.length; at += 2) {
    boxes[at] = Math.min(Math.max(boxes[at]!, 0), width);
    boxes[at + 1] = Math.min(Math.max(boxes[at + 1]!, 0), height);
  }
}

/**
 * Which boxes have both sides of at least `minSize` pixels: `torchvision.ops.remove_small_boxes`.
 *
 * @returns Their indices, ascending.
 */
export function largeBoxes(boxes: Float32Array, minSize: number): Uint32Array {
  const large: number[] = [];
  for (let at = 0; at < boxes.length; at += 4) {
    const width = Math.fround(boxes[at + 2]! - boxes[at]!);
    const height = Math.fround(boxes[at + 3]! - boxes[at + 1]!);
    if (width >= Math.fround(minSize) && height >= Math.fround(minSize)) large.push(at / 4);
  }
  return Uint32Array.from(large);
}

/** The boxes at these indices. */
export function takeBoxes(boxes: Float32Array, indices: ArrayLike<number>): Float32Array {
  const taken = new Float32Array(indices.length * 4);
  for (let i = 0; i < indices.length; i++) {
    const at = 4 * indices[i]!;
    taken.set(boxes.subarray(at, at + 4), 4 * i);
  }
  return taken;
}

/** The area of each box, float32. */
export function boxAreas(boxes: Float32Array): Float32Array {
  return Float32Array.from({ length: boxes.length / 4 }, (_, i) => {
    const width = Math.fround(boxes[4 * i + 2]! - boxes[4 * i]!);
    return width * Math.fround(boxes[4 * i + 3]! - boxes[4 * i + 1]!);
  });
}

/**
 * Intersection over union of box `i` of `a` and box `j` of `b`, rounded as float32 arithmetic does;
 * NaN if both are empty.
 */
export function boxIou(
  a: { boxes: Float32Array; areas: Float32Array },
  i: number,
  b: { boxes: Float32Array; areas: Float32Array },
  j: number,
): number {
  const [p, q] = [4 * i, 4 * j];
  const width = Math.fround(
    Math.min(a.boxes[p + 2]!, b.boxes[q + 2]!) - Math.max(a.boxes[p]!, b.boxes[q]!),
  );
  const height = Math.fround(
    Math.min(a.boxes[p + 3]!, b.boxes[q + 3]!) - Math.max(a.boxes[p + 1]!, b.boxes[q + 1]!),
  );
  const intersection = Math.fround(Math.max(width, 0) * Math.max(height, 0));
  const union = Math.fround(Math.fround(a.areas[i]! + b.areas[j]!) - intersection);
  return Math.fround(intersection / union);
}

/**
 * The indices that sort scores from high to low; of equal scores the first comes first.
 *
 * @param scores At most 2²⁰ float32 values, no NaN.
 */
export function descendingOrder(scores: Float32Array): Uint32Array {
  const limit = 2 ** 20;
  if (scores.length > limit) {
    throw new RangeError(`Cannot sort ${scores.length} scores: at most ${limit} fit`);
  }
  // A number that grows with the float, and behind it the index counted down: one exact double.
  const bits = new Int32Array(scores.buffer, scores.byteOffset, scores.length);
  const keys = new Float64Array(scores.length);
  for (let i = 0; i < keys.length; i++) {
    const grows = (bits[i]! < 0 ? -(bits[i]! & 0x7fffffff) : bits[i]!) + 2 ** 31;
    keys[i] = grows * limit + (limit - 1 - i);
  }
  keys.sort();
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) order[i] = limit - 1 - keys[keys.length - 1 - i]! % limit;
  return order;
}

/** Options of {@linkcode batchedNms}. */
export interface NmsOptions {
  /** Boxes whose overlap (intersection over union) with a better one exceeds this are dropped. */
  threshold: number;
  /**
   * Stop when as many are kept.
   *
   * @default {Infinity}
   */
  limit?: number;
}

/**
 * Non-maximum suppression within groups: `torchvision.ops.batched_nms`.
 *
 * Of equal scores the first wins.
 *
 * @param boxes `[n*4]`, none beyond 0 on the left and above.
 * @param scores `[n]`.
 * @param groups `[n]` integers; boxes of different groups do not suppress each other.
 * @returns Indices of the kept boxes, from the highest score down.
 */
export function batchedNms(
  boxes: Float32Array,
  scores: Float32Array,
  groups: ArrayLike<number>,
  { threshold, limit = Infinity }: NmsOptions,
): Uint32Array {
  // torchvision's detour for few boxes costs them some bits, on which an overlap may depend.
  const measured = scores.length <= MAX_MOVED_BOXES ? movedApart(boxes, groups) : boxes;
  const all = { boxes: measured, areas: boxAreas(measured) };
  const kept: number[] = [];
  const keptInGroup = new Map<number, number[]>();
  for (const i of descendingOrder(scores)) {
    if (kept.length >= limit) break;
    const rivals = keptInGroup.get(groups[i]!) ?? [];
    if (rivals.some((rival) => boxIou(all, rival, all, i) > threshold)) continue;
    kept.push(i);
    if (rivals.push(i) === 1) keptInGroup.set(groups[i]!, rivals);
  }
  return Uint32Array.from(kept);
}

/** Each group's boxes shifted by a multiple of the largest coordinate plus one, in float32. */
function movedApart(boxes: Float32Array, groups: ArrayLike<number>): Float32Array {
  let largest = -Infinity;
  for (const coordinate of boxes) largest = Math.max(largest, coordinate);
  const step = Math.fround(largest + 1);
  return boxes.map((coordinate, at) => coordinate + Math.fround(groups[at >> 2]! * step));
}
