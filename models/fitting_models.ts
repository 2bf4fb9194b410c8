/**
 * Which of the study's models a checkpoint would fit, and whether a run would take it. No engine is
 * needed.
 *
 * @module
 */

import { ALEXNET, DATA, FASTER_RCNN_ADAPTED, SIMPLE_CNN, VGG16 } from "../study.ts";
import { ALEXNET_ARCHITECTURE } from "./alexnet.ts";
import { fitWeights, loadWeightsFile } from "./checkpoint/load_weights.ts";
import { openCheckpoint } from "./checkpoint/open_checkpoint.ts";
import { describeMisfit, type Misfit } from "./checkpoint/state_dict.ts";
import { requireUsable } from "./checkpoint/usable_weights.ts";
import { fitDetector, requireDetectorFit } from "./detection/detector_fit.ts";
import { frozenNetwork } from "./detection/faster_rcnn_layout.ts";
import { type Architecture, expectedWeights, pretrainedPart } from "./frozen_feature_layout.ts";
import { simpleCnnLayouts } from "./simple_cnn.ts";
import { VGG16_ARCHITECTURE } from "./vgg16.ts";

/** How a checkpoint fits a model. */
export interface ModelFit {
  /** The model's name for people. */
  readonly title: string;
  readonly fits: boolean;
  /** What takes it, FILE standing for the checkpoint. */
  readonly use: string;
  /** What must be taken off its names for that, such as `"module."`, and is; empty if nothing. */
  readonly removed: string;
  /** What does not fit, with two names of each kind; empty if all does. */
  readonly misfit: string;
  /**
   * Why it would be refused although it fits: `features.0.weight has values that are not finite`; empty
   * if nothing is known against it.
   */
  readonly refused: string;
}

/** A tensor of a checkpoint. */
interface FoundTensor {
  readonly shape: readonly number[];
  /** What keeps it from being a weight, in words behind its name, where its values have been read. */
  readonly fault?: string | undefined;
}

/** Tensors of a checkpoint by name. */
type Found = ReadonlyMap<string, FoundTensor>;

/** Holds a checkpoint's names and shapes, and faults of what would be taken, to each model in turn. */
export function fittingModels(found: Found): ModelFit[] {
  return [
    fitOfSimpleCnn(found),
    fitOfDetector(found),
    fitOfFeatures(found, VGG16_ARCHITECTURE, `${VGG16.part} --models vgg16`),
    fitOfFeatures(found, ALEXNET_ARCHITECTURE, `${ALEXNET.part} --models alexnet`),
  ];
}

/**
 * Reads a file as part 4 does, one tensor at a time, and keeps nothing.
 *
 * @throws {StudyError} If part 4 would not take it.
 */
export async function checkPretrainedFile(
  path: string,
  architecture: Architecture,
  inChannels: 1 | 3,
): Promise<void> {
  const expected = expectedWeights(architecture, { inChannels, numClasses: DATA.classes });
  await loadWeightsFile(path, (names) => pretrainedPart(expected, architecture, names));
}

/**
 * Reads a file's weights for part 2's detector, one tensor at a time, and keeps nothing.
 *
 * @throws {StudyError} If part 2 would not take them.
 */
export async function checkDetectorFile(path: string): Promise<void> {
  using checkpoint = await openCheckpoint(path);
  const found = new Map(
    checkpoint.names().map((key) => [key, { ...checkpoint.describe(key), key }]),
  );
  const expected = { shapes: detectorShapes(), keepPredictor: true };
  const { entries } = requireDetectorFit(found, expected, path);
  for (const name of expected.shapes.keys()) {
    requireUsable(name, await checkpoint.read(entries.get(name)!.key), path);
  }
}

function detectorShapes(): Map<string, readonly number[]> {
  return new Map([...frozenNetwork().layouts].map(([name, { shape }]) => [name, shape]));
}

function fitOfSimpleCnn(found: Found): ModelFit {
  const { title } = SIMPLE_CNN;
  const layouts = simpleCnnLayouts(DATA.classes);
  const shapes = new Map([...layouts].map(([name, { torchShape }]) => [name, torchShape]));
  const fit = fitWeights(found, () => ({ title, shapes }));
  return describe({ ...fit, shapes }, {
    title,
    use: 'simpleCnn().loadStateDict(await loadCheckpoint("FILE"))',
  });
}

/** Part 2 keeps its own predictor, whatever the checkpoint's classes are. */
function fitOfDetector(found: Found): ModelFit {
  const { part, title } = FASTER_RCNN_ADAPTED;
  const shapes = detectorShapes();
  const fit = fitDetector(found, { shapes, keepPredictor: true });
  return describe({ ...fit, shapes }, { title, use: `deno task part${part} --weights FILE` });
}

/** Part 4 takes all but the last layer, or the convolutions of a checkpoint that has no more. */
function fitOfFeatures(found: Found, architecture: Architecture, task: string): ModelFit {
  const { title } = architecture;
  const fitOf = (inChannels: 1 | 3) => {
    const expected = expectedWeights(architecture, { inChannels, numClasses: DATA.classes });
    const fit = fitWeights(found, (names) => pretrainedPart(expected, architecture, names));
    return { ...fit, shapes: fit.expected.shapes };
  };
  const use = `deno task part${task} --weights FILE`;
  const colour = describe(fitOf(3), { title, use });
  if (colour.fits) return colour;
  const grey = describe(fitOf(1), { title, use: `${use} --in-channels 1` });
  return grey.fits ? grey : colour;
}

function describe(
  { entries, shapes, misfit, removed }: {
    entries: Found;
    shapes: ReadonlyMap<string, readonly number[]>;
    misfit: Misfit;
    removed: string;
  },
  { title, use }: { title: string; use: string },
): ModelFit {
  const faults = describeMisfit(misfit, 2);
  const fits = faults === "";
  const faulty = [...shapes.keys()].find((name) => entries.get(name)?.fault !== undefined);
  const refused = fits && faulty !== undefined ? `${faulty} ${entries.get(faulty)!.fault}` : "";
  return { title, fits, use, removed, misfit: faults, refused };
}
