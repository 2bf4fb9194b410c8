/**
 * What is timed side by side in the cases of parts 4 and 2.
 *
 * @module
 */

import { ALEXNET, DETECTION, FASTER_RCNN_ADAPTED, VGG16 } from "../study.ts";
import { ALEXNET_FEATURES, forwardFlop, linearStepBytes, VGG16_FEATURES } from "./flops.ts";
import type { PeerVariant, SteadyPlan } from "./plans.ts";
import { TRANSFER_BATCH } from "./transfer_work.ts";

/** What `targets.ts` calls the peers. */
export const DEFAULT_LABEL = "PyTorch default";
export const CHANNELS_LAST_LABEL = "PyTorch, channels_last";
export const FEATURES_ONCE_LABEL = "PyTorch, features computed once, 2 workers";

const byDefault = { variant: "default", label: DEFAULT_LABEL } as const;
const channelsLast = { variant: "channels_last", label: CHANNELS_LAST_LABEL } as const;

const float32: readonly PeerVariant[] = [byDefault, channelsLast].map(
  (variant) => ({ ...variant, precision: "float32" }),
);
const bfloat16: readonly PeerVariant[] = [byDefault, channelsLast].map(
  ({ variant, label }) => ({
    variant,
    label: `${label}, bf16 autocast`,
    precision: "bfloat16",
  }),
);
/** As ours goes through a batch; one call of all its images may be slower. */
export const IN_OUR_CALLS: PeerVariant = {
  variant: "small_calls",
  label: `PyTorch, calls of ${DETECTION.batchSize} images`,
  precision: "float32",
  imagesPerCall: DETECTION.batchSize,
};
/** Faster than one call of all, by the case of one image. */
export const SINGLE_CALLS: PeerVariant = {
  variant: "single_calls",
  label: "PyTorch, calls of one image",
  precision: "float32",
  imagesPerCall: 1,
};
const classifier: readonly PeerVariant[] = [
  byDefault,
  { variant: "fused", label: "PyTorch, fused Adam" } as const,
  { variant: "compile", label: "PyTorch, torch.compile, fused Adam" } as const,
].map((variant) => ({ ...variant, precision: "float32" }));

const ALEXNET_WORK = {
  work: "alexnet_features",
  unit: "batch",
  imagesPerUnit: TRANSFER_BATCH,
  flop: forwardFlop(ALEXNET_FEATURES, TRANSFER_BATCH),
  torchvision: true,
} as const;
const VGG16_WORK = {
  work: "vgg16_features",
  unit: "batch",
  imagesPerUnit: TRANSFER_BATCH,
  flop: forwardFlop(VGG16_FEATURES, TRANSFER_BATCH),
  torchvision: true,
} as const;
const DETECTOR_WORK = {
  work: "detector",
  unit: "call",
  flop: 2 * FASTER_RCNN_ADAPTED.multiplyAdds,
  torchvision: true,
} as const;

/** The cases of parts 4 and 2, in the order they are measured. */
export const TRANSFER_PLANS: readonly SteadyPlan[] = [
  {
    ...ALEXNET_WORK,
    case: "alexnet",
    title: `${ALEXNET.title} features, batch ${TRANSFER_BATCH}, fp32`,
    precision: "float32",
    peers: float32,
  },
  {
    case: "alexnet-classifier",
    work: "alexnet_classifier",
    title: `${ALEXNET.title} classifier step, batch ${TRANSFER_BATCH}, fp32`,
    unit: "step",
    bytes: linearStepBytes(ALEXNET.trainedParameters),
    precision: "float32",
    torchvision: true,
    peers: classifier,
  },
  {
    ...VGG16_WORK,
    case: "vgg16",
    title: `${VGG16.title} features, batch ${TRANSFER_BATCH}, fp32`,
    precision: "float32",
    peers: float32,
  },
  {
    case: "vgg16-classifier",
    work: "vgg16_classifier",
    title: `${VGG16.title} classifier step, batch ${TRANSFER_BATCH}, fp32`,
    unit: "step",
    bytes: linearStepBytes(VGG16.trainedParameters),
    precision: "float32",
    torchvision: true,
    peers: classifier,
  },
  {
    ...DETECTOR_WORK,
    case: "detector",
    title: `${FASTER_RCNN_ADAPTED.title}, one image of 224×224, fp32`,
    precision: "float32",
    peers: float32.slice(0, 1),
  },
  {
    ...VGG16_WORK,
    case: "vgg16-bf16",
    title: `${VGG16.title} features, batch ${TRANSFER_BATCH}, bf16`,
    precision: "bfloat16",
    peers: [float32[0]!, ...bfloat16],
  },
  {
    ...DETECTOR_WORK,
    case: "detector-bf16",
    title: `${FASTER_RCNN_ADAPTED.title}, one image of 224×224, bf16 backbone`,
    precision: "bfloat16",
    peers: float32.slice(0, 1),
  },
  {
    ...DETECTOR_WORK,
    case: "detector-batch",
    work: "detector_batch",
    title: `${FASTER_RCNN_ADAPTED.title}, ${TRANSFER_BATCH} images of 224×224, fp32`,
    unit: "batch",
    imagesPerUnit: TRANSFER_BATCH,
    imagesPerCall: DETECTION.batchSize,
    flop: TRANSFER_BATCH * DETECTOR_WORK.flop,
    precision: "float32",
    peers: [float32[0]!, IN_OUR_CALLS, SINGLE_CALLS],
  },
];
