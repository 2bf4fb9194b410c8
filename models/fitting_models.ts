/**
 * Which of the study's models a checkpoint would fit. No engine is needed: only names and shapes are
 * looked at.
 *
 * @module
 */

import { ALEXNET, DATA, FASTER_RCNN_ADAPTED, SIMPLE_CNN, VGG16 } from "../study.ts";
import { ALEXNET_ARCHITECTURE } from "./alexnet.ts";
import { fitWeights } from "./checkpoint/load_weights.ts";
import { withoutMoments } from "./checkpoint/optimizer_state.ts";
import { describeMisfit, findMisfit, type Misfit } from "./checkpoint/state_dict.ts";
import { unwrap } from "./checkpoint/wrapped_names.ts";
import { frozenNetwork, relevantEntries } from "./detection/faster_rcnn_layout.ts";
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
}

/** Names and shapes of a checkpoint. */
type Found = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** Holds a checkpoint's names and shapes to each model in turn. */
export function fittingModels(found: Found): ModelFit[] {
  return [
    fitOfSimpleCnn(found),
    fitOfDetector(found),
    fitOfFeatures(found, VGG16_ARCHITECTURE, `${VGG16.part} --models vgg16`),
    fitOfFeatures(found, ALEXNET_ARCHITECTURE, `${ALEXNET.part} --models alexnet`),
  ];
}

function fitOfSimpleCnn(found: Found): ModelFit {
  const { title } = SIMPLE_CNN;
  const layouts = simpleCnnLayouts(DATA.classes);
  const shapes = new Map([...layouts].map(([name, { torchShape }]) => [name, torchShape]));
  const fit = fitWeights(found, () => ({ title, shapes }));
  return describe(fit, { title, use: 'simpleCnn().loadStateDict(await loadCheckpoint("FILE"))' });
}

/** Part 2 keeps its own predictor, whatever the checkpoint's classes are. */
function fitOfDetector(found: Found): ModelFit {
  const { part, title } = FASTER_RCNN_ADAPTED;
  const shapes = new Map([...frozenNetwork().layouts].map(([name, { shape }]) => [name, shape]));
  const fit = unwrap(
    withoutMoments(found),
    (entries) => findMisfit(relevantEntries(entries, { keepPredictor: true }), shapes),
  );
  return describe(fit, { title, use: `deno task part${part} --weights FILE` });
}

/** Part 4 takes all but the last layer, or the convolutions of a checkpoint that has no more. */
function fitOfFeatures(found: Found, architecture: Architecture, task: string): ModelFit {
  const { title } = architecture;
  const fitOf = (inChannels: 1 | 3) => {
    const expected = expectedWeights(architecture, { inChannels, numClasses: DATA.classes });
    return fitWeights(found, (names) => pretrainedPart(expected, architecture, names));
  };
  const use = `deno task part${task} --weights FILE`;
  const colour = describe(fitOf(3), { title, use });
  if (colour.fits) return colour;
  const grey = describe(fitOf(1), { title, use: `${use} --in-channels 1` });
  return grey.fits ? grey : colour;
}

function describe(
  { misfit, removed }: { misfit: Misfit; removed: string },
  { title, use }: { title: string; use: string },
): ModelFit {
  const faults = describeMisfit(misfit, 2);
  return { title, fits: faults === "", use, removed, misfit: faults };
}
