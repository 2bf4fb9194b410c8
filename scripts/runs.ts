/**
 * The runs of a results folder: `deno task runs` lists, shows, compares and removes them. It has no FFI
 * and no network, and writes only to remove what it was asked to.
 *
 * @module
 */

import { join } from "node:path";
import { waitVisibly } from "../experiment/recording.ts";
import { repositoryRoot, userFolder } from "../io/cache.ts";
import { closestWord } from "../io/closest_word.ts";
import { StudyError, UsageError } from "../io/errors.ts";
import { folderEntries, totalBytes } from "../io/folder_size.ts";
import { type HelpOptions, readWords } from "../io/help_text.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { printable, printableJson, shortened } from "../io/printable.ts";
import { createReporter, formatBytes, print, type Reporter } from "../io/reporter.ts";
import { runScript } from "../io/run_script.ts";
import { describeSkipped, ProblemList } from "../report/record/problems.ts";
import { checkRemovable, removeRun } from "../report/record/remove_run.ts";
import { findRemovables, removeRemovable } from "../report/runs/clean_runs.ts";
import {
  CLEAN,
  DEFAULT_FOLDER,
  DIFF,
  LIST,
  overview,
  RM,
  SHOW,
} from "../report/runs/command_line.ts";
import { findRun } from "../report/runs/find_run.ts";
import { listPage } from "../report/runs/list_page.ts";
import { type ListedRun, listRuns } from "../report/runs/list_runs.ts";
import { filterRuns, sortRuns } from "../report/runs/select_runs.ts";

/** The commands, each with what it does. */
const COMMANDS = {
  list: [LIST, list],
  show: [SHOW, show],
  diff: [DIFF, diff],
  rm: [RM, rm],
  clean: [CLEAN, clean],
} as const;

async function main(): Promise<void> {
  const [first = "", ...rest] = Deno.args;
  if (first === "--help" || first === "-h") return print(overview());
  // What is listed most often needs no command.
  const isBare = first === "" || first.startsWith("-");
  const name = isBare ? "list" : first;
  if (!isCommand(name)) {
    const guess = closestWord(name, Object.keys(COMMANDS));
    throw new UsageError(
      `Unknown command ${shortened(name)}${guess ? `; did you mean ${guess}?` : "."} There are ` +
        Object.keys(COMMANDS).join(", "),
    );
  }
  await COMMANDS[name][1](isBare ? Deno.args : rest);
}

function isCommand(name: string): name is keyof typeof COMMANDS {
  return Object.hasOwn(COMMANDS, name);
}

/** A command's words and flags; `undefined` where its help page was asked for, which is printed. */
function read<const T extends FlagTable>(
  args: readonly string[],
  options: HelpOptions<T>,
  { least, most }: { least: number; most: number },
) {
  const given = readWords(options, args);
  if (given === undefined) return undefined;
  const { words } = given;
  if (words.length < least || words.length > most) {
    const wanted = most === 0 ? "no run" : least === most ? `${least}` : `at least ${least}`;
    throw new UsageError(
      `Name ${wanted}${most === 0 ? "" : least === 1 ? " run" : " runs"}, not ${words.length}: ` +
        `${options.usage}; see --help`,
    );
  }
  return given;
}

function foldersOf({ results }: { results: string[] | undefined }): string[] {
  return [...new Set(results ?? [join(repositoryRoot(), DEFAULT_FOLDER)])];
}

/** What only reads gives up the rest. */
async function readOnly(): Promise<void> {
  await Deno.permissions.revoke({ name: "write" });
}

async function list(args: readonly string[]): Promise<void> {
  const given = read(args, LIST, { least: 0, most: 0 });
  if (given === undefined) return;
  await readOnly();
  const { flags } = given;
  const folders = foldersOf(flags);
  const problems = new ProblemList();
  const all = await listRuns(folders, problems);
  const wanted = { ...flags, parts: flags.part?.map(Number), seeds: flags.seed };
  const chosen = filterRuns(all, { ...wanted, states: flags.status });
  const runs = sortRuns(chosen, { key: flags.sort, reverse: flags.reverse });
  tell(problems);
  if (flags.json) return print(printableJson(runs));
  const reporter = createReporter();
  if (runs.length === 0) {
    const text = all.length === 0 ? "No runs" : `None of ${all.length} runs matches`;
    return reporter.line(`${text} in ${folders.join(", ")}`);
  }
  for (const line of listPage(runs, screenWidth())) reporter.line(line);
}

async function show(args: readonly string[]): Promise<void> {
  const given = read(args, SHOW, { least: 1, most: 1 });
  if (given === undefined) return;
  await readOnly();
  // What draws and reckons is loaded where it is needed.
  const { readDetails } = await import("../report/runs/run_details.ts");
  const { showPage } = await import("../report/runs/show_page.ts");
  const problems = new ProblemList();
  const [run] = await find(given, problems);
  const details = await readDetails(run!, problems);
  tell(problems);
  if (given.flags.json) return print(printableJson({ ...details, predictions: undefined }));
  const reporter = createReporter();
  for (const line of showPage(details, screenWidth())) reporter.line(line);
}

async function diff(args: readonly string[]): Promise<void> {
  const given = read(args, DIFF, { least: 2, most: 2 });
  if (given === undefined) return;
  await readOnly();
  const { readDetails } = await import("../report/runs/run_details.ts");
  const { diffPage, diffRuns } = await import("../report/runs/diff_runs.ts");
  const problems = new ProblemList();
  const runs = await find(given, problems);
  const first = await readDetails(runs[0]!, problems);
  const second = await readDetails(runs[1]!, problems);
  const difference = diffRuns(first, second);
  tell(problems);
  if (given.flags.json) {
    return print(printableJson({ runs: runs.map(({ runId }) => runId), ...difference }));
  }
  const reporter = createReporter();
  for (const line of diffPage([first, second], difference)) reporter.line(line);
}

async function rm(args: readonly string[]): Promise<void> {
  const given = read(args, RM, { least: 1, most: Infinity });
  if (given === undefined) return;
  const problems = new ProblemList();
  const found = await find(given, problems);
  tell(problems);
  const runs = new Map(found.map((run) => [join(run.results, run.runId), run])).values().toArray();
  const reporter = createReporter();
  for (const run of runs) await checkRemovable(run);
  for (const run of runs) reporter.line(`  ${await describe(run)}`);
  const what = runs.length === 1 ? "this run, its folder and row" : `these ${runs.length} runs`;
  if (!mayRemove(what, given.flags, reporter)) return;
  for (const run of runs) {
    await removeRun(run, { waiting: waitVisibly(run.results, reporter) });
    reporter.line(`Removed run ${run.runId}`);
  }
}

async function clean(args: readonly string[]): Promise<void> {
  const given = read(args, CLEAN, { least: 0, most: 0 });
  if (given === undefined) return;
  const { dryRun, keepResumable } = given.flags;
  const folders = foldersOf(given.flags);
  const problems = new ProblemList();
  const runs = await listRuns(folders, problems);
  const found = await findRemovables(folders, { runs, keepResumable, problems });
  tell(problems);
  const reporter = createReporter();
  if (found.length === 0) return reporter.line(`Nothing to remove in ${folders.join(", ")}`);
  for (const { path, bytes, what } of found) {
    reporter.line(`  ${path}: ${what}, ${formatBytes(bytes)}`);
  }
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  if (dryRun) return reporter.line(`${formatBytes(bytes)} would be removed`);
  if (!mayRemove(`all of this, ${formatBytes(bytes)}`, given.flags, reporter)) return;
  let kept = 0;
  for (const removable of found) {
    if (await removeRemovable(removable)) continue;
    kept++;
    reporter.warn(`Kept ${removable.path}: some process has taken it up`);
  }
  reporter.line(`Removed ${found.length - kept} of ${found.length}`);
}

/** The runs that words name. */
async function find(
  { words, flags }: { words: readonly string[]; flags: { results: string[] | undefined } },
  problems: ProblemList,
): Promise<ListedRun[]> {
  const options = { folders: foldersOf(flags), origin: userFolder(), problems };
  const runs: ListedRun[] = [];
  for (const word of words) runs.push(await findRun(word, options));
  return runs;
}

/** Asks, where somebody is there to be asked. */
function mayRemove(what: string, { yes }: { yes: boolean }, reporter: Reporter): boolean {
  if (yes) return true;
  if (!Deno.stdin.isTerminal()) {
    throw new StudyError("Nothing is removed: there is no terminal to ask on; add --yes to do it");
  }
  const may = confirm(`Remove ${what}?`);
  if (!may) reporter.line("Nothing is removed");
  return may;
}

async function describe({ runId, state, folder, row }: ListedRun): Promise<string> {
  const size = folder === null ? "no folder" : formatBytes(totalBytes(await folderEntries(folder)));
  const accuracy = row.accuracy === null || Number.isNaN(row.accuracy)
    ? ""
    : `, accuracy ${row.accuracy.toFixed(2)} %`;
  return `${printable(runId)}: ${state}${accuracy}, ${size}`;
}

/** Says what could not be read. */
function tell(problems: ProblemList): void {
  const reporter = createReporter({ stream: "stderr" });
  const found = problems.list();
  for (const phrase of describeSkipped(found)) reporter.warn(`Left out: ${phrase}`);
  for (const { file, text, skipped } of found) {
    if (!skipped) reporter.warn(printable(`${file}: ${text}`, 400));
  }
}

/** Columns of the terminal; Infinity where there is none. */
function screenWidth(): number {
  if (!Deno.stdout.isTerminal()) return Infinity;
  try {
    return Deno.consoleSize().columns || Infinity;
  } catch {
    return Infinity;
  }
}

if (import.meta.main) await runScript(main);
