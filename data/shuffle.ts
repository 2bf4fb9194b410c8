/**
 * The order in which an epoch sees its images.
 *
 * @module
 */

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Odd constant that spreads consecutive epochs over the generator's seeds (2³² / golden ratio). */
const EPOCH_STRIDE = 0x9e3779b9;

/**
 * A random permutation of 0..count-1: a pure function of its arguments.
 *
 * @param seed The run's seed.
 * @param epoch The epoch, from 1.
 * @returns int32 `[count]`, shuffled as Fisher and Yates do.
 */
export function epochOrder(count: number, seed: number, epoch: number): Int32Array {
  const random = xoroshiro128plus((seed ^ Math.imul(epoch, EPOCH_STRIDE)) | 0);
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = uniformInt(random, 0, last);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
