/**
 * Writes README's table of results from the files in `results/`: `deno task readme`.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { repositoryRoot } from "../io/cache.ts";
import { StudyError } from "../io/errors.ts";
import { createReporter } from "../io/reporter.ts";
import { compareResults } from "../report/compare.ts";
import { isPeerRun, type PeerRun, renderReadmeTable } from "../report/readme_table.ts";
import { type FlagTable, helpText, parseFlags } from "./flags.ts";
import { runScript } from "./run_script.ts";

const MARKERS = { begin: "<!-- results:begin -->", end: "<!-- results:end -->" } as const;

const FLAGS = {
  results: { kind: "path", default: "results", help: "folder with the results" },
  check: { kind: "boolean", help: "write nothing; fail if the table is not up to date" },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

/**
 * README with its table made anew.
 *
 * @param readme Its text.
 * @param results Folder of results, with PyTorch's runs in its `pytorch/`.
 * @throws {StudyError} If the markers of the table are not in `readme`, or there are no results.
 */
export async function updateReadme(readme: string, results: string): Promise<string> {
  const [before, rest, ...more] = readme.split(`${MARKERS.begin}\n`);
  const [, after, ...evenMore] = rest?.split(MARKERS.end) ?? [];
  if (after === undefined || more.length + evenMore.length > 0) {
    throw new StudyError(
      `README.md must have a line ${MARKERS.begin} and after it a line ${MARKERS.end}, each once: ` +
        "the table of results goes between them",
    );
  }
  const { models } = await compareResults([results]);
  const table = renderReadmeTable(models, await peerRuns(join(results, "pytorch")));
  return `${before}${MARKERS.begin}\n\n${table}\n${MARKERS.end}${after}`;
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
  const flags = parseFlags(Deno.args, FLAGS);
  if (flags.help) {
    console.log(helpText({
      usage: "deno task readme [flags]",
      description: "Writes README's table of results from the files in results/.",
      table: FLAGS,
      examples: ["deno task readme", "deno task readme --check"],
    }));
    return;
  }
  const path = join(repositoryRoot(), "README.md");
  const readme = await Deno.readTextFile(path);
  const updated = await updateReadme(readme, flags.results);
  if (updated === readme) return createReporter().line("README.md is up to date");
  if (flags.check) {
    throw new StudyError(
      `README.md's table is not that of ${flags.results}: run "deno task readme"`,
    );
  }
  await writeFileAtomic(path, updated);
  createReporter().line("README.md has a new table");
}

if (import.meta.main) await runScript(main);
