/**
 * Writes the numbers of README, docs/speed.md, docs/study.md and the parts' heads from `study.ts` and
 * from the committed results: `deno task readme`.
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
import { replaceExpectation, replaceMarked } from "../report/page/documents.ts";
import { renderExpectation } from "../report/page/expectations.ts";
import { renderReadmeHeadline } from "../report/page/section_headline.ts";
import { renderReadmePyTorch } from "../report/page/section_pytorch.ts";
import { renderSpeedTable, renderSpeedUps } from "../report/page/speed_table.ts";
import { studyTables } from "../report/page/study_tables.ts";
import { readBenchResults } from "../report/record/bench_results.ts";
import { describeSkipped } from "../report/record/problems.ts";
import { REFERENCE_RESULTS } from "../report/record/reference_results.ts";
import { PROCEDURE } from "../study.ts";

const FLAGS = {
  results: {
    kind: "path",
    existing: "folder",
    default: REFERENCE_RESULTS,
    help: "folder with the results",
  },
  check: { kind: "boolean", help: "write nothing; fail if a file is not up to date" },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

/** The page about speed. */
const SPEED = "docs/speed.md";

/** Where else timings were taken than on the machine of the main page. */
const MACHINES = [
  { folder: "bench/avx512", title: "the older EPYC, 2 cores, AVX-512" },
  { folder: "bench/avx2", title: "an EPYC with AVX2, 2 cores" },
  { folder: "bench/amx", title: "a Xeon with AMX, 16 cores" },
] as const;

const NOT_MEASURED = "Not measured yet: `deno task bench`.\n";

/** A file of the repository that has generated text. */
export interface Document {
  /** Path below the repository's root. */
  path: string;
  /** The file's text with what is up to date, from the same text with what may not be. */
  update: (text: string) => string;
}

/**
 * All files with generated text.
 *
 * @param results Folder of results, with PyTorch's runs in its `pytorch/` and `bench/bench.json`.
 * @param onSkipped Told what of the results was left out, a phrase each.
 * @throws {StudyError} If there are no results, or one of PyTorch's runs can't be read.
 */
export async function documents(
  results: string,
  onSkipped: (phrase: string) => void = () => {},
): Promise<Document[]> {
  const comparison = await compareResults([results]);
  const peer = comparison.problems.find(({ file, skipped }) =>
    skipped && file.startsWith("pytorch")
  );
  if (peer !== undefined) {
    throw new StudyError(
      `${join(results, peer.file)} is ${peer.text}: write it again or remove it`,
    );
  }
  describeSkipped(comparison.problems).forEach((phrase) => onSkipped(phrase));
  const timings = async (folder: string) =>
    (await readBenchResults(join(results, folder, "bench.json")))?.comparisons;
  const bench = await timings("bench");
  const machines = await Promise.all(MACHINES.map(async ({ folder, title }) => ({
    title: `${title} ([page](../${REFERENCE_RESULTS}/${folder}/bench.md))`,
    timings: await timings(folder) ?? [],
  })));
  const isMeasured = machines.some(({ timings }) => timings.length > 0);
  return [
    marked("README.md", {
      results: renderReadmeHeadline(comparison),
      pytorch: renderReadmePyTorch(comparison),
      speed: bench === undefined ? NOT_MEASURED : renderSpeedTable(bench),
    }),
    marked(SPEED, { machines: isMeasured ? renderSpeedUps(machines) : NOT_MEASURED }),
    marked(PROCEDURE, { ...studyTables() }),
    ...([1, 2, 4] as const).map((part): Document => {
      const path = `scripts/part${part}.ts`;
      const paragraph = renderExpectation(comparison.models, part);
      return { path, update: (text) => replaceExpectation(text, { paragraph, title: path }) };
    }),
  ];
}

/** A document with a table between each pair of markers. */
function marked(path: string, tables: Readonly<Record<string, string>>): Document {
  return {
    path,
    update: (text) =>
      Object.entries(tables).reduce(
        (document, [name, table]) => replaceMarked(document, { name, text: table, title: path }),
        text,
      ),
  };
}

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task readme [flags]",
    description:
      `Writes the tables of README.md, ${SPEED} and ${PROCEDURE} and what the parts' heads say ` +
      `to expect, from study.ts and the files in ${REFERENCE_RESULTS}/.`,
    table: FLAGS,
    examples: ["deno task readme", "deno task readme --check"],
  });
  if (flags === undefined) return;
  const reporter = createReporter();
  const skipped: string[] = [];
  const outdated: { path: string; text: string }[] = [];
  for (const { path, update } of await documents(flags.results, (phrase) => skipped.push(phrase))) {
    const text = await Deno.readTextFile(join(repositoryRoot(), path));
    const updated = update(text);
    if (updated !== text) outdated.push({ path, text: updated });
  }
  for (const phrase of skipped) reporter.warn(`Left out: ${phrase}`);
  if (flags.check && skipped.length > 0) {
    // All of them have been said.
    const more = skipped.length > 2 ? `; ${skipped.length - 2} more` : "";
    throw new StudyError(
      `Not all of ${flags.results} was read: ${skipped.slice(0, 2).join("; ")}${more}`,
    );
  }
  const names = outdated.map(({ path }) => path).join(", ");
  if (outdated.length === 0) return reporter.line("All tables are up to date");
  if (flags.check) {
    throw new StudyError(
      `The numbers in ${names} are not those of ${flags.results}: run "deno task readme"`,
    );
  }
  for (const { path, text } of outdated) await writeFileAtomic(join(repositoryRoot(), path), text);
  reporter.line(`New numbers in ${names}`);
}

if (import.meta.main) await runScript(main);
