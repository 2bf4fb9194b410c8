/**
 * What is timed side by side in part 1's cases, and the ways in which the peer does it.
 *
 * @module
 */

import type { BackendName } from "../engine/engine.ts";
import { type CaseName, formatName, type Precision } from "../report/record/bench_results.ts";
import { DATA, SIMPLE_CNN } from "../study.ts";
import {
  ADAM_PARAMETERS,
  adamBytes,
  CONV2,
  convFlop,
  forwardFlop,
  matmulFlop,
  MATRIX,
  SIMPLE_CNN_LAYERS,
  stepFlop,
} from "./flops.ts";
import type { WorkerInfo, WorkRequest } from "./worker.ts";

/** Something both sides can do, and the ways in which the peer does it. */
export interface SteadyPlan {
  case: CaseName;
  work: WorkRequest["case"];
  title: string;
  unit: string;
  /** Operations of a unit, where they are what it takes its time for. */
  flop?: number;
  /** Bytes that a unit reads and writes, where it waits for memory. */
  bytes?: number;
  /** Images of a unit, where it is made of many. */
  imagesPerUnit?: number;
  /** Images that ours takes in a call, where a unit takes several calls. */
  imagesPerCall?: number;
  precision: Precision;
  /**
   * Our engine's backend.
   *
   * @default {"auto"}
   */
  backend?: BackendName;
  peers: readonly PeerVariant[];
  /**
   * Whether the peer needs torchvision.
   *
   * @default {false}
   */
  torchvision?: boolean;
}

/** One way in which the peer does it. */
export interface PeerVariant {
  /** A key of `VARIANTS` in `reference/peer.py`. */
  variant: string;
  label: string;
  precision: Precision;
  /** Images that it takes in a call, where ours takes several calls for a unit. */
  imagesPerCall?: number;
}

const VARIANTS = [
  { variant: "default", label: "PyTorch default" },
  { variant: "channels_last", label: "PyTorch, channels_last, fused Adam" },
  { variant: "compile", label: "PyTorch, torch.compile, fused Adam" },
  {
    variant: "compile_channels_last",
    label: "PyTorch, torch.compile, channels_last, fused Adam",
  },
] as const;

/** PyTorch's convolutions on NVIDIA's GPUs are not float32 unless they are told to be. */
const NO_TF32: PeerVariant = {
  variant: "no_tf32",
  label: "PyTorch, TF32 off",
  precision: "float32",
};

/** The variants that the CPU alone tells apart: a GPU's compiler picks the layout. */
const CPU_VARIANTS: readonly string[] = ["compile_channels_last"];

/** A plan's peers on the device that PyTorch has. */
export function peersOn(
  peers: readonly PeerVariant[],
  { torch_device: device = "cpu", tf32 = false }: WorkerInfo,
): readonly PeerVariant[] {
  if (device === "cpu") return peers;
  const [first, ...others] = peers.filter(({ variant }) => !CPU_VARIANTS.includes(variant));
  if (first === undefined) return [];
  return tf32 && first.precision === "float32" ? [first, NO_TF32, ...others] : [first, ...others];
}

const float32 = VARIANTS.map((variant) => ({ ...variant, precision: "float32" as const }));
const bfloat16 = VARIANTS.map(({ variant, label }) => ({
  variant,
  label: `${label}, bf16 autocast`,
  precision: "bfloat16" as const,
}));
const torch = { variant: "default", label: "PyTorch" } as const;

const BATCH = SIMPLE_CNN.training.batchSize;
const STEP = { work: "step", unit: "step", flop: stepFlop(SIMPLE_CNN_LAYERS, BATCH) } as const;
const MATMUL = {
  case: "limit",
  work: "matmul",
  title: `Product of ${MATRIX.size}×${MATRIX.size} matrices, ${MATRIX.products} times`,
  unit: "round",
  flop: MATRIX.products * matmulFlop(MATRIX.size, MATRIX.size, MATRIX.size),
} as const;
const CONV = {
  case: "limit",
  work: "conv",
  title: `Convolution ${BATCH}×14×14×32→64, 5×5, forward`,
  unit: "call",
  flop: BATCH * convFlop(CONV2),
} as const;

const ADAM: SteadyPlan = {
  case: "limit",
  work: "adam",
  title: `Adam on ${ADAM_PARAMETERS} parameters, fp32`,
  unit: "update",
  bytes: adamBytes(ADAM_PARAMETERS),
  precision: "float32",
  peers: [{ variant: "fused", label: "PyTorch, fused Adam", precision: "float32" }],
};

/** Part 1's cases and what the machine can do at most. */
export const PLANS: readonly SteadyPlan[] = [
  {
    ...STEP,
    case: "step",
    title: `Training step, batch ${BATCH}, fp32`,
    precision: "float32",
    peers: float32,
  },
  {
    case: "inference",
    work: "inference",
    title: "Inference of 10,000 images, fp32",
    unit: "set",
    flop: forwardFlop(SIMPLE_CNN_LAYERS, DATA.testImages),
    imagesPerCall: BATCH,
    precision: "float32",
    peers: [
      { ...float32[0]!, imagesPerCall: BATCH },
      { variant: "channels_last", label: "PyTorch, channels_last", precision: "float32" },
      { variant: "large_batch", label: "PyTorch, batches of 1,000", precision: "float32" },
    ],
  },
  ...[MATMUL, CONV].map((limit) => limitPlan(limit, "float32")),
  ADAM,
  {
    ...STEP,
    case: "step-bf16",
    title: `Training step, batch ${BATCH}, bf16`,
    precision: "bfloat16",
    peers: [...bfloat16, float32[0]!],
  },
  ...[MATMUL, CONV].map((limit) => limitPlan(limit, "bfloat16")),
  {
    ...STEP,
    case: "step-wasm",
    title: `Training step on WebAssembly, batch ${BATCH}, fp32`,
    precision: "float32",
    backend: "wasm",
    peers: float32.slice(0, 1),
  },
];

function limitPlan(limit: typeof MATMUL | typeof CONV, precision: Precision): SteadyPlan {
  return {
    ...limit,
    title: `${limit.title}, ${formatName(precision)}`,
    precision,
    peers: [{ ...torch, precision }],
  };
}
