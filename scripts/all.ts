/**
 * The whole study: parts 1, 2 and 4 and the comparison, one process after the other, each with its
 * own permissions. Run it with `deno task all`; `--help` lists the flags.
 *
 * Its permission to run programs is not narrowed to `deno`: Deno would then start nothing where
 * `LD_LIBRARY_PATH` is set, which CUDA often needs, and who may run `deno` may run anything.
 *
 * @module
 */

import { knownRows, noteFailure } from "../experiment/failed_part.ts";
import { DRY_RUN, SHARED_FLAGS } from "../experiment/flags.ts";
import {
  expectedSeconds,
  imageCounts,
  type MachineRates,
  roundDuration,
} from "../experiment/forecast.ts";
import { waitVisibly } from "../experiment/recording.ts";
import { runChildScript } from "../io/child_script.ts";
import { failureReason } from "../io/disk_error.ts";
import { InterruptedError, StudyError } from "../io/errors.ts";
import { readCommandLine } from "../io/help_text.ts";
import { flagName, type FlagTable, type FlagValues } from "../io/parse_flags.ts";
import { shortened } from "../io/printable.ts";
import { createReporter, type Reporter } from "../io/reporter.ts";
import { interruptible, runScript } from "../io/run_script.ts";
import { lookAtResultsFile } from "../report/record/results.ts";
import { MODELS, type PartNumber, type PartSize, PRESETS } from "../study.ts";

/** The parts that have published results, in the study's order. */
const PARTS = [...new Set(MODELS.filter(({ published }) => published).map(({ part }) => part))];

const { seed, data, backend, device, precision, threads, libtensorflow, out } = SHARED_FLAGS;
const { resume, tensorboard, strict, quiet, verbose, help } = SHARED_FLAGS;

const FLAGS = {
  preset: {
    kind: "choice",
    choices: ["smoke", "quick", "full"],
    default: "quick",
    help: "how much is done: a few images, a few hundred to a few thousand, or all of the study",
  },
  weights: {
    kind: "choice",
    choices: ["pretrained", "random"],
    default: "pretrained",
    help: "what parts 2 and 4 start from",
  },
  seed,
  data,
  backend,
  device,
  precision,
  threads,
  libtensorflow,
  out,
  resume,
  tensorboard,
  strict,
  quiet: { ...quiet, excludes: ["dryRun"] },
  verbose,
  ...DRY_RUN,
  help,
} as const satisfies FlagTable;

type Flags = FlagValues<typeof FLAGS>;

interface Context {
  flags: Flags;
  reporter: Reporter;
  signal: AbortSignal;
}

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task all [flags]",
    description: "Runs parts 1, 2 and 4 of the study and compares what they find with what was " +
      "published. A part that fails does not stop the others.",
    table: FLAGS,
    examples: [
      "deno task all --preset smoke --out /tmp/try",
      "deno task all --preset full --resume",
      "deno task all --preset full --dry-run",
    ],
  });
  if (flags === undefined) return;
  const reporter = createReporter(flags);
  await interruptible(async (signal) => {
    const context = { flags, reporter, signal };
    if (flags.dryRun) return await dryRun(context);
    const failures: Failed[] = [];
    for (const part of PARTS) await lookAtResultsFile(flags.out, part);
    try {
      if (!flags.quiet) await announce(context);
      for (const part of PARTS) failures.push(...await runPart(part, context));
      failures.push(...await compare(context));
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
      throw new InterruptedError(
        "Interrupted; what is finished is kept: add --resume to the same command to go on",
      );
    }
    if (failures.length > 0) {
      throw new StudyError(`${describeFailures(failures)}; everything else is done`);
    }
  });
}

/** What failed, and why. */
interface Failed {
  what: string;
  reason: string;
}

/** Characters of a reason, which has been said in full above. */
const REASON_LENGTH = 70;

/** On one line, each reason once. */
function describeFailures(failures: readonly Failed[]): string {
  return failures.map(({ what, reason }, i) => {
    const first = failures.findIndex((other) => other.reason === reason);
    return `${what} failed: ` +
      (first < i ? `as ${lowerCase(failures[first]!.what)}` : shortened(reason, REASON_LENGTH));
  }).join("; ");
}

function lowerCase(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Says what the parts would do. */
async function dryRun({ flags, signal }: Context): Promise<void> {
  const lines = Object.fromEntries(PARTS.map((part) => [part, commandLineOf(part, flags)]));
  const { failure } = await runChildScript("experiment/dry_run_parts.ts", {
    args: [JSON.stringify(lines)],
    permissions: "engine",
    stderr: "inherit",
    signal,
  });
  // It has said itself what went wrong.
  if (failure !== undefined) Deno.exitCode = 1;
}

/** Says how long the parts will take on this machine, which is measured for it. */
async function announce({ flags, reporter, signal }: Context): Promise<void> {
  reporter.line(`Preset ${flags.preset}: measuring how fast this machine is`);
  const { failure, output } = await runChildScript("experiment/machine_rates.ts", {
    args: [
      ...argumentsFor(
        flags,
        ["data", "backend", "device", "precision", "threads", "libtensorflow"],
      ),
      "--quiet",
    ],
    permissions: "engine",
    stdout: "piped",
    stderr: "inherit",
    signal,
  });
  if (failure !== undefined) return reporter.line("How long it will take is not known");
  const rates: MachineRates = JSON.parse(output);
  let total = 0;
  for (const number of PARTS) {
    const size: PartSize = PRESETS[flags.preset][number];
    const seconds = expectedSeconds(number, size, rates);
    total += seconds;
    const { train, test } = imageCounts(size, rates);
    const work = number === 2
      ? `${test} test images`
      : `${train} training and ${test} test images, ` +
        `${size.epochs} epoch${size.epochs === 1 ? "" : "s"}`;
    reporter.line(`  part ${number}: about ${roundDuration(seconds)} (${work})`);
  }
  reporter.line(`  in total about ${roundDuration(total)}, plus any downloads`);
}

/** @returns What failed, if it did: its row is in the results, where they can be read. */
export async function runPart(
  number: PartNumber,
  { flags, reporter, signal }: Context,
): Promise<Failed[]> {
  reporter.line(`\nPart ${number}`);
  const before = await knownRows(flags.out, number).catch(failureReason);
  if (typeof before === "string") {
    reporter.warn(`Part ${number} is left out: ${before}`);
    return [{ what: `Part ${number}`, reason: before }];
  }
  const command = commandLineOf(number, flags);
  const { failure } = await runChildScript(`scripts/part${number}.ts`, {
    args: command,
    permissions: "engine",
    signal,
  });
  if (failure === undefined) return [];
  const models = MODELS.filter(({ part, published }) => part === number && published)
    .map(({ name }) => name);
  const { out, seed, resume } = flags;
  const waiting = waitVisibly(out, reporter, signal);
  await noteFailure({ part: number, models, seed, failure, resume, command, before, out, waiting })
    .catch(({ message }) => reporter.warn(`Part ${number} leaves no row: ${message}`));
  return [{ what: `Part ${number}`, reason: failure }];
}

/** What a part is started with. */
export function commandLineOf(part: PartNumber, flags: Flags): string[] {
  const size = Object.entries(PRESETS[flags.preset][part])
    .map(([name, value]) => `${flagName(name)}=${value}`);
  return [
    ...size,
    ...argumentsFor(flags, [
      ...(part === 1 ? [] : ["weights", "strict"] as const),
      ...["seed", "data", "backend", "device", "precision", "threads", "libtensorflow"] as const,
      ...["out", "resume", "tensorboard", "quiet", "verbose"] as const,
    ]),
  ];
}

async function compare({ flags, reporter, signal }: Context): Promise<Failed[]> {
  reporter.line("\nComparison");
  const { failure } = await runChildScript("scripts/compare.ts", {
    args: argumentsFor(flags, ["out", "quiet", "verbose"]),
    permissions: "report",
    lock: "deno.full.lock",
    signal,
  });
  return failure === undefined ? [] : [{ what: "The comparison", reason: failure }];
}

/** The command line of those flags that differ from their defaults. */
function argumentsFor(flags: Flags, names: readonly (keyof Flags)[]): string[] {
  return names.flatMap((name) => {
    const value = flags[name];
    const flag: FlagTable[string] = FLAGS[name];
    if (value === undefined || value === false) return [];
    if (value === true) return [flagName(name)];
    return "default" in flag && flag.default === value ? [] : [`${flagName(name)}=${value}`];
  });
}

if (import.meta.main) await runScript(main);
