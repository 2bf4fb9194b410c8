/**
 * Many runs of the study on this machine or a cluster: `deno task sweep` hands a configuration to
 * Snakemake, which does all of it; `workflow/Snakefile` says what there is to do, and docs/cluster.md
 * how.
 *
 * Its permission to run programs is not narrowed to `snakemake`: who may run that may run anything.
 *
 * @module
 */

import { join } from "node:path";
import process from "node:process";
import { measuredFlags } from "../experiment/sweep_configuration.ts";
import { writeFileAtomic } from "../io/atomic.ts";
import { cacheDir, repositoryRoot, userFolder } from "../io/cache.ts";
import { runChildScript } from "../io/child_script.ts";
import { passAbortOn } from "../io/child_signal.ts";
import { InterruptedError, StudyError, UsageError } from "../io/errors.ts";
import { readCommandLine } from "../io/help_text.ts";
import { machineLimits } from "../io/machine_limits.ts";
import type { FlagTable, FlagValues } from "../io/parse_flags.ts";
import { exists, pathKind } from "../io/path_kind.ts";
import { createReporter, type Reporter } from "../io/reporter.ts";
import { runCommand } from "../io/run_command.ts";
import { interruptible, runScript } from "../io/run_script.ts";
import { shellQuote } from "../io/shell_quote.ts";

/** The version that the workflow is tested with, and the least that has all that it asks for. */
const SNAKEMAKE = { tested: "9.27.1", major: 9 } as const;

const FLAGS = {
  config: {
    kind: "path",
    default: "workflow/config.yaml",
    help: "what is to be run: a file like workflow/config.yaml, which is the default",
  },
  on: {
    kind: "choice",
    choices: ["local", "slurm", "kubernetes"],
    default: "local",
    help: "where: on this machine or on a cluster, by the profile in workflow/profiles/",
  },
  jobs: {
    kind: "integer",
    min: 1,
    help: "cores of this machine, or jobs of the cluster, at a time",
    defaultText: "as the profile says",
  },
  dryRun: { kind: "boolean", help: "show the plan, and run nothing" },
  measure: {
    kind: "boolean",
    help:
      "measure first how fast this machine is on the file's backend, device and cores, in a few " +
      "seconds, and plan with that from now on",
  },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task sweep [flags]",
    description:
      "Hands many runs to Snakemake, on this machine or a cluster: every combination of " +
      "the models, data, limits, recipes and seeds in a file. What was interrupted or has failed goes " +
      "on by the same command.",
    table: FLAGS,
    examples: [
      "deno task sweep --dry-run",
      "deno task sweep --config workflow/learning_set_size.yaml",
      "deno task sweep --config my.yaml --on slurm --jobs 200",
    ],
  });
  if (flags === undefined) return;
  if (flags.measure && flags.on === "kubernetes") {
    throw new UsageError(
      "--measure and --on kubernetes exclude each other, as pods do not see what is measured here: " +
        "measure on a node, put a copy of the file where pods see it, and name it by `rates:` in the " +
        "configuration",
    );
  }
  const reporter = createReporter();
  const kind = await pathKind(flags.config);
  if (kind === "nothing" || kind === "folder") {
    throw new UsageError(
      `${
        kind === "folder" ? `${flags.config} is a folder` : `There is no ${flags.config}`
      }: copy ` +
        "workflow/config.yaml and name the copy with --config",
    );
  }
  await requireSnakemake(flags.on);
  await interruptible(async (signal) => {
    if (flags.measure) {
      await measure(measuredFlags(await Deno.readTextFile(flags.config)), { reporter, signal });
    }
    const args = await snakemakeArgs(flags);
    reporter.line(`Handing over to: snakemake ${args.map(shellQuote).join(" ")}`);
    await handOver(args, { ...flags, signal });
  });
}

/** Where `--measure` leaves what it finds. */
function ratesPath(): string {
  return join(cacheDir(), "rates.json");
}

/** @throws {StudyError} If Snakemake, or its plugin for the cluster, is not there. */
async function requireSnakemake(on: FlagValues<typeof FLAGS>["on"]): Promise<void> {
  const install = `pip install snakemake==${SNAKEMAKE.tested}`;
  const version = (await runCommand(["snakemake", "--version"]))?.stdout.trim() ?? "";
  if (version === "") throw new StudyError(`There is no Snakemake here: ${install}`);
  if (!(Number.parseInt(version) >= SNAKEMAKE.major)) {
    throw new StudyError(`Snakemake is ${version}, which is too old: ${install}`);
  }
  // The executor is looked for before the version is printed.
  if ((await runCommand(["snakemake", "--executor", on, "--version"]))?.success) return;
  throw new StudyError(
    `Snakemake has no executor for ${on}: pip install snakemake-executor-plugin-${on}`,
  );
}

/** Measures this machine, for this plan and later ones. */
async function measure(
  args: readonly string[],
  { reporter, signal }: { reporter: Reporter; signal: AbortSignal },
): Promise<void> {
  reporter.line(`Measuring how fast this machine is, with ${args.map(shellQuote).join(" ")}`);
  const { failure, output } = await runChildScript("experiment/machine_rates.ts", {
    args,
    permissions: "engine",
    stdout: "piped",
    signal,
  });
  if (failure !== undefined) throw new StudyError(`The measurement failed: ${failure}`);
  await writeFileAtomic(ratesPath(), `${JSON.stringify(JSON.parse(output), null, 2)}\n`);
}

/** What all runs here share: the memory that this process may have, and a GPU. */
function localResources(): string[] {
  const bytes = Math.min(Deno.systemMemoryInfo().total, machineLimits().memoryBytes ?? Infinity);
  return ["--resources", `mem_mb=${Math.floor(bytes / 1e6)}`, "gpu=1"];
}

async function snakemakeArgs({ config, on, jobs, dryRun }: FlagValues<typeof FLAGS>) {
  const workflow = join(repositoryRoot(), "workflow");
  return [
    ...["--snakefile", join(workflow, "Snakefile"), "--configfile", config],
    ...["--profile", join(workflow, "profiles", on)],
    ...(on === "local" ? localResources() : []),
    ...(jobs === undefined ? [] : [on === "local" ? "--cores" : "--jobs", String(jobs)]),
    // Not `rates`, which would take the place of what the file says. Pods do not see this machine's
    // files.
    ...(on !== "kubernetes" && await exists(ratesPath())
      ? ["--config", `measured_rates=${ratesPath()}`]
      : []),
    ...(dryRun ? ["--dry-run", "--quiet", "rules"] : []),
  ];
}

/** What {@linkcode handOver} has to know besides what Snakemake is called with. */
interface HandOverOptions extends Pick<FlagValues<typeof FLAGS>, "config" | "dryRun"> {
  signal: AbortSignal;
}

/** Runs Snakemake to its end, in the user's folder and on their terminal. */
async function handOver(
  args: readonly string[],
  { config, dryRun, signal }: HandOverOptions,
): Promise<void> {
  signal.throwIfAborted();
  const folder = await Deno.makeTempDir();
  try {
    // Snakemake ends with the same code whatever is wrong; the workflow leaves this once it has a plan.
    const mark = join(folder, "planned");
    const child = new Deno.Command("snakemake", {
      args: [...args],
      cwd: userFolder(),
      env: { MNIST_STUDY_PLANNED: mark },
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    // On a terminal Ctrl-C has reached it by itself: a second one would cut its end short.
    using _passing = process.stdin.isTTY ? undefined : passAbortOn(signal, child);
    const { code } = await child.status;
    if (signal.aborted) {
      throw new InterruptedError(
        "Interrupted; what is finished is kept: the same command goes on",
      );
    }
    if (code !== 0) {
      throw new StudyError(failureOf({ config, dryRun, planned: await exists(mark) }));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What has failed, and what helps. */
function failureOf(
  { config, dryRun, planned }: Omit<HandOverOptions, "signal"> & { planned: boolean },
): string {
  if (!planned) return `Nothing was run, for the reasons above: correct ${config} and try again`;
  return dryRun
    ? "Snakemake has not shown the whole plan, for the reasons above; nothing was run"
    : "Snakemake has not finished, for the reasons above; the same command goes on with what is left";
}

if (import.meta.main) await runScript(main);
