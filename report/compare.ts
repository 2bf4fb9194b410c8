/**
 * Reads the results folders and sets the newest run of each model beside what the study published.
 * {@linkcode compareResults} gathers, {@linkcode writeReport} writes the report. No engine is needed.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { testClaims } from "./analysis/claims.ts";
import type { Comparison, Figure, ModelComparison } from "./analysis/comparison.ts";
import { differencesFromStudy } from "./analysis/differences_from_study.ts";
import { findMismatches } from "./analysis/mismatches.ts";
import { comparePairs, type PredictedRun, rankModels } from "./analysis/rankings.ts";
import { aggregateSeeds } from "./analysis/seed_aggregates.ts";
import { findModel, findPublished, PUBLISHED_MODELS } from "./analysis/study_models.ts";
import { scorePredictions } from "./analysis/test_scores.ts";
import { judge } from "./analysis/verdicts.ts";
import { renderHtml } from "./page/html_page.ts";
import { renderReport, TITLE } from "./page/report_page.ts";
import { type FoundRow, gatherRows } from "./record/gather_rows.ts";
import { ProblemList } from "./record/problems.ts";
import { readRunFiles, readSeedHistories, type RunFiles } from "./record/run_files.ts";
import type { HistoryRow } from "./record/run_folder.ts";

/**
 * Compares the runs recorded in some results folders with the study.
 *
 * The newest run is the one with the latest `started_at`; of equals the last one read, folders being
 * read in the order given and files in the order of their names. Whatever can't be read is noted in
 * the comparison's problems.
 *
 * @param folders Results folders, from several machines for one; each row's run folder is looked for
 *   in the folder that the row is from.
 * @throws {StudyError} If there is no `part*.csv` in one of them.
 */
export async function compareResults(folders: readonly string[]): Promise<Comparison> {
  const problems = new ProblemList();
  const gathered = await gatherRows(folders, problems);
  const byModel = Map.groupBy(gathered.rows, ({ row }) => row.model);
  const names = new Set([...PUBLISHED_MODELS.map(({ name }) => name), ...gathered.models]);

  const models: ModelComparison[] = [];
  const predicted: PredictedRun[] = [];
  for (const model of names) {
    const runs = byModel.get(model) ?? [];
    const shown = runs.findLast(({ row }) => row.status === "ok") ?? runs.at(-1);
    const files = shown && await readRunFiles(shown, { folders, problems });
    const seedHistories = shown ? await readSeedHistories(shown, runs, { folders, problems }) : [];
    models.push(compareModel(model, runs, { shown, files, seedHistories }));
    if (shown && files?.predictions) {
      predicted.push({ row: shown.row, predictions: files.predictions });
    }
  }
  const pairs = comparePairs(predicted);
  return {
    folders: [...folders],
    models,
    pairs,
    rankings: rankModels(models),
    claims: testClaims(models, pairs),
    mixed: findMismatches(models),
    problems: problems.list(),
  };
}

/** How a report is written. */
export interface WriteOptions {
  /**
   * `html` is one file with its pictures inside.
   *
   * @default {"md"}
   */
  format?: "md" | "html";
  /**
   * Pictures below `outDir` that the report shows.
   *
   * @default {[]}
   */
  figures?: readonly Figure[];
}

/**
 * Writes `outDir/report.md` or `outDir/report.html`. The same comparison gives the same bytes.
 *
 * @returns The report's path.
 */
export async function writeReport(
  outDir: string,
  comparison: Comparison,
  { format = "md", figures = [] }: WriteOptions = {},
): Promise<string> {
  const path = join(outDir, `report.${format}`);
  const markdown = renderReport(comparison, figures);
  if (format === "md") {
    await writeFileAtomic(path, markdown);
    return path;
  }
  const images = new Map<string, Uint8Array>();
  for (const { file } of figures) images.set(file, await Deno.readFile(join(outDir, file)));
  await writeFileAtomic(path, renderHtml(markdown, { title: TITLE, images }));
  return path;
}

/** @param runs The model's runs, oldest first. */
function compareModel(
  model: string,
  runs: readonly FoundRow[],
  { shown, files, seedHistories }: {
    shown: FoundRow | undefined;
    files: RunFiles | undefined;
    seedHistories: HistoryRow[][];
  },
): ModelComparison {
  const published = findPublished(model);
  const row = shown?.row ?? null;
  const newest = runs.at(-1)?.row ?? null;
  const evaluation = files?.predictions ? scorePredictions(files.predictions) : null;
  const settings = aggregateSeeds(
    runs.map(({ row }) => row).filter(({ status }) => status === "ok"),
  );
  const differences = row?.status === "ok" ? differencesFromStudy(row) : [];
  return {
    model,
    published: published?.published ?? null,
    parameters: findModel(model)?.parameters ?? null,
    row,
    folder: shown?.folder ?? "",
    manifest: files?.manifest ?? null,
    history: files?.history ?? [],
    seedHistories,
    evaluation,
    newerFailure: newest === row ? null : newest,
    differences,
    verdicts: row?.status === "ok" && published !== undefined
      ? judge({ row, model: published, differences, evaluation, setting: settings[0] })
      : [],
    settings,
  };
}
