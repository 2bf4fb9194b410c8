/**
 * A checkpoint's names and shapes held to those of a detector.
 *
 * @module
 */

import { FASTER_RCNN_ADAPTED } from "../../study.ts";
import { withoutMoments } from "../checkpoint/optimizer_state.ts";
import { type DType, findMisfit, type Misfit, refuseMisfit } from "../checkpoint/state_dict.ts";
import { requireFloats } from "../checkpoint/usable_weights.ts";
import { unwrap } from "../checkpoint/wrapped_names.ts";
import { relevantEntries } from "./faster_rcnn_layout.ts";

interface Shaped {
  readonly shape: readonly number[];
}

/** What a detector takes. */
export interface ExpectedDetectorWeights {
  /** The shapes by torchvision's names. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Whether the checkpoint's predictor is left out. */
  readonly keepPredictor: boolean;
}

/** How a checkpoint fits a detector. */
export interface DetectorFit<T> {
  /** What the detector takes of it, under current names. */
  readonly entries: ReadonlyMap<string, T>;
  /** What was taken off its names, such as `"module."`; empty if nothing. */
  readonly removed: string;
  readonly misfit: Misfit;
}

/** Compares a checkpoint, whose names may be wrapped or torchvision's first, with a detector. */
export function fitDetector<T extends Shaped>(
  found: ReadonlyMap<string, T>,
  { shapes, keepPredictor }: ExpectedDetectorWeights,
): DetectorFit<T> {
  const { entries, removed, misfit } = unwrap(
    withoutMoments(found),
    (entries) => findMisfit(relevantEntries(entries, { keepPredictor }), shapes),
  );
  return { entries: relevantEntries(entries, { keepPredictor }), removed, misfit };
}

/**
 * {@linkcode fitDetector} of weights that are to be loaded.
 *
 * @param path The file that they are from, for errors.
 * @throws {StudyError} If they do not fit or are of no floating-point dtype.
 */
export function requireDetectorFit<T extends Shaped & { readonly dtype: DType }>(
  found: ReadonlyMap<string, T>,
  expected: ExpectedDetectorWeights,
  path?: string,
): Omit<DetectorFit<T>, "misfit"> {
  const { misfit, ...fit } = fitDetector(found, expected);
  const { title } = FASTER_RCNN_ADAPTED;
  refuseMisfit(misfit, { what: path === undefined ? title : `${title} (${path})` });
  requireFloats(fit.entries, expected.shapes.keys(), path ?? title);
  return fit;
}
