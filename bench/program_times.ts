/**
 * Whole programs: how long they take, and what they leave.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../io/errors.ts";
import type { Timing } from "../report/record/bench_results.ts";
import { ProblemList } from "../report/record/problems.ts";
import { readResults, type ResultRow } from "../report/record/results.ts";
import { type Child, denoScript, type Program, startChild } from "./child.ts";
import type { BenchContext, OurSettings } from "./context.ts";
import type { MissingSide, Side } from "./pairs.ts";

/** Where programs find and leave things. */
export interface Places {
  /** For results of the runs. */
  folder: string;
  /** The data set as the study's script reads it. */
  idx: string;
  /** Why the study's script cannot run. */
  missing: string | undefined;
}

/** What the study's scripts import, and what `pip` calls it. */
export const PACKAGES = {
  torch: "torch",
  numpy: "numpy",
  PIL: "pillow",
  sklearn: "scikit-learn",
} as const;

/** What that of part 4 imports besides. */
export const PART4_PACKAGES = { torchvision: "torchvision" } as const;

/** What both print after their first training step. */
const FIRST_STEP = /^Train Epoch: 1 /;

/** Time from a program's start to its end. */
export async function untilEnd(program: Program): Promise<Timing> {
  const started = performance.now();
  await drain(startChild(program));
  return { units: 1, seconds: (performance.now() - started) / 1000 };
}

/** Time until the first step is logged; after that the program is killed, or left to its end. */
export async function untilFirstStep(program: Program, after: "kill" | "wait"): Promise<Timing> {
  const started = performance.now();
  const child = startChild(program);
  let seconds: number | undefined;
  for await (const line of child.lines) {
    if (seconds !== undefined || !FIRST_STEP.test(line)) continue;
    seconds = (performance.now() - started) / 1000;
    if (after === "kill") break;
  }
  if (after === "kill" && seconds !== undefined) await child.kill();
  else await child.ended();
  if (seconds === undefined) throw new StudyError(`${program.name} logged no step`);
  return { units: 1, seconds };
}

/** Waits for a program's end, whatever it prints. */
export async function drain(child: Child): Promise<void> {
  for await (const _ of child.lines);
  await child.ended();
}

/**
 * Why the study's scripts cannot run, if so.
 *
 * @param more Modules that a script imports besides, with the packages that they are in.
 */
export function missingForStudyScripts(
  { python }: { python: string },
  more: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  return missingPackages(python, { ...PACKAGES, ...more });
}

/** Why a Python cannot import modules, given with the packages that they are in, if so. */
export async function missingPackages(
  python: string,
  packages: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  try {
    const args = ["-c", `import ${Object.keys(packages).join(", ")}`];
    await drain(startChild({ name: "Python", command: python, args }));
    return undefined;
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    const names = Object.values(packages).join(" ");
    return `${error.message}; PyTorch's side needs pip install ${names}`;
  }
}

/** A peer in Python: what it does, or why it cannot. */
export function studySide(
  label: string,
  { peer, missing }: Pick<BenchContext, "peer"> & Pick<Places, "missing">,
  run: () => Promise<Timing>,
): Side | MissingSide {
  const side = { label, precision: "float32" } as const;
  return missing === undefined ? { ...side, on: peer.on, run } : { ...side, missing };
}

/** How the study's scripts are told the threads and device of the others' side, as flags of theirs. */
export function studyMachine({ threads, peer }: Pick<BenchContext, "threads" | "peer">): string[] {
  // TF32 as PyTorch's defaults have it, as in the other cases.
  return ["--threads", `${threads}`, "--device", peer.torchDevice, "--tf32"];
}

/** A path in a folder that nothing has yet. */
export function freshPath(folder: string): string {
  return join(folder, crypto.randomUUID());
}

/** A part of the study on the context's backend and data. */
export function partProgram(
  { data, backend, threads, engineFlags }: OurSettings,
  part: 1 | 2 | 4,
  flags: readonly string[],
  out: string,
): Program {
  const where = ["--data", data, "--out", out, "--backend", backend, "--threads", `${threads}`];
  const args = [...flags, ...where, ...engineFlags];
  return denoScript(`part ${part}`, `scripts/part${part}.ts`, args);
}

/** Runs part 1 and reads what it has written, a row for each seed. */
export async function part1Rows(
  context: BenchContext,
  flags: readonly string[],
  folder: string,
): Promise<ResultRow[]> {
  const out = freshPath(folder);
  await untilEnd(partProgram(context, 1, flags, out));
  const rows = await readResults(join(out, "part1.csv"), new ProblemList());
  return rows.map(({ row }) => row);
}
