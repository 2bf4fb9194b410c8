/**
 * What can be said on the command line of `deno task runs`.
 *
 * @module
 */

import type { HelpOptions } from "../../io/help_text.ts";
import type { FlagTable } from "../../io/parse_flags.ts";
import { STATES } from "./list_runs.ts";
import { SORT_KEYS } from "./select_runs.ts";

/** Where the parts write their runs. */
export const DEFAULT_FOLDER = "results";

const COMMON = {
  results: {
    kind: "paths",
    existing: "folder",
    help: `folder with partN.csv files and runs/; may be given several times [default: ` +
      `${DEFAULT_FOLDER}]`,
  },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page; -h does too" },
} as const satisfies FlagTable;

const JSON_FLAG = { json: { kind: "boolean", help: "print JSON" } } as const satisfies FlagTable;

const YES = {
  yes: { kind: "boolean", help: "remove without asking" },
} as const satisfies FlagTable;

const RUN = "RUN is an id, its beginning or another part of it that no other run has, or a folder.";

export const LIST = {
  usage: "deno task runs list [flags]",
  description:
    "Lists runs, including killed ones and folders that are not runs. When sorted, the " +
    "best come first.",
  table: {
    model: { kind: "text", placeholder: "NAME", help: "only models with this in their names" },
    part: { kind: "choices", choices: ["1", "2", "4"], help: "only these parts of the study" },
    status: {
      kind: "choices",
      choices: STATES,
      help:
        "only runs in these states; killed, unrecorded and broken ones have no row in partN.csv",
    },
    seed: { kind: "integers", min: 0, help: "only these seeds" },
    data: { kind: "text", placeholder: "NAME", help: "only data sets with this in their names" },
    precision: {
      kind: "choice",
      choices: ["float32", "bfloat16"],
      help: "only runs in this number format",
    },
    sort: { kind: "choice", choices: SORT_KEYS, default: "started", help: "what to sort by" },
    reverse: { kind: "boolean", help: "reverse the order" },
    ...JSON_FLAG,
    ...COMMON,
  },
  examples: [
    "deno task runs list --model simplecnn --sort accuracy",
    "deno task runs list --status killed,interrupted",
    "deno task runs list --results results/reference --json",
  ],
} as const satisfies HelpOptions;

export const SHOW = {
  usage: "deno task runs show RUN [flags]",
  description: "Shows a run: settings, machine, results with intervals, learning curve and " +
    `confusion matrix. ${RUN}`,
  table: { ...JSON_FLAG, ...COMMON },
  examples: ["deno task runs show 8cf1564d", "deno task runs show results/runs/2026… --json"],
} as const satisfies HelpOptions;

export const DIFF = {
  usage: "deno task runs diff RUN RUN [flags]",
  description:
    "Compares two runs: the settings that differ, results with intervals, and McNemar's " +
    `exact test on the test images that both have. ${RUN}`,
  table: { ...JSON_FLAG, ...COMMON },
  examples: ["deno task runs diff seed1 seed2"],
} as const satisfies HelpOptions;

export const RM = {
  usage: "deno task runs rm RUN... [flags]",
  description:
    "Removes runs, their folders and rows together, after asking. A run that is going on " +
    `and the committed results are refused. ${RUN}`,
  table: { ...YES, ...COMMON },
  examples: ["deno task runs rm 8cf1564d", "deno task runs rm 8cf1564d 8aac0ce0 --yes"],
} as const satisfies HelpOptions;

export const CLEAN = {
  usage: "deno task runs clean [flags]",
  description:
    "Removes, after asking, what killed processes left: temporary files, the folders of " +
    "killed runs without a row, and what is left of removed runs. Runs that are finished or going " +
    "on, and folders with other things in them, stay.",
  table: {
    dryRun: { kind: "boolean", help: "only say what would be removed" },
    keepResumable: { kind: "boolean", help: "leave killed runs that --resume could go on with" },
    ...YES,
    ...COMMON,
  },
  examples: ["deno task runs clean --dry-run", "deno task runs clean --keep-resumable --yes"],
} as const satisfies HelpOptions;

/** The page that names the commands. */
export function overview(): string {
  return [
    "Lists, shows, compares and removes runs. No FFI, no network; nothing is removed unasked.",
    "",
    "Usage: deno task runs [command] [flags]",
    "",
    "Commands, each with --help; without one runs are listed:",
    ...[LIST, SHOW, DIFF, RM, CLEAN].map(({ usage, description }) =>
      `  ${usage.replace(" [flags]", "").padEnd(WIDEST_USAGE)}${description.split(/[:.]/)[0]}`
    ),
  ].join("\n");
}

const WIDEST_USAGE = 32;
