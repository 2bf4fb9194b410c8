/**
 * TensorFlow's stateless random numbers, computed on the host: the same key gives the numbers that
 * its `StatelessRandomUniform` and `StatelessRandomNormal` give.
 *
 * The generator is Philox4x32-10 (Salmon et al.: Parallel Random Numbers: As Easy as 1, 2, 3, 2011).
 *
 * @module
 */

/** Multipliers of a round, and what is added to the key after it. */
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85] as const;
const ROUNDS = 10;

/** What TensorFlow scrambles seeds with, so that alike ones give unlike numbers. */
const SCRAMBLER = [0x3ec8f720, 0x02461e29] as const;

/** Numbers below this are taken for it where their logarithm is. */
const SMALLEST = Math.fround(1e-7);

/** Counters whose words are computed at once. */
const BLOCK = 1024;

/** Seeds of a draw, two int32. */
export type RandomKey = ArrayLike<number>;

/**
 * Fills an array with uniform numbers in [0, 1), multiples of 2⁻²³.
 *
 * @param values Where they go.
 */
export function fillUniform(values: Float32Array, key: RandomKey): void {
  for (const [start, words] of philoxWords(values.length, key)) {
    const count = Math.min(words.length, values.length - start);
    for (let i = 0; i < count; i++) values[start + i] = unitFloat(words[i]!);
  }
}

/**
 * Fills an array with standard normal numbers (Box and Muller, 1958), TensorFlow's but for the last
 * bits of logarithm, sine and cosine.
 *
 * @param values Where they go.
 */
export function fillNormal(values: Float32Array, key: RandomKey): void {
  const { fround } = Math;
  for (const [start, words] of philoxWords(values.length, key)) {
    const count = Math.min(words.length, values.length - start);
    for (let i = 0; i < count; i += 2) {
      const logarithm = fround(Math.log(Math.max(unitFloat(words[i]!), SMALLEST)));
      const radius = fround(Math.sqrt(-2 * logarithm));
      const angle = fround(2 * Math.PI * unitFloat(words[i + 1]!));
      values[start + i] = radius * fround(Math.sin(angle));
      // Past its end, assigning to a typed array does nothing.
      values[start + i + 1] = radius * fround(Math.cos(angle));
    }
  }
}

/** Of a word's 32 bits, the 23 that a float32 between 1 and 2 has behind its point. */
function unitFloat(word: number): number {
  return (word & 0x7fffff) / 0x800000;
}

/** At least `count` random words, some at a time, each with the index of its first. */
function* philoxWords(
  count: number,
  key: RandomKey,
): Generator<readonly [start: number, words: Uint32Array]> {
  const [first, second] = [key[0]!, key[1]!];
  // As 64-bit numbers, low word first.
  const seed = Uint32Array.of(first, first < 0 ? -1 : 0, second, second < 0 ? -1 : 0);
  philox(seed, SCRAMBLER);
  const [k0, k1, stream0, stream1] = seed as unknown as [number, number, number, number];
  const block = new Uint32Array(4 * BLOCK);
  for (let start = 0; start < count; start += block.length) {
    const words = block.subarray(0, Math.min(block.length, 4 * Math.ceil((count - start) / 4)));
    for (let i = 0; i < words.length; i += 4) {
      const counter = (start + i) / 4;
      words[i] = counter;
      words[i + 1] = Math.floor(counter / 2 ** 32);
      words[i + 2] = stream0;
      words[i + 3] = stream1;
    }
    philox(words, [k0, k1]);
    yield [start, words];
  }
}

/** Turns counters of four words into as many random ones, in place. */
function philox(words: Uint32Array, key: readonly [number, number]): void {
  for (let i = 0; i < words.length; i += 4) {
    let a = words[i]!;
    let b = words[i + 1]!;
    let c = words[i + 2]!;
    let d = words[i + 3]!;
    let k0 = key[0] | 0;
    let k1 = key[1] | 0;
    for (let round = 0; round < ROUNDS; round++) {
      const highA = highWord(MULTIPLIERS[0], a);
      const highC = highWord(MULTIPLIERS[1], c);
      const lowA = Math.imul(MULTIPLIERS[0], a);
      const lowC = Math.imul(MULTIPLIERS[1], c);
      a = highC ^ b ^ k0;
      b = lowC;
      c = highA ^ d ^ k1;
      d = lowA;
      k0 = (k0 + KEY_STEPS[0]) | 0;
      k1 = (k1 + KEY_STEPS[1]) | 0;
    }
    words[i] = a;
    words[i + 1] = b;
    words[i + 2] = c;
    words[i + 3] = d;
  }
}

/** The upper 32 of the 64 bits of a product of two words. */
function highWord(x: number, y: number): number {
  const x0 = x & 0xffff;
  const x1 = x >>> 16;
  const y0 = y & 0xffff;
  const y1 = y >>> 16;
  const middle = x1 * y0 + (Math.imul(x0, y0) >>> 16);
  const carried = x0 * y1 + (middle & 0xffff);
  return (Math.imul(x1, y1) + (middle >>> 16) + (carried >>> 16)) | 0;
}
