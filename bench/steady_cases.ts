/**
 * The cases in which two processes stay alive side by side and work in turn: training steps,
 * inference, and what the machine can do at most.
 *
 * @module
 */

import type { BackendName } from "../engine/engine.ts";
import { StudyError } from "../io/errors.ts";
import type { CaseName, Precision } from "../report/record/bench_results.ts";
import { type BenchContext, startOurs } from "./context.ts";
import { type MissingSide, type Side, timeInTurn } from "./pairs.ts";
import { peersOn, PLANS, type SteadyPlan } from "./plans.ts";
import { TRANSFER_PLANS } from "./transfer_plans.ts";
import { Worker, type WorkerInfo } from "./worker.ts";

const STEADY_PLANS: readonly SteadyPlan[] = [...PLANS, ...TRANSFER_PLANS];

/** Whether a case is one of those here. */
export function isSteady(name: CaseName): boolean {
  return STEADY_PLANS.some((plan) => plan.case === name);
}

/** Whether the peer needs torchvision for a case of those here. */
export function needsTorchvision(name: CaseName): boolean {
  return STEADY_PLANS.some((plan) => plan.case === name && plan.torchvision);
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
  const { seconds, threads } = context;
  const note = ours instanceof Worker ? threadsNote(ours.info, threads) : undefined;
  const on = ours instanceof Worker ? ours.info.on : undefined;
  for (const plan of plans) {
    const { peers, precision, flop, bytes, work, torchvision = false, backend, ...rest } = plan;
    const { imagesPerCall: _, ...what } = rest;
    const able = torchvision ? withTorchvision(peer) : peer;
    const suite: Side = {
      label: ourLabel(on?.backend ?? backend ?? context.ours.backend, precision),
      precision,
      on,
      run: () => workerOrError(ours).run({ case: work, variant: "default", precision, seconds }),
    };
    const variants = able instanceof Worker ? peersOn(peers, able.info) : peers.slice(0, 1);
    for (const variant of variants) {
      const theirs: Side | MissingSide = able instanceof Worker
        ? {
          ...variant,
          on: able.info.on,
          run: () => able.run({ ...variant, case: work, seconds }),
        }
        : { ...variant, ...able };
      const gflop = flop === undefined ? {} : { gflopPerUnit: flop / 1e9 };
      const gbyte = bytes === undefined ? {} : { gbytePerUnit: bytes / 1e9 };
      const noted = note === undefined ? {} : { note };
      const timed = { ...what, ...gflop, ...gbyte, ...noted, ours: suite, theirs };
      const isLast = variant === variants.at(-1) && plan === lastPlanOf(plan.case);
      await context.record(await timeInTurn(timed, context), { isLast });
    }
  }
}

/** The plan of a case that is measured last: number formats come one after the other, as in the list. */
function lastPlanOf(name: CaseName): SteadyPlan | undefined {
  return STEADY_PLANS.findLast((plan) => plan.case === name);
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
  const asked = STEADY_PLANS.filter((plan) => context.cases.includes(plan.case));
  const plansOf = (wanted: Precision, on: BackendName | "auto" = "auto") =>
    asked.filter(({ precision, backend = "auto" }) => precision === wanted && backend === on);
  try {
    await measurePrecision(context, plansOf("float32"), ours, peer);
  } finally {
    await ours.stop();
  }
  // On the backend that the others are of: `auto` would take another where it has no bfloat16.
  const { backend } = context.ours;
  await measureOther(
    context,
    plansOf("bfloat16"),
    peer,
    () => startOurs(context, "bfloat16", { backend }),
  );
  await measureOther(
    context,
    plansOf("float32", "wasm"),
    peer,
    // It runs on the CPU, whatever device is asked for of the others.
    () => startOurs({ ...context, engineFlags: [] }, "float32", { backend: "wasm" }),
  );
}

/** Measures plans, if there are any, by another process of ours, which is then stopped. */
async function measureOther(
  context: BenchContext,
  plans: readonly SteadyPlan[],
  peer: Worker | { missing: string },
  start: () => Promise<Worker>,
): Promise<void> {
  if (plans.length === 0) return;
  const ours = await start().catch((error) => {
    if (error instanceof StudyError) return { missing: error.message };
    throw error;
  });
  try {
    await measurePrecision(context, plans, ours, peer);
  } finally {
    if (ours instanceof Worker) await ours.stop();
  }
}

/**
 * What our side is called; libtensorflow's, which the suite is made for, has no further name.
 *
 * @param backend What computes, not what was asked for.
 */
export function ourLabel(backend: string, precision: Precision): string {
  const format = precision === "float32" ? "" : " bf16";
  return backend === "tensorflow" ? `ours${format}` : `ours${format}, ${backend}`;
}

/**
 * A remark where ours computes on the CPU with another number of threads than it was given, as the peer
 * was: WebAssembly takes a few at most. What computes on a graphics adapter does not take any.
 */
export function threadsNote(
  { on, machine }: Pick<WorkerInfo, "on" | "machine">,
  threads: number,
): string | undefined {
  const taken = machine?.threads;
  if (on?.device !== "CPU" || taken === undefined || taken === threads) return undefined;
  return `threads of ours: ${taken}, of the peer: ${threads}`;
}

function workerOrError(worker: Worker | { missing: string }): Worker {
  if (worker instanceof Worker) return worker;
  throw new StudyError(worker.missing);
}

/** The peer, or why it cannot do what takes torchvision. */
function withTorchvision(peer: Worker | { missing: string }): Worker | { missing: string } {
  if (!(peer instanceof Worker) || peer.info.versions.torchvision !== undefined) return peer;
  return { missing: "torchvision is not installed for this Python: pip install torchvision" };
}
