/**
 * The cases in which two processes stay alive side by side and work in turn: training steps,
 * inference, and what the machine can do at most.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import { type BenchContext, startOurs } from "./context.ts";
import { CONV2, convFlop, forwardFlop, matmulFlop, MATRIX, SIMPLE_CNN, stepFlop } from "./flops.ts";
import { compareSides, type MissingSide, type Side } from "./pairs.ts";
import type { CaseName, Precision } from "./results.ts";
import { Worker, type WorkRequest } from "./worker.ts";

/** Something both sides can do, and the ways in which the peer does it. */
interface SteadyPlan {
  case: CaseName;
  work: WorkRequest["case"];
  title: string;
  unit: string;
  flop: number;
  /** Our number format. */
  precision: Precision;
  peers: readonly PeerVariant[];
}

interface PeerVariant {
  /** A key of `VARIANTS` in `reference/peer.py`. */
  variant: string;
  label: string;
  precision: Precision;
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

const float32 = VARIANTS.map((variant) => ({ ...variant, precision: "float32" as const }));
const bfloat16 = VARIANTS.map(({ variant, label }) => ({
  variant,
  label: `${label}, bf16 autocast`,
  precision: "bfloat16" as const,
}));
const torch = { variant: "default", label: "PyTorch" } as const;

const BATCH = 128;
const STEP = { work: "step", unit: "step", flop: stepFlop(SIMPLE_CNN, BATCH) } as const;
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

const PLANS: readonly SteadyPlan[] = [
  {
    ...STEP,
    case: "step",
    title: "Training step, batch 128, fp32",
    precision: "float32",
    peers: float32,
  },
  {
    case: "inference",
    work: "inference",
    title: "Inference of 10,000 images, fp32",
    unit: "set",
    flop: forwardFlop(SIMPLE_CNN, 10_000),
    precision: "float32",
    peers: [
      float32[0]!,
      { variant: "channels_last", label: "PyTorch, channels_last", precision: "float32" },
    ],
  },
  ...[MATMUL, CONV].map((limit) => limitPlan(limit, "float32")),
  {
    ...STEP,
    case: "step-bf16",
    title: "Training step, batch 128, bf16",
    precision: "bfloat16",
    peers: [...bfloat16, float32[0]!],
  },
  ...[MATMUL, CONV].map((limit) => limitPlan(limit, "bfloat16")),
];

function limitPlan(limit: typeof MATMUL | typeof CONV, precision: Precision): SteadyPlan {
  const suffix = precision === "float32" ? "fp32" : "bf16";
  return {
    ...limit,
    title: `${limit.title}, ${suffix}`,
    precision,
    peers: [{ ...torch, precision }],
  };
}

/**
 * Measures the cases that were asked for in one number format.
 *
 * @param ours Our side in that format, or why there is none.
 * @param peer The peer, or why there is none: ours is then timed alone.
 */
async function measurePrecision(
  context: BenchContext,
  plans: readonly SteadyPlan[],
  ours: Worker | { missing: string },
  peer: Worker | { missing: string },
): Promise<void> {
  const { seconds } = context;
  for (const { peers, precision, flop, work, ...what } of plans) {
    const gflopPerUnit = flop / 1e9;
    const suite: Side = {
      label: precision === "float32" ? "ours" : "ours bf16",
      precision,
      run: () => workerOrError(ours).run({ case: work, variant: "default", precision, seconds }),
    };
    for (const variant of peer instanceof Worker ? peers : peers.slice(0, 1)) {
      const theirs: Side | MissingSide = peer instanceof Worker
        ? { ...variant, run: () => peer.run({ ...variant, case: work, seconds }) }
        : { ...variant, ...peer };
      const plan = { ...what, gflopPerUnit, ours: suite, theirs };
      await context.record(await compareSides(plan, context));
    }
  }
}

/**
 * Measures the cases among these that were asked for.
 *
 * @param ours Our side in float32; stopped when its turn is over.
 * @param peer The peer, or why there is none.
 */
export async function measureSteadyCases(
  context: BenchContext,
  ours: Worker,
  peer: Worker | { missing: string },
): Promise<void> {
  const plansOf = (precision: Precision) =>
    PLANS.filter((plan) => plan.precision === precision && context.cases.includes(plan.case));
  try {
    await measurePrecision(context, plansOf("float32"), ours, peer);
  } finally {
    await ours.stop();
  }
  const plans = plansOf("bfloat16");
  if (plans.length === 0) return;
  const lower = await startOurs(context, "bfloat16").catch((error) => {
    if (error instanceof StudyError) return { missing: error.message };
    throw error;
  });
  try {
    await measurePrecision(context, plans, lower, peer);
  } finally {
    if (lower instanceof Worker) await lower.stop();
  }
}

function workerOrError(worker: Worker | { missing: string }): Worker {
  if (worker instanceof Worker) return worker;
  throw new StudyError(worker.missing);
}
