/**
 * Gets a network ready before the page opens.
 *
 * @module
 */

import type { Answer } from "./protocol.ts";

/**
 * How long an answer takes, in milliseconds, once what reads has been got ready for that.
 *
 * @param read Has a digit read: [784] grey values, light on dark.
 */
export async function warmUp(read: (pixels: Uint8Array) => Promise<Answer>): Promise<number> {
  const blank = new Uint8Array(784);
  // The first answer takes longer, as kernels are compiled.
  await read(blank);
  return (await read(blank)).milliseconds;
}
