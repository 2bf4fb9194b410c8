/**
 * Reads every `part*.csv` of a results folder and sets the newest run of each model beside what the
 * study published. {@linkcode compareResults} gathers, {@linkcode writeReport} writes `report.md`.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { StudyError } from "../io/errors.ts";
import { differencesFromStudy, oddValues } from "./comparability.ts";
import type { Comparison, ModelComparison } from "./comparison.ts";
import { ProblemList } from "./problems.ts";
import { PUBLISHED } from "./published.ts";
import { renderReport } from "./report_page.ts";
import type { ResultRow } from "./result_row.ts";
import { type LocatedRow, readResults } from "./results.ts";
import { settingResults } from "./settings.ts";

/**
 * Compares the runs recorded in `outDir` with the study.
 *
 * The newest run is the one with the latest `started_at`; of equals the last one read, files being
 * read in the order of their names. Of ok rows with the same `run_id` and model the last one counts.
 *
 * @throws {StudyError} If there is no `part*.csv` in `outDir`.
 */
export async function compareResults(outDir: string): Promise<Comparison> {
  const problems = new ProblemList();
  const found: LocatedRow[] = [];
  const files = await resultFiles(outDir);
  if (files.length === 0) {
    throw new StudyError(
      `No results in ${outDir}: run \`deno task part1\` first, or name their folder with --out`,
    );
  }
  for (const file of files) {
    try {
      for (const row of await readResults(join(outDir, file), problems)) found.push(row);
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      problems.add("not readable, file skipped", { file });
    }
  }
  for (const { row, ...where } of found) {
    for (const phrase of oddValues(row)) problems.add(phrase, where);
  }
  const rows = sortByAge(withoutRepeats(found, problems));
  const byModel = new Map<string, ResultRow[]>(PUBLISHED.map(({ model }) => [model, []]));
  for (const { row } of found) if (!byModel.has(row.model)) byModel.set(row.model, []);
  for (const row of rows) byModel.get(row.model)!.push(row);
  return {
    models: [...byModel].map(([model, runs]) => compareModel(model, runs)),
    problems: problems.list(),
  };
}

/**
 * Writes `outDir/report.md`. The same files give the same bytes.
 *
 * @returns The report's path.
 */
export async function writeReport(outDir: string, comparison: Comparison): Promise<string> {
  const path = join(outDir, "report.md");
  await writeFileAtomic(path, renderReport(comparison));
  return path;
}

/** @param runs The model's runs, oldest first. */
function compareModel(model: string, runs: readonly ResultRow[]): ModelComparison {
  const published = PUBLISHED.find((result) => result.model === model) ?? null;
  const newest = runs.at(-1) ?? null;
  const row = runs.findLast(({ status }) => status === "ok") ?? newest;
  return {
    model,
    published,
    row,
    newerFailure: newest === row ? null : newest,
    differences: row?.status === "ok" && published ? differencesFromStudy(row, published) : [],
    settings: settingResults(runs.filter(({ status }) => status === "ok")),
  };
}

/** Names of the result files in `outDir`, sorted. */
async function resultFiles(outDir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(outDir)) {
      if (!entry.isDirectory && /^part.*\.csv$/.test(entry.name)) names.push(entry.name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      throw new StudyError(`${outDir} is not a folder: name the results folder with --out`);
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

/** Leaves out ok rows that come again later under the same run and model. */
function withoutRepeats(found: readonly LocatedRow[], problems: ProblemList): ResultRow[] {
  const last = new Map<string, LocatedRow>();
  const key = ({ run_id, model }: ResultRow) => `${run_id}\n${model}`;
  const counts = ({ run_id, status }: ResultRow) => run_id !== "" && status === "ok";
  for (const located of found) {
    if (!counts(located.row)) continue;
    const earlier = last.get(key(located.row));
    if (earlier !== undefined) {
      problems.add("the run comes again later, this row skipped", earlier);
    }
    last.set(key(located.row), located);
  }
  return found
    .filter((located) => !counts(located.row) || last.get(key(located.row)) === located)
    .map(({ row }) => row);
}

/** Oldest first; rows of the same age, or without a readable time, keep their order. */
function sortByAge(rows: readonly ResultRow[]): ResultRow[] {
  return rows
    .map((row) => ({ row, time: Date.parse(row.started_at) }))
    .map(({ row, time }) => ({ row, time: Number.isNaN(time) ? -Infinity : time }))
    .sort((a, b) => a.time === b.time ? 0 : a.time - b.time)
    .map(({ row }) => row);
}
