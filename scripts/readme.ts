/**
 * Writes README's tables of results and speeds from the files in `results/`: `deno task readme`.
 *
 * @module
 */

import { readCommandLine } from "../io/help_text.ts";
import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { repositoryRoot } from "../io/cache.ts";
import { StudyError } from "../io/errors.ts";
import { createReporter } from "../io/reporter.ts";
import { compareResults } from "../report/compare.ts";
import type { BenchResults } from "../report/analysis/bench_results.ts";
import { renderSpeedTable } from "../report/page/speed_table.ts";
import { isPeerRun, type PeerRun, renderReadmeTable } from "../report/page/readme_table.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { runScript } from "../io/run_script.ts";

/** What the markers of a table in README are called. */
type TableName = "results" | "speed";

const FLAGS = {
  results: { kind: "path", default: "results", help: "folder with the results" },
  check: { kind: "boolean", help: "write nothing; fail if a table is not up to date" },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

/**
 * README with its tables made anew.
 *
 * @param readme Its text.
 * @param results Folder of results, with PyTorch's runs in its `pytorch/` and `bench/bench.json`.
 * @throws {StudyError} If the markers of a table are not in `readme`, or there are no results.
 */
export async function updateReadme(readme: string, results: string): Promise<string> {
  const { models } = await compareResults([results]);
  const table = renderReadmeTable(models, await peerRuns(join(results, "pytorch")));
  const speed = await speedTable(join(results, "bench", "bench.json"));
  return between(between(readme, "results", table), "speed", speed);
}

function between(readme: string, name: TableName, table: string): string {
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

/** The table of a bench's findings; where there are none, a line that says how to get them. */
async function speedTable(path: string): Promise<string> {
  let found: Partial<BenchResults> | null;
  try {
    found = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "Not measured yet: `deno task bench`.\n";
    if (!(error instanceof SyntaxError)) throw error;
    found = null;
  }
  const comparisons = found?.comparisons;
  if (!Array.isArray(comparisons)) {
    throw new StudyError(`${path} is no result of the bench: write it again or remove it`);
  }
  return renderSpeedTable({ comparisons });
}

/** The runs in a folder's JSON files; none if there is no folder. */
async function peerRuns(folder: string): Promise<PeerRun[]> {
  const runs: PeerRun[] = [];
  for (const name of await jsonFiles(folder)) {
    const path = join(folder, name);
    let run: unknown;
    try {
      run = JSON.parse(await Deno.readTextFile(path));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    if (!isPeerRun(run)) {
      throw new StudyError(
        `${path} is not a result of bench/reference/: write it again or remove it`,
      );
    }
    runs.push(run);
  }
  return runs;
}

async function jsonFiles(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name).filter((name) => name.endsWith(".json")).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
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
