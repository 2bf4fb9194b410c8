/**
 * Writes `results/report.md` from the rows of all parts: `deno task compare`.
 *
 * @module
 */

import { createReporter } from "../io/reporter.ts";
import { compareResults, writeReport } from "../report/compare.ts";
import { renderResultsTable } from "../report/report_page.ts";
import { type FlagTable, helpText, parseFlags } from "./flags.ts";
import { runScript } from "./run_script.ts";

const FLAGS = {
  out: {
    kind: "path",
    default: "results",
    help: "folder with the part*.csv files, which report.md is written to",
  },
  quiet: { kind: "boolean", help: "print warnings only" },
  json: {
    kind: "boolean",
    help: "print the comparison as JSON, everything else on standard error",
  },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

async function main(): Promise<void> {
  const flags = parseFlags(Deno.args, FLAGS);
  if (flags.help) {
    console.log(helpText({
      usage: "deno task compare [flags]",
      description: "Sets the newest successful run of each model beside the study's published " +
        "values, and writes the comparison to report.md.",
      table: FLAGS,
      examples: ["deno task compare", "deno task compare --out results/tries --json"],
    }));
    return;
  }
  const reporter = createReporter({ quiet: flags.quiet, stream: flags.json ? "stderr" : "stdout" });
  const comparison = await compareResults(flags.out);
  const path = await writeReport(flags.out, comparison);
  const { models, problems } = comparison;
  for (const line of renderResultsTable(models).trimEnd().split("\n")) reporter.line(line);
  for (const { model, differences } of models) {
    if (differences.length === 0) continue;
    reporter.warn(
      `${model} is not comparable with the published values: ${differences.join("; ")}`,
    );
  }
  if (problems.length > 0) {
    reporter.warn(`Something is odd in the result files: see Problems in ${path}`);
  }
  reporter.line(`Written to ${path}`);
  if (flags.json) console.log(JSON.stringify({ report: path, ...comparison }));
}

if (import.meta.main) await runScript(main);
