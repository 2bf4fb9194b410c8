/**
 * What a part would do, without doing it: its runs, settings and weights, from its command line.
 *
 * @module
 */

import type { FlagValues } from "../io/parse_flags.ts";
import { FASTER_RCNN_WEIGHTS, type PinnedWeights } from "../models/checkpoint/pretrained.ts";
import { FINE_TUNED_NETWORKS } from "../models/fine_tuned_networks.ts";
import { checkDetectorFile, checkPretrainedFile } from "../models/fitting_models.ts";
import { type Architecture, featureCount } from "../models/frozen_feature_layout.ts";
import {
  FASTER_RCNN_ADAPTED,
  FASTER_RCNN_HEAD_TUNED,
  FASTER_RCNN_NORMALISE_ONCE,
  FINE_TUNED,
  type PartNumber,
  RECIPES,
  type StudyModel,
  type TrainingSettings,
  VGG16,
} from "../study.ts";
import { BOX_FEATURE_BYTES } from "../training/detection/box_features.ts";
import { type part1Command, type PART_2, type PART_4, recipePrecision, seedList } from "./flags.ts";
import { trainingSettings } from "./training.ts";

/** What decides a part's runs besides its models. */
export type PlannedFlags = Pick<
  FlagValues<typeof PART_4.table>,
  | "data"
  | "limit"
  | "testLimit"
  | "backend"
  | "device"
  | "libtensorflow"
  | "threads"
  | "out"
  | "resume"
  | "tensorboard"
  | "strict"
  | "quiet"
  | "json"
  | "verbose"
>;

/** A model to be run. */
export interface PlannedModel {
  model: StudyModel;
  /** How it is trained; `undefined` where nothing is. */
  settings: TrainingSettings | undefined;
  /** The weights that it starts from, where it has any. */
  weights?: {
    asked: string;
    source: PinnedWeights;
    /** Refuses a file that a run would refuse. */
    check: (path: string) => Promise<void>;
  };
  /** Bytes of an image's features, where they are kept on disk: of a training and of a test image. */
  featureBytes?: { train: number; test: number };
  /** Whether its runs share no features: each has boxes of its own. */
  boxesOfSeed?: boolean;
  /** Whether frozen features are computed in every epoch. */
  featuresEveryEpoch?: boolean;
}

/** A part to be run. */
export interface PartPlan {
  part: PartNumber;
  models: readonly PlannedModel[];
  seeds: readonly number[];
  precision: "fp32" | "bf16" | "auto";
  flags: PlannedFlags;
}

/** What part 1 would do. */
export function planPart1(flags: FlagValues<ReturnType<typeof part1Command>["table"]>): PartPlan {
  const model: StudyModel = RECIPES[flags.recipe];
  const settings = trainingSettings(model.training!, flags);
  return {
    part: model.part,
    models: [{ model, settings }],
    seeds: seedList(flags),
    precision: flags.precision ?? recipePrecision(flags.recipe),
    flags,
  };
}

/** The flags of part 2 that decide what is run. */
export type DetectionFlags = Pick<
  FlagValues<typeof PART_2.table>,
  "weights" | "strict" | "normalise" | "trainHead" | "epochs" | "lr" | "headBatchSize" | "batchSize"
>;

/** Which model part 2 runs. */
export function detectionModel(
  { trainHead, normalise }: Pick<DetectionFlags, "trainHead" | "normalise">,
): StudyModel {
  if (trainHead) return FASTER_RCNN_HEAD_TUNED;
  return normalise === "once" ? FASTER_RCNN_NORMALISE_ONCE : FASTER_RCNN_ADAPTED;
}

/** How part 2's predictor is trained, where it is. */
export function headSettings(
  { headBatchSize: batchSize, ...flags }: DetectionFlags,
): TrainingSettings {
  return trainingSettings(FASTER_RCNN_HEAD_TUNED.training, { ...flags, batchSize });
}

/** What part 2 would do. */
export function planPart2(flags: FlagValues<typeof PART_2.table>): PartPlan {
  const { trainHead, limit, weights } = flags;
  const model = detectionModel(flags);
  const settings = trainHead ? headSettings(flags) : undefined;
  return {
    part: model.part,
    models: [{
      model,
      settings,
      weights: { asked: weights, source: FASTER_RCNN_WEIGHTS, check: checkDetectorFile },
      ...(trainHead && {
        featureBytes: { train: BOX_FEATURE_BYTES, test: 0 },
        boxesOfSeed: true,
      }),
    }],
    seeds: seedList(flags),
    precision: flags.precision ?? "fp32",
    flags: { ...flags, limit: trainHead ? limit : undefined },
  };
}

/** What part 4 would do. */
export function planPart4(flags: FlagValues<typeof PART_4.table>): PartPlan {
  const { weights: asked, noFeatureCache } = flags;
  const inChannels = flags.inChannels === "1" ? 1 : 3;
  return {
    part: VGG16.part,
    models: flags.models.map((name) => {
      const { source, architecture } = FINE_TUNED_NETWORKS[name];
      const model = FINE_TUNED[name][flags.inChannels];
      return {
        model,
        settings: trainingSettings(model.training, flags),
        weights: {
          asked,
          source,
          check: (path: string) => checkPretrainedFile(path, architecture, inChannels),
        },
        ...(noFeatureCache
          ? { featuresEveryEpoch: true }
          : { featureBytes: bytesOfFeatures(architecture) }),
      };
    }),
    seeds: seedList(flags),
    precision: flags.precision ?? "fp32",
    flags,
  };
}

function bytesOfFeatures(architecture: Architecture): { train: number; test: number } {
  const bytes = Float32Array.BYTES_PER_ELEMENT * featureCount(architecture);
  return { train: bytes, test: bytes };
}
