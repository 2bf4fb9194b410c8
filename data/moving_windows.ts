/**
 * What is computed of the surroundings of each pixel: means, extremes and medians.
 *
 * @module
 */

/** Values of a picture, or of what is made of one. */
export interface Field {
  readonly width: number;
  /** `[height * width]`, row after row. */
  readonly values: Float32Array;
}

/** A row or column of a field: `length` values that lie `step` apart. */
interface Line {
  start: number;
  step: number;
  length: number;
}

/** Applies `filter` to all rows, and to all columns of what comes out. */
function separable(
  { width, values }: Field,
  filter: (from: Float32Array, to: Float32Array, line: Line) => void,
): Float32Array {
  const height = values.length / width;
  const rows = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    filter(values, rows, { start: y * width, step: 1, length: width });
  }
  const result = new Float32Array(values.length);
  for (let x = 0; x < width; x++) filter(rows, result, { start: x, step: width, length: height });
  return result;
}

/** Each value the mean of those around it, `2 radius + 1` in each direction, fewer at the edges. */
export function movingMean(field: Field, radius: number): Float32Array {
  if (radius === 0) return field.values.slice();
  return separable(field, (from, to, { start, step, length }) => {
    let [sum, count] = [0, 0];
    for (let i = -radius; i < length; i++) {
      if (i + radius < length) {
        sum += from[start + (i + radius) * step]!;
        count++;
      }
      if (i - radius > 0) {
        sum -= from[start + (i - radius - 1) * step]!;
        count--;
      }
      if (i >= 0) to[start + i * step] = sum / count;
    }
  });
}

/** The largest value around each, `2 radius + 1` in each direction. */
function movingMaximum(field: Field, radius: number): Float32Array {
  // Places of candidates for the maximum, each larger than those behind it.
  const queue = new Int32Array(Math.max(field.width, field.values.length / field.width));
  return separable(field, (from, to, { start, step, length }) => {
    let [first, end] = [0, 0];
    for (let i = -radius; i < length; i++) {
      const next = i + radius;
      if (next < length) {
        const value = from[start + next * step]!;
        while (end > first && from[start + queue[end - 1]! * step]! <= value) end--;
        queue[end++] = next;
      }
      if (i < 0) continue;
      if (queue[first]! < i - radius) first++;
      to[start + i * step] = from[start + queue[first]! * step]!;
    }
  });
}

/**
 * The field without what is lower than its surroundings and narrower than `2 radius + 1` in any
 * direction: grey closing. Steps between larger regions stay where they are.
 */
export function closed(field: Field, radius: number): Float32Array {
  const { width } = field;
  const negative = (values: Float32Array) => values.map((value) => -value);
  const dilated = movingMaximum(field, radius);
  return negative(movingMaximum({ width, values: negative(dilated) }, radius));
}

/** The median around each value of a small field, `2 radius + 1` in each direction. */
export function movingMedian({ width, values }: Field, radius: number): Float32Array {
  const height = values.length / width;
  return values.map((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const around: number[] = [];
    for (let v = Math.max(0, y - radius); v <= Math.min(height - 1, y + radius); v++) {
      for (let u = Math.max(0, x - radius); u <= Math.min(width - 1, x + radius); u++) {
        around.push(values[v * width + u]!);
      }
    }
    return median(Float32Array.from(around));
  });
}

/** The middle one of some values, which are sorted in place; 0 if there are none. */
export function median(values: Float32Array): number {
  return values.sort()[values.length >> 1] ?? 0;
}
