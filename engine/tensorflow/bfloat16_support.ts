/**
 * Whether this machine multiplies in bfloat16.
 *
 * @module
 */

import { readSystemFile } from "../../io/libc.ts";

/** Processor flags that stand for bfloat16 products: x86-64's, and arm64's. */
const FLAGS = /^(?:flags|Features)\s*:.*\b(?:avx512_bf16|amx_bf16|bf16)\b/m;

const REMEDY = "use --precision fp32";

/**
 * Why bfloat16 cannot be used, in one line with the remedy; `undefined` if it can.
 *
 * @param device Where kernels run, `CPU` or `GPU`.
 * @param cpuinfo The description of the processor, in the form of Linux's `/proc/cpuinfo`.
 */
export function bfloat16Problem(
  device: string,
  cpuinfo: string | undefined = readSystemFile("/proc/cpuinfo"),
): string | undefined {
  if (device !== "CPU") {
    return `bfloat16 is available on the CPU only, not on the ${device}: ${REMEDY}, or --device cpu`;
  }
  if (cpuinfo === undefined) {
    return `Cannot tell whether this processor has bfloat16 (no /proc/cpuinfo): ${REMEDY}`;
  }
  return FLAGS.test(cpuinfo) ? undefined : `This processor has no bfloat16 products: ${REMEDY}`;
}
