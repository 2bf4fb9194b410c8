/**
 * Weights that a model can compute with: of a floating-point dtype, as many as their shape says, and
 * finite as float32.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { SAVE_AS_FLOAT32 } from "./pickle.ts";
import { type DType, elementCount, type StateTensor } from "./state_dict.ts";

/** The dtypes that weights may have. */
const FLOATS: readonly DType[] = ["float64", "float32", "bfloat16", "float16"];

/** The exponents of narrow floats, all of whose bits are set in what is infinite or not a number. */
const EXPONENT_BITS = { float32: 0x7f800000, bfloat16: 0x7f80, float16: 0x7c00 } as const;

/**
 * How many of a tensor's elements are infinite or not a number once they are float32, as those of
 * float64 beyond its range are.
 */
export function countNonFinite({ dtype, data }: StateTensor): number {
  let count = 0;
  if (data instanceof Float64Array) {
    for (let i = 0; i < data.length; i++) if (!Number.isFinite(Math.fround(data[i]!))) count++;
  } else if (dtype === "float32" || dtype === "bfloat16" || dtype === "float16") {
    const mask = EXPONENT_BITS[dtype];
    const bits = data instanceof Float32Array
      ? new Uint32Array(data.buffer, data.byteOffset, data.length)
      : data as Uint16Array;
    for (let i = 0; i < bits.length; i++) if ((bits[i]! & mask) === mask) count++;
  }
  return count;
}

/** What is wrong with a tensor as a weight, in words behind its name, and what to do about it. */
interface WeightFault {
  readonly fault: string;
  readonly remedy: string;
}

/** What keeps a tensor from being a weight; `undefined` if nothing does. */
export function weightFault(
  { dtype, nonFinite }: { dtype: DType; nonFinite: number },
): WeightFault | undefined {
  if (!FLOATS.includes(dtype)) {
    return { fault: `is of dtype ${dtype}`, remedy: SAVE_AS_FLOAT32 };
  }
  if (nonFinite === 0) return undefined;
  const range = dtype === "float64" ? " as float32" : "";
  return { fault: `has values that are not finite${range}`, remedy: "give other weights" };
}

/**
 * Refuses weights of a dtype that is no floating-point one, before any is read.
 *
 * @param found The tensors by name.
 * @param names Those that a model takes.
 * @param source Their file, or else the model.
 * @throws {StudyError} A line that names the first of them.
 */
export function requireFloats(
  found: ReadonlyMap<string, { readonly dtype: DType }>,
  names: Iterable<string>,
  source: string,
): void {
  for (const name of names) refuse(name, { ...found.get(name)!, nonFinite: 0 }, source);
}

/**
 * Refuses a weight with more or fewer values than its shape has, or one that is not finite as float32.
 *
 * @param source Its file, or else the model.
 * @throws {StudyError} A line that names it.
 */
export function requireUsable(
  name: string,
  { dtype, shape, data }: StateTensor,
  source: string,
): void {
  const count = elementCount(shape);
  if (data.length !== count) {
    throw new StudyError(
      `${source}: ${name} of shape [${shape}] has ${data.length} values instead of ${count}; give ` +
        "other weights",
    );
  }
  refuse(name, { dtype, nonFinite: countNonFinite({ dtype, shape, data }) }, source);
}

function refuse(name: string, found: Parameters<typeof weightFault>[0], source: string): void {
  const { fault, remedy } = weightFault(found) ?? {};
  if (fault !== undefined) throw new StudyError(`${source}: ${name} ${fault}; ${remedy}`);
}
