/**
 * Writes README's tables of results and speeds from the files in `results/`: `deno task readme`.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { repositoryRoot } from "../io/cache.ts";
import { StudyError } from "../io/errors.ts";
import { createReporter } from "../io/reporter.ts";
import { readCommandLine } from "../io/help_text.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { runScript } from "../io/run_script.ts";
import { compareResults } from "../report/compare.ts";
import { renderReadmeTable, renderSpeedTable } from "../report/page/readme_tables.ts";
import { readPairedTimings } from "../report/record/bench_results.ts";
import { readPeerRuns } from "../report/record/peer_runs.ts";

/** What the markers of a table in README are called. */
type TableName = "results" | "speed";

const FLAGS = {
  results: { kind: "path", default: "results", help: "folder with the results" },
  check: { kind: "boolean", help: "write nothing; fail if a table is not up to date" },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

/**
 * The text of README with up-to-date tables.
 *
 * @param readme Its text.
 * @param results Folder of results, with PyTorch's runs in its `pytorch/` and `bench/bench.json`.
 * @throws {StudyError} If the markers of a table are not in `readme`, or there are no results.
 */
export async function updateReadme(readme: string, results: string): Promise<string> {
  const { models } = await compareResults([results]);
  const table = renderReadmeTable(models, await readPeerRuns(join(results, "pytorch")));
  const timings = await readPairedTimings(join(results, "bench", "bench.json"));
  const speeds = timings === null
    ? "Not measured yet: `deno task bench`.\n"
    : renderSpeedTable(timings);
  return replaceTable(replaceTable(readme, "results", table), "speed", speeds);
}

/** Puts a table between its markers. */
function replaceTable(readme: string, name: TableName, table: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [before, rest, ...more] = readme.split(`${begin}\n`);
  const [, after, ...evenMore] = rest?.split(end) ?? [];
  if (after === undefined || more.length + evenMore.length > 0) {
    throw new StudyError(
      `README.md must have a line ${begin} and after it a line ${end}, each once: ` +
        "a table goes between them",
    );
  }
  return `${before}${begin}\n\n${table}\n${end}${after}`;
}

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task readme [flags]",
    description: "Writes README's tables of results and speeds from the files in results/.",
    table: FLAGS,
    examples: ["deno task readme", "deno task readme --check"],
  });
  if (flags === undefined) return;
  const path = join(repositoryRoot(), "README.md");
  const readme = await Deno.readTextFile(path);
  const updated = await updateReadme(readme, flags.results);
  if (updated === readme) return createReporter().line("README.md is up to date");
  if (flags.check) {
    throw new StudyError(
      `README.md's tables are not those of ${flags.results}: run "deno task readme"`,
    );
  }
  await writeFileAtomic(path, updated);
  createReporter().line("README.md has new tables");
}

if (import.meta.main) await runScript(main);
