/**
 * The cases that start whole programs: part 1 from launch to CSV, launch to the first training
 * step, resident memory, and growth over thousands of steps; and mapping, which needs no engine.
 *
 * @module
 */

import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadDataset } from "../data/load_dataset.ts";
import { interruptedBy, StudyError } from "../io/errors.ts";
import type { CaseName, Measurement, PairedTiming } from "../report/record/bench_results.ts";
import { SIMPLE_CNN } from "../study.ts";
import type { Program } from "./child.ts";
import { type BenchContext, startOurs } from "./context.ts";
import { exportIdx } from "./export_idx.ts";
import { removeLeftCaches } from "./fresh_cache.ts";
import { type Growth, GROWTH_SPANS } from "./growth.ts";
import { sizeNote } from "./image_counts.ts";
import { measureMapping } from "./mapping.ts";
import { measureMemory, MEMORY_CASES } from "./memory.ts";
import { measureProfile } from "./profile.ts";
import { measureRecipes } from "./recipe_runs.ts";
import { inOwnFolder } from "./own_folder.ts";
import { joinNotes, type Side, timeInTurn } from "./pairs.ts";
import {
  freshPath,
  missingForStudyScripts,
  PACKAGES,
  PART4_PACKAGES,
  partProgram,
  type Places,
  studyMachine,
  studySide,
  untilEnd,
  untilFirstStep,
} from "./program_times.ts";
import { measureScaling } from "./scaling.ts";
import { needsTorchvision, ourLabel } from "./steady_cases.ts";
import { measurePart4, PART4_CASES } from "./whole_part4.ts";

const STUDY_EPOCHS = SIMPLE_CNN.training.epochs;
const STUDY_SCRIPT = "bench/reference/study_part1.py";
const STUDY_LABEL = "the study's script, PyTorch, 2 workers";

/** The cases whose peer is a script in Python that reads the data set from a folder. */
export const PEER_SCRIPT_CASES: readonly CaseName[] = ["launch", "part1", ...PART4_CASES];

/** What PyTorch's side of cases imports besides torch itself, if anything: modules, and their packages. */
export function peerPackages(cases: readonly CaseName[]): Readonly<Record<string, string>> {
  const isPart4 = (name: CaseName) => (PART4_CASES as readonly CaseName[]).includes(name);
  return {
    ...(cases.some((name) => PEER_SCRIPT_CASES.includes(name)) && PACKAGES),
    ...(cases.some((name) => isPart4(name) || needsTorchvision(name)) &&
      { torch: PACKAGES.torch, ...PART4_PACKAGES }),
  };
}

/** Measures the cases among these that were asked for. */
export async function measureWholeRuns(context: BenchContext): Promise<void> {
  await removeLeftCaches();
  await inOwnFolder(
    { dir: tmpdir(), prefix: "mnist-study-bench-" },
    (folder) => measureIn(folder, context),
  );
}

async function measureIn(folder: string, context: BenchContext): Promise<void> {
  const { cases } = context;
  if (PEER_SCRIPT_CASES.some((name) => cases.includes(name))) {
    const idx = join(folder, "idx");
    const { data, reporter } = context;
    await exportIdx(await loadDataset({ data, reporter }), idx);
    const missing = await missingForStudyScripts(context);
    const part4 = PART4_CASES.filter((name) => cases.includes(name));
    const missingInPart4 = part4.length === 0
      ? missing
      : await missingForStudyScripts(context, PART4_PACKAGES);
    // Ours takes long: who wants both need not wait for it to hear of this.
    if (missingInPart4 !== undefined) {
      const what = missing === undefined ? "Part 4 is" : "Whole programs are";
      reporter.warn(`${what} timed without PyTorch: ${missingInPart4}`);
    }
    if (cases.includes("launch")) await measureLaunch(context, { folder, idx, missing });
    if (cases.includes("part1")) await measurePart1(context, { folder, idx, missing });
    for (const name of part4) {
      await measurePart4(context, name, { folder, idx, missing: missingInPart4 });
    }
  }
  if (cases.includes("profile")) {
    await measured(context, "profile", () => measureProfile(context));
  }
  for (const name of MEMORY_CASES) {
    if (!cases.includes(name)) continue;
    await measured(context, name, () => measureMemory(context, name, folder));
  }
  if (cases.includes("growth")) await measured(context, "growth", () => growth(context));
  if (cases.includes("scaling")) {
    await measured(context, "scaling", () => measureScaling(context, folder));
  }
  if (cases.includes("recipes")) {
    await measured(context, "recipes", () => measureRecipes(context, folder));
  }
  if (cases.includes("mapping")) {
    await measured(context, "mapping", () => Promise.resolve([measureMapping()]));
  }
}

async function measureLaunch(context: BenchContext, places: Places): Promise<void> {
  const ours: Side = {
    label: ourLabel(context.ours.backend, "float32"),
    precision: "float32",
    on: context.ours,
    run: () => untilFirstStep(part1(context, places, context.epochs), "kill"),
  };
  const short = ["--limit", "128", "--test-limit", "128", "--epochs", "1"];
  const theirs = studySide(
    STUDY_LABEL,
    { ...context, ...places },
    () => untilFirstStep(studyScript(context, places, short), "wait"),
  );
  const title = "Launch to first training step";
  const note = sizeNote(context.images);
  const plan = {
    ...{ case: "launch", title, unit: "start", ours, theirs } as const,
    ...(note !== undefined && { note }),
  };
  await context.record(await timeInTurn(plan, context));
}

async function measurePart1(context: BenchContext, places: Places): Promise<void> {
  const { epochs } = context;
  const ours: Side = {
    label: ourLabel(context.ours.backend, "float32"),
    precision: "float32",
    on: context.ours,
    run: () => untilEnd(part1(context, places, epochs)),
  };
  const theirs = studySide(
    STUDY_LABEL,
    { ...context, ...places },
    () => untilEnd(studyScript(context, places, ["--epochs", String(epochs)])),
  );
  const shortened = epochs === STUDY_EPOCHS
    ? undefined
    : `--epochs ${epochs} instead of the study's ${STUDY_EPOCHS}`;
  const note = joinNotes(shortened, sizeNote(context.images));
  const plan = {
    case: "part1",
    title: `Part 1 from launch to CSV, --epochs ${epochs}`,
    unit: "run",
    ours,
    theirs,
    // A run warms the disk's caches, which it needs but once: epochs of training would be wasted.
    warmUp: false,
    ...(note !== "" && { note }),
  } as const;
  const keep = (soFar: PairedTiming) => context.record(soFar, { isLast: false });
  await context.record(await timeInTurn(plan, { ...context, keep }));
}

async function growth(context: BenchContext): Promise<Measurement[]> {
  const [from, to] = context.full ? GROWTH_SPANS.full : GROWTH_SPANS.short;
  context.reporter.live(`Training ${to} steps to see what grows`);
  const runtimeFlags = ["--v8-flags=--expose-gc"];
  const worker = await startOurs(context, "float32", { runtimeFlags });
  try {
    const result = await worker.ask({ do: "growth", from, to }) as Growth;
    const steps = `from step ${from} to step ${to}`;
    const common = {
      case: "growth",
      on: context.ours,
      samples: result.samples,
      ...(!context.full && { note: "shortened; --cases growth goes from step 1000 to 10000" }),
    } as const;
    return [
      {
        ...common,
        title: `Live handles, growth ${steps}`,
        unit: "handles",
        value: result.to.handles - result.from.handles,
      },
      {
        ...common,
        title: `Resident memory, growth ${steps}`,
        unit: "%",
        value: 100 * (result.to.rss / result.from.rss - 1),
      },
    ];
  } finally {
    await worker.stop();
  }
}

/** Records what `measure` finds, or why it finds nothing. */
async function measured(
  { record, reporter, signal }: BenchContext,
  name: CaseName,
  measure: () => Promise<Measurement[]>,
): Promise<void> {
  let found: Measurement[];
  try {
    found = await measure();
  } catch (error) {
    if (signal.aborted) throw interruptedBy(signal);
    if (!(error instanceof StudyError)) throw error;
    found = [{ case: name, title: name, unit: "", value: null, note: error.message }];
  }
  for (const { title, value, unit, note } of found) {
    reporter.line(
      `${title}: ` + (value === null ? `not measured: ${note}` : `${value.toPrecision(3)} ${unit}`),
    );
  }
  for (const measurement of found) {
    await record(measurement, { isLast: measurement === found.at(-1) });
  }
}

function part1(context: BenchContext, { folder }: Pick<Places, "folder">, epochs: number): Program {
  return partProgram(context, 1, ["--epochs", `${epochs}`], freshPath(folder));
}

function studyScript(
  context: BenchContext,
  { folder, idx }: Places,
  more: readonly string[],
): Program {
  const out = `${freshPath(folder)}.json`;
  const args = [STUDY_SCRIPT, "--data", idx, ...studyMachine(context), "--out", out, ...more];
  // Unbuffered: its first line is to be seen when it is printed.
  return { name: "the study's script", command: context.python, args: ["-u", ...args] };
}
