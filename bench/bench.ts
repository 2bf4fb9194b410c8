/**
 * Ours and PyTorch on the same machine, in turn: `deno task bench`; `--help` lists the flags.
 *
 * Cases: `step` and `step-bf16`, a training step of part 1; `inference` of 10,000 images; `limit`,
 * matrix product and convolution, what the machine can do at most; `profile`, what a training step is
 * made of; `launch`, from launch to the first training step; `memory`, peak resident memory of part
 * 1; `growth` of handles and memory over thousands of steps; `scaling`, an image's training time among
 * 60,000 beside that among 6,000; `mapping`, digits and metrics out of 10,000 detections; `part1`, the
 * whole of it from launch to CSV; `recipes`, accuracy and training time by our recipes for part 1;
 * `alexnet`, `vgg16` and `vgg16-bf16`, the frozen features of part 4; `alexnet-classifier` and
 * `vgg16-classifier`, its training step; `part4-alexnet` and `part4-vgg16`, the whole of it;
 * `memory-alexnet` and `memory-vgg16`, its memory; `detector` and `detector-bf16`, an image of
 * part 2, `detector-batch`, a batch of the study's there, and `memory-detector`; `step-wasm`, the
 * training step of part 1 on WebAssembly. All before `part1` run unless `--cases` or `--full` says
 * otherwise.
 *
 * `--backend webgpu` and `--device gpu` measure ours on a graphics adapter, PyTorch on the same one where
 * it can; results of each backend and device have a folder of their own.
 *
 * Timings: both processes stay alive, each with as many threads as there are cores; after a warm-up
 * of at least a second they work in turn (ours, theirs, ours...) for `--seconds` at a time, `--pairs`
 * times; part 4 as a whole is timed once. What counts is the ratio of each pair, its median and
 * spread. The clocks of steps, inference and limits leave out building, compiling and loading; those
 * of launch and part 1, which run as whole programs, leave out nothing. What either side's clock covers
 * exactly is written at the end of `bench.md`. Growth needs no pairs, and goes to 10,000 steps where it is named, to 1,000
 * otherwise; memory is one run. Of `--data DIR` whole runs take all the images that there are; what is
 * named after the study's number of images, or needs more than there are, is not measured.
 *
 * `bench.json` and `bench.md` are written after every finding, so that an interrupted run keeps what
 * it found, and after each pair of whole runs of part 1 and each side of part 4. What is known of a case
 * stays, however, until it is measured again to its end, with PyTorch where that was there, and with as
 * many pairs, seconds, epochs and steps; `--render` writes the page again from the findings.
 *
 * Its permission to run programs is not narrowed, for the reason that `scripts/all.ts` gives; PyTorch
 * keeps its `LD_LIBRARY_PATH`.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { userFolder } from "../io/cache.ts";
import { StudyError, UsageError } from "../io/errors.ts";
import { pathKind } from "../io/path_kind.ts";
import { printable } from "../io/printable.ts";
import { createReporter, type Reporter } from "../io/reporter.ts";
import { SHARED_FLAGS } from "../experiment/flags.ts";
import { readCommandLine } from "../io/help_text.ts";
import type { FlagTable, FlagValues } from "../io/parse_flags.ts";
import { interruptible, runScript } from "../io/run_script.ts";
import {
  ADAPTER_CASES,
  type BenchResults,
  type CaseName,
  CASES,
  type ComputedOn,
  DEFAULT_CASES,
  readBenchResults,
} from "../report/record/bench_results.ts";
import { SIMPLE_CNN } from "../study.ts";
import { killChildren } from "./child.ts";
import { startOurs, startPeer } from "./context.ts";
import { isBusy, isTimed } from "./page.ts";
import { missingPackages } from "./program_times.ts";
import { quietLoad, SETTLING_MS } from "./quiet_load.ts";
import { PAGE, RESULTS, ResultsFile, writePage } from "./results_file.ts";
import { isSteady, measureSteadyCases } from "./steady_cases.ts";
import { judgeTargets } from "./targets.ts";
import { PART4_CASES } from "./whole_part4.ts";
import { measureWholeRuns, PEER_SCRIPT_CASES, peerPackages } from "./whole_runs.ts";
import { Worker } from "./worker.ts";

const { data, backend, device, libtensorflow, quiet, verbose, help } = SHARED_FLAGS;

const FLAGS = {
  cases: {
    kind: "text",
    placeholder: "LIST",
    help: `cases to measure, of ${CASES.join(", ")}; by default those before part1, or on a ` +
      `graphics adapter ${ADAPTER_CASES.join(", ")}`,
    excludes: ["full"],
  },
  full: { kind: "boolean", help: "measure every case: takes hours" },
  pairs: {
    kind: "integer",
    min: 1,
    max: 1000,
    default: 7,
    help: `timings of each side; of ${
      PART4_CASES.join(" and ")
    } there is one, whatever is said here`,
  },
  seconds: { kind: "number", above: 0, default: 2, help: "work in one timing, at least" },
  epochs: {
    kind: "integer",
    min: 1,
    max: 1000,
    default: SIMPLE_CNN.training.epochs,
    help: "of part1's runs",
  },
  data,
  python: {
    kind: "text",
    placeholder: "PATH",
    default: Deno.build.os === "windows" ? "python" : "python3",
    help: "the Python that has PyTorch",
  },
  backend,
  device,
  libtensorflow,
  out: {
    kind: "path",
    folder: true,
    help: "folder for bench.json and bench.md",
    defaultText: "results/bench, and in it a folder of its own for each backend and device but " +
      "libtensorflow on the CPU",
  },
  render: {
    kind: "boolean",
    help: "measure nothing: write bench.md again, from what bench.json in the folder has",
    excludes: [
      ...["cases", "full", "pairs", "seconds", "epochs", "data"],
      ...["python", "backend", "device", "libtensorflow"],
    ],
  },
  quiet,
  verbose,
  help,
} as const satisfies FlagTable;

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task bench [flags]",
    description:
      "Times training, inference and whole runs alternately with PyTorch on this machine, " +
      "and writes bench.json and bench.md. Earlier results there of other cases, on the same machine " +
      "and data, are kept.",
    table: FLAGS,
    examples: [
      "deno task bench",
      "deno task bench --cases step,inference --pairs 5",
      "deno task bench --cases part1 --epochs 2",
      "deno task bench --cases alexnet,alexnet-classifier",
      "deno task bench --backend webgpu --device gpu",
      "deno task bench --full",
      "deno task bench --render --out results/reference/bench",
    ],
  });
  if (flags === undefined) return;
  if (flags.render) {
    return await renderAgain(flags.out ?? OUT, createReporter({ quiet: flags.quiet }));
  }
  await interruptible(async (signal) => {
    signal.addEventListener("abort", killChildren);
    try {
      await runBench(flags, signal);
    } finally {
      // A program that was killed fails in its own words; that we were interrupted says more.
      signal.throwIfAborted();
    }
  });
}

async function runBench(flags: FlagValues<typeof FLAGS>, signal: AbortSignal): Promise<void> {
  const reporter = createReporter({ quiet: flags.quiet });
  const onAdapter = flags.backend === "webgpu" || ["gpu", "software"].includes(flags.device);
  const settings = {
    cases: chosenCases(flags.cases, flags.full, onAdapter),
    // Growth is shortened where nobody named it.
    full: flags.full || flags.cases !== undefined,
    pairs: flags.pairs,
    seconds: flags.seconds,
    epochs: flags.epochs,
    data: flags.data,
  };
  const python = await pythonCommand(flags.python);
  await checkPackages(flags.python, { python, cases: settings.cases });
  const threads = navigator.hardwareConcurrency;
  const engineFlags = [
    ...(flags.device === "auto" ? [] : ["--device", flags.device]),
    ...(flags.libtensorflow ? ["--libtensorflow", flags.libtensorflow] : []),
  ];
  const shared = { ...settings, backend: flags.backend, threads, engineFlags };
  const ours = await startOurs(shared, "float32");
  const { versions, on = { backend: flags.backend, device: "CPU" }, precisions = [] } = ours.info;
  const { machine = {}, git = null, dataset, images = { train: 0, test: 0 } } = ours.info;
  const isWanted = settings.cases.some(hasPeerSide);
  const peer = isWanted
    ? await startPeer({ python, threads, ours: on })
    : { missing: "none of the cases has a peer" };
  const hasPeer = peer instanceof Worker;
  if (!hasPeer && isWanted) {
    checkMissingPeer(flags.python, peer.missing);
    reporter.warn(`PyTorch is not measured: ${peer.missing}`);
  }
  const timed = settings.cases.some(isTimed);
  const settlingMs = timed ? SETTLING_MS[onAdapter ? "adapter" : "cpu"] : 0;
  const load = await quietLoad({ threads, settlingMs, reporter, signal });
  if (timed && isBusy(load, threads)) {
    reporter.warn(
      `Other programs keep this machine busy (load average ${load.toFixed(1)}): these timings ` +
        "will mean little, and PyTorch's suffer most; run it again when the machine is quiet",
    );
  }
  const peerOn = hasPeer ? peer.info.on : undefined;
  if (peerOn?.note !== undefined) reporter.warn(peerOn.note);
  const out = flags.out ?? join(OUT, folderOf(flags.backend, on));
  const started: BenchResults = {
    started_at: new Date().toISOString(),
    finished_at: "",
    settings,
    machine,
    ...(dataset && { dataset }),
    ours: on,
    ...(peerOn && { peer: peerOn }),
    threads,
    load_average: load,
    versions: { ...versions, ...(hasPeer && peer.info.versions) },
    git,
    comparisons: [],
    measures: [],
  };
  const file = new ResultsFile(started, out, reporter);
  await file.read();
  const context = {
    ...shared,
    images,
    ours: on,
    precisions,
    peer: {
      torchDevice: hasPeer ? peer.info.torch_device ?? "cpu" : "cpu",
      ...(peerOn && { on: peerOn }),
    },
    python,
    reporter,
    signal,
    record: file.record.bind(file),
  };
  try {
    await measureSteadyCases(context, ours, peer);
  } finally {
    if (hasPeer) await peer.stop();
  }
  await measureWholeRuns(context);
  reporter.line("");
  for (const { what, target, measured, verdict, note, asked } of judgeTargets(file.results)) {
    if (!asked) continue;
    const found = measured && ` ${measured}`;
    reporter.line(`${verdict}:${found} (${target}) ${what}${note && `; ${note}`}`);
  }
  reporter.line(`All of it is in ${join(out, PAGE)} and ${RESULTS} beside it`);
}

/** `--render`: the page of results that are there, in today's words. */
async function renderAgain(folder: string, reporter: Reporter): Promise<void> {
  const path = join(folder, RESULTS);
  const results = await readBenchResults(path);
  if (results === null) {
    throw new StudyError(`There is no ${path}`, {
      remedy: "name its folder with --out, or measure: deno task bench",
    });
  }
  await writePage(folder, results);
  reporter.line(`${join(folder, PAGE)} is of ${results.finished_at}`);
}

/** Where results go unless `--out` says otherwise. */
const OUT = "results/bench";

/**
 * The folder below the results of libtensorflow on the CPU that keeps another backend's or device's apart
 * from them; empty for those themselves, and for what takes their place where it is not there.
 *
 * @param asked The backend that was asked for.
 * @param on What computes.
 */
export function folderOf(asked: string, { backend, device }: ComputedOn): string {
  if (device === "CPU" && (asked === "auto" || backend === "tensorflow")) return "";
  const words = `${backend} ${device}`.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join("-");
}

/**
 * What starts the Python that a person names: a file from where they are, as programs are started in the
 * repository's folder, or the name of a program.
 *
 * @throws {UsageError} If there is no such file.
 */
async function pythonCommand(python: string): Promise<string> {
  if (!/[\\/]/.test(python)) return python;
  const path = resolve(userFolder(), python);
  // Windows adds the ending by itself.
  const endings = Deno.build.os === "windows" ? ["", ".exe"] : [""];
  const kinds = await Promise.all(endings.map((ending) => pathKind(path + ending)));
  if (kinds.includes("file")) return path;
  const there = kinds[0] === "nothing" ? `there is none at ${path}` : `${path} is none`;
  throw new UsageError(`--python ${printable(python)}: expected a program; ${there}`);
}

/**
 * A Python that was named is to be measured: without it, the bench would find less than it was asked.
 *
 * @param missing Why there is no peer.
 * @throws {StudyError} If `python` is not the one that is taken where none is named.
 */
export function checkMissingPeer(python: string, missing: string): void {
  if (python === FLAGS.python.default) return;
  throw new StudyError(`--python ${python} cannot be the peer: ${missing}`);
}

/**
 * The same of the packages that cases take, before anything is timed: one of them would be timed without
 * its peer, which says so at its end.
 *
 * @param named As the person named it.
 * @param options What starts it, and the cases that were asked for.
 */
export async function checkPackages(
  named: string,
  { python, cases }: { python: string; cases: readonly CaseName[] },
): Promise<void> {
  const packages = peerPackages(cases);
  if (named === FLAGS.python.default || Object.keys(packages).length === 0) return;
  const missing = await missingPackages(python, packages);
  if (missing !== undefined) checkMissingPeer(named, missing);
}

/**
 * The cases that the flags ask for, in the order they are measured.
 *
 * @param onAdapter Whether a graphics adapter was asked for.
 */
export function chosenCases(
  list: string | undefined,
  full: boolean,
  onAdapter = false,
): CaseName[] {
  if (full) return [...CASES];
  if (list === undefined) return onAdapter ? [...ADAPTER_CASES] : [...DEFAULT_CASES];
  const names = list.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(CASES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--cases ${list}: "${unknown}" is none of ${CASES.join(", ")}`);
  }
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  if (repeated !== undefined) {
    throw new UsageError(`--cases ${list}: "${repeated}" is there twice`);
  }
  return CASES.filter((name) => names.includes(name));
}

/** Whether PyTorch does a case too: the others are of ours alone. */
export function hasPeerSide(name: CaseName): boolean {
  return isSteady(name) || PEER_SCRIPT_CASES.includes(name);
}

if (import.meta.main) await runScript(main);
