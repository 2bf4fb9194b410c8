/**
 * Convolutions and slices of no images: the package's convolutions mistake their sizes, its slices their
 * values.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type OneInput, registerConv2dForNone, registerForNone } from "../portable/no_elements.ts";
import { BACKEND } from "./package.ts";

/** Wraps the kernels that are registered. */
export function registerNoElements(): void {
  registerConv2dForNone(BACKEND);
  registerForNone(
    BACKEND,
    "Slice",
    ({ x }: OneInput, { begin, size }: { begin: number | number[]; size: number | number[] }) =>
      tf.slice_util.parseSliceParams(x, begin, size)[1]!,
    ({ x }) => x.dtype,
  );
}
