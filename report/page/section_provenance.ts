/**
 * The report's section on where its rows come from and how to repeat the runs.
 *
 * @module
 */

import { shellQuote } from "../../io/shell_quote.ts";
import type { Comparison, ModelComparison } from "../analysis/comparison.ts";
import { describeMachine, resourcesOf } from "../analysis/describe_machine.ts";
import { describeCode } from "../analysis/describe_run.ts";
import { formatCount, formatFixed, NONE } from "../analysis/format_numbers.ts";
import { type ResultRow, settingKey } from "../record/result_row.ts";
import type { SeedRun } from "../record/run_files.ts";
import { codeOf, type Json, type Manifest } from "../record/run_folder.ts";
import { code, escapeMarkdown, table } from "./markdown.ts";
import { CORE_SECONDS, duration } from "./run_costs.ts";

type Shown = ModelComparison & { row: ResultRow };

const SHORT_SHA = 12;

/** What is known of the runs shown; nothing if there is none. */
export function renderProvenance(
  { models, folders, peers, answers, peersAlone }: Comparison,
): string {
  const shown = models.filter((model): model is Shown => model.row !== null);
  if (shown.length === 0) return "";
  const dirty = shown.filter((model) =>
    runsOf(model).some(({ manifest }) =>
      manifest !== null && codeOf(manifest).some((git) => git?.clean === false)
    )
  );
  const warning = dirty.length === 0
    ? ""
    : `> **Not exactly repeatable**: ${
      dirty.map(({ model }) => escapeMarkdown(model)).join(", ")
    } ran with changes that were not committed.\n`;
  const hasResources = shown.some(({ manifest }) => manifest?.measured?.resources !== undefined);
  return [
    "## Where the rows come from\n",
    "All settings, each epoch and each prediction of a run are in its folder in `runs/`. The duration " +
    "is that of training and evaluation." +
    (hasResources ? ` ${CORE_SECONDS}; peak memory is the process's.` : "") +
    "\n",
    warning,
    table(
      [...CODE_COLUMNS, ...(hasResources ? RESOURCE_COLUMNS : [])],
      shown.map((model) => [
        ...codeCells(model, folders),
        ...(hasResources ? resourceCells(model) : []),
      ]),
    ),
    table(DATA_COLUMNS, shown.map(dataCells)),
    renderCommands(shown, peers.length + answers.length + peersAlone.length > 0),
  ].filter((part) => part !== "").join("\n");
}

const RESOURCE_COLUMNS = [
  { title: "Core-seconds", align: "right" },
  { title: "Peak memory (GB)", align: "right" },
] as const;

const CODE_COLUMNS = [
  { title: "Model" },
  { title: "Run" },
  { title: "Started" },
  { title: "Duration (s)", align: "right" },
  { title: "Commit" },
  { title: "Deno / tfjs / TensorFlow" },
  { title: "Machine" },
] as const;

const DATA_COLUMNS = [
  { title: "Model" },
  { title: "Data set" },
  { title: "Its SHA-256" },
  { title: "Weights" },
  { title: "Their SHA-256" },
  { title: "Seed", align: "right" },
] as const;

function codeCells(
  { model, row, folder, manifest }: Shown,
  folders: readonly string[],
): string[] {
  const run = code(row.run_id) || NONE;
  return [
    escapeMarkdown(model),
    folders.length > 1 ? `${run} in ${code(folder)}` : run,
    escapeMarkdown(row.started_at) || NONE,
    formatFixed(duration(row), 1),
    describeCommit(manifest),
    ["deno", "tfjs", "tensorflow"].map((name) => words(manifest?.versions[name])).join(" / "),
    escapeMarkdown(describeMachine(manifest)) || NONE,
  ];
}

/** What the run took, as far as its manifest says. */
function resourceCells({ manifest }: Shown): string[] {
  const { cpu_seconds: seconds, peak_memory_bytes: bytes } = resourcesOf(manifest);
  return [
    seconds === undefined ? NONE : formatFixed(seconds, 1),
    bytes === undefined ? NONE : formatFixed(bytes / 1e9, 2),
  ];
}

function dataCells({ model, row }: Shown): string[] {
  return [
    escapeMarkdown(model),
    escapeMarkdown(row.dataset) || NONE,
    code(row.dataset_sha256.slice(0, SHORT_SHA)) || NONE,
    escapeMarkdown(row.weights) || NONE,
    code(row.weights_sha256.slice(0, SHORT_SHA)) || NONE,
    row.seed === null ? NONE : String(row.seed),
  ];
}

function describeCommit(manifest: Manifest | null): string {
  if (manifest === null) return NONE;
  return describeCode(manifest, (commit) => code(commit.slice(0, SHORT_SHA))) || NONE;
}

function words(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number"
    ? escapeMarkdown(String(value))
    : NONE;
}

/** A branch is to be one again, and no commit without a name. */
const REMEMBER_PLACE = "here=$(git symbolic-ref --quiet --short HEAD || git rev-parse HEAD)";

/** Of more commands, these are listed. */
const COMMANDS_SHOWN = 60;

/** The command lines of all runs of ours that count, by the version of the code. */
function renderCommands(shown: readonly Shown[], hasPeers: boolean): string {
  const byCommit = new Map<string, Map<string, Set<number>>>();
  for (const { row, manifest } of shown.flatMap(runsOf)) {
    const command = commandLine(row, manifest);
    if (command === null) continue;
    const commit = manifest?.git?.commit ?? "";
    const commands = byCommit.get(commit) ?? new Map<string, Set<number>>();
    const seeds = commands.get(command.text) ?? new Set();
    if (command.namesSeed && row.seed !== null) seeds.add(row.seed);
    byCommit.set(commit, commands.set(command.text, seeds));
  }
  const all = [...byCommit].flatMap(([commit, commands]) =>
    [...commands].map(([text, seeds]) => ({ commit, line: text + seedFlag(seeds) }))
  );
  if (all.length === 0) return "";
  const lines = [...Map.groupBy(all.slice(0, COMMANDS_SHOWN), ({ commit }) => commit)]
    .flatMap(([commit, commands]) => [
      ...(/^[0-9a-f]{7,64}$/.test(commit) ? [`git checkout ${commit}`] : []),
      ...commands.map(({ line }) => line),
    ]);
  const left = all.length - COMMANDS_SHOWN;
  const isElsewhere = lines.some((line) => line.startsWith("git checkout "));
  const script = isElsewhere
    ? [REMEMBER_PLACE, ...lines, 'git checkout "$here"', "deno task compare"]
    : [...lines, "deno task compare"];
  return "### How to repeat the runs\n\nIn a clone of the repository, these commands repeat all our " +
    "runs that this report's tables are made from" +
    (isElsewhere
      ? ", each with the code that made it, and write the report with the code that you have checked out"
      : "") +
    `:\n\n\`\`\`sh\n${script.join("\n")}\n\`\`\`\n` +
    (hasPeers
      ? "\nPyTorch's runs are made by the scripts in `bench/reference/`, each of which says at its head " +
        "how it is run.\n"
      : "") +
    (left > 0 ? `\nThe commands of ${left} more are in their runs' \`manifest.json\`.\n` : "");
}

/** The run shown and all others of the model that count, by setting and seed. */
function runsOf({ row, manifest, counted, settings }: Shown): SeedRun[] {
  const place = new Map(settings.map(({ newest }, i) => [settingKey(newest), i]));
  const placeOf = ({ row }: SeedRun) => place.get(settingKey(row)) ?? Infinity;
  const others = counted.filter((run) => run.row !== row)
    .toSorted((a, b) => placeOf(a) - placeOf(b));
  return [{ row, manifest }, ...others];
}

/** Of more seeds, a command counts them up from the first, or names so many. */
const SEEDS_NAMED = 24;

/** The most that `--runs` takes. */
const MOST_RUNS = 1000;

/** What asks for these seeds; of very many that are not in a row some, and in a comment how many more. */
function seedFlag(seeds: ReadonlySet<number>): string {
  const sorted = [...seeds].sort((a, b) => a - b);
  const [first] = sorted;
  if (first === undefined) return "";
  if (sorted.length === 1) return ` --seed ${first}`;
  if (sorted.length <= SEEDS_NAMED) return ` --seeds ${sorted.join(",")}`;
  const gap = sorted.findIndex((seed, i) => seed !== first + i);
  const row = Math.min(gap < 0 ? sorted.length : gap, MOST_RUNS);
  const isCounted = row > SEEDS_NAMED;
  const left = sorted.length - (isCounted ? row : SEEDS_NAMED);
  return (isCounted
    ? ` --seed ${first} --runs ${row}`
    : ` --seeds ${sorted.slice(0, SEEDS_NAMED).join(",")}`) +
    (left > 0 ? ` # and ${formatCount(left)} more seeds` : "");
}

/**
 * Without the flags that say which seeds there were, where results went, where that machine had its
 * library and how much was printed: runs that differ in nothing else have one command.
 */
function commandLine(
  { part }: ResultRow,
  manifest: Manifest | null,
): { text: string; namesSeed: boolean } | null {
  const command = manifest?.settings.command;
  if (!Array.isArray(command) || !Number.isInteger(part)) return null;
  const args = command.filter((arg) => typeof arg === "string");
  const kept = args.filter((arg, i) =>
    !/^--((out|libtensorflow|seed|seeds|runs)(=.*)?|quiet|json|verbose|resume)$/s.test(arg) &&
    !/^--(out|libtensorflow|seed|seeds|runs)$/.test(args[i - 1] ?? "")
  );
  return {
    text: `deno task part${part}${kept.map((arg) => ` ${shellQuote(onOneLine(arg))}`).join("")}`,
    namesSeed: args.some((arg) => /^--(seed|seeds|runs)(=|$)/.test(arg)),
  };
}

/** The argument on one line and without a Markdown fence in it. */
function onOneLine(arg: string): string {
  return arg.replace(/[\p{C}\s]+/gu, " ").replaceAll("```", "");
}
