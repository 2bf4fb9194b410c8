/**
 * The detector of part 2: Faster R-CNN with pretrained weights and a new predictor for digits.
 *
 * @module
 */

import { basename } from "node:path";
import type { Reporter } from "../io/reporter.ts";
import { DATA, FASTER_RCNN_ADAPTED } from "../study.ts";
import { type Detector, fasterRcnnResnet50Fpn } from "./faster_rcnn.ts";
import { FASTER_RCNN_WEIGHTS, type ObtainedWeights } from "./checkpoint/pretrained.ts";
import { readExportNotes } from "./checkpoint/export_notes.ts";
import { loadCheckpoint, openCheckpoint } from "./checkpoint/open_checkpoint.ts";

/** Classes of the detector's new predictor: the background, and the digits. */
export const DIGIT_CLASSES = DATA.classes + 1;

/**
 * Builds the detector. Its predictor has PyTorch's linear initialisation, whatever the weights have
 * in its place.
 *
 * @param weights Of `obtainWeights()`; without a path, all else is drawn from the seed too. The
 *   reporter is told what was taken off the names in the file.
 * @param seed Integer 0..2³¹-1.
 * @throws {StudyError} If the file is damaged or of another model.
 */
export async function adaptedFasterRcnn(
  { path, label, reporter }: Pick<ObtainedWeights, "path" | "label"> & { reporter?: Reporter },
  seed: number,
): Promise<Detector> {
  const detector = fasterRcnnResnet50Fpn({ numClasses: DIGIT_CLASSES, seed });
  if (path === undefined) return detector;
  try {
    detector.loadStateDict(await loadCheckpoint(path), {
      path,
      keepPredictor: true,
      onUnwrap: (removed) =>
        reporter?.line(
          `${FASTER_RCNN_ADAPTED.title}: weights from ${
            basename(path)
          } (${removed} taken off its names)`,
        ),
      batchNormEpsilon: label === `torchvision:${FASTER_RCNN_WEIGHTS.file}`
        ? 0
        : await notedEpsilon(path) ?? 1e-5,
    });
    return detector;
  } catch (error) {
    detector.dispose();
    throw error;
  }
}

/** What a file that was exported here says of its batch normalisation, if it does. */
async function notedEpsilon(path: string): Promise<number | undefined> {
  using checkpoint = await openCheckpoint(path);
  return readExportNotes(checkpoint.metadata, path).batchNormEpsilon;
}
