/**
 * Reads the results folders and sets the runs of each model beside what the study published.
 * {@linkcode compareResults} gathers, {@linkcode writeReport} writes the report. No engine is needed.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { isDiskFull } from "../io/disk_error.ts";
import { StudyError } from "../io/errors.ts";
import { exists } from "../io/path_kind.ts";
import { systemReason } from "../io/system_reason.ts";
import { testClaims } from "./analysis/claims.ts";
import type { Comparison, ModelComparison, ReferenceResult } from "./analysis/comparison.ts";
import { caveatsOf, differencesFromStudy } from "./analysis/differences_from_study.ts";
import { comparePeers } from "./analysis/equivalence.ts";
import { findFailedSeeds } from "./analysis/failed_seeds.ts";
import { guessSeeds } from "./analysis/guessing.ts";
import { findMismatches } from "./analysis/mismatches.ts";
import { nearestFirst } from "./analysis/nearest_setting.ts";
import { comparePairs, type PredictedRun, rankModels } from "./analysis/rankings.ts";
import { compareAnswers, hasWeightsOf } from "./analysis/same_answers.ts";
import { aggregateSeeds, isWhole, type SeedAggregate } from "./analysis/seed_aggregates.ts";
import { findModel, findPublished, PUBLISHED_MODELS } from "./analysis/study_models.ts";
import { scorePredictions } from "./analysis/test_scores.ts";
import { judge } from "./analysis/verdicts.ts";
import type { DrawnFigure } from "./figures/draw_figures.ts";
import { liveCharts } from "./figures/live_charts.ts";
import { renderHtml } from "./page/html_page.ts";
import { renderReport, TITLE } from "./page/report_page.ts";
import { type FoundRow, gatherRows, placeName } from "./record/gather_rows.ts";
import { newestPeers, type PeerRun, readPeerRuns, withoutCopies } from "./record/peer_runs.ts";
import { ProblemList } from "./record/problems.ts";
import type { ResultRow } from "./record/result_row.ts";
import {
  noteReplaced,
  type ProblemOptions,
  readManifests,
  readRunFiles,
  readSeedCurves,
  readSeedPredictions,
  type RunFiles,
  type SeedCurves,
  type SeedRun,
  seedRunsOf,
} from "./record/run_files.ts";
import type { Manifest, Predictions } from "./record/run_folder.ts";
import { noteUnrecordedRuns } from "./record/unrecorded_runs.ts";

/** What a comparison sets beside the runs; see {@linkcode compareResults}. */
export interface CompareOptions {
  /**
   * Results folder of the committed runs: what they found is set beside other runs, unless the folder
   * is itself among those compared.
   */
  reference?: string;
  /**
   * Whether to read the predictions of all seeds that count, of which the report needs one's, or all where
   * images were left out: some milliseconds a run.
   *
   * @default {false}
   */
  checksSeeds?: boolean;
}

/**
 * Compares the runs recorded in some results folders with the study.
 *
 * Of each model the setting nearest to the study's is shown, and of that the newest run, which is the
 * one with the latest `started_at`; of equals the last one read, folders being read in the order given
 * and files in the order of their names. PyTorch's runs are those in the `pytorch/` of each folder.
 * Whatever can't be read is noted in the comparison's problems, and the rest stands.
 *
 * @param folders Results folders, from several machines for one; each row's run folder is looked for
 *   in the folder that the row is from.
 * @throws {StudyError} If there is no `partN.csv` in one of them, or if a run has two ok rows that
 *   differ.
 */
export async function compareResults(
  folders: readonly string[],
  { reference, checksSeeds = false }: CompareOptions = {},
): Promise<Comparison> {
  const problems = new ProblemList();
  const gathered = await gatherRows(folders, problems);
  const byModel = Map.groupBy(gathered.rows, ({ row }) => row.model);
  const names = new Set([...PUBLISHED_MODELS.map(({ name }) => name), ...gathered.models]);

  const models: ModelComparison[] = [];
  const predicted: PredictedRun[] = [];
  for (const model of names) {
    const runs = byModel.get(model) ?? [];
    const manifests = await readManifests(runs, { folders, problems });
    noteReplaced(runs, { problems });
    const settings = settingsOf(runs, manifests);
    const shown = runs.find(({ row }) => row === settings[0]?.newest) ?? runs.at(-1);
    const files = shown && await readRunFiles(shown, { folders, problems });
    const curves = shown && await readSeedCurves(shown, runs, { folders, problems });
    const needsSeeds = checksSeeds ||
      (settings[0] !== undefined && !isWhole(settings[0]));
    const seedPredictions = shown && needsSeeds
      ? await readSeedPredictions(shown, runs, { folders, problems })
      : new Map();
    const seedRuns = shown && seedRunsOf(shown, runs, manifests);
    const counted = [...manifests].map(([row, manifest]) => ({ row, manifest }));
    const found = { runs, settings, shown, files, curves, seedRuns, seedPredictions, counted };
    models.push(describeModel(model, found));
    if (shown && files?.predictions) {
      predicted.push({ row: shown.row, predictions: files.predictions });
    }
  }
  await noteUnrecordedRuns(gathered.runIds, { folders, problems });
  const judged = judgeModels(models);
  const pairs = comparePairs(predicted);
  const peerRuns = withoutCopies((await Promise.all(
    folders.map((folder) =>
      readPeerRuns(join(folder, "pytorch"), {
        problems,
        title: placeName(folders, folder, "pytorch"),
      })
    ),
  )).flat());
  const answering = await readAnswering(peerRuns, gathered.rows, {
    known: predicted,
    ...{ folders, problems },
  });
  const { answers, rest } = compareAnswers(answering, peerRuns);
  const { comparisons, alone } = comparePeers(
    models.flatMap(({ settings }) => settings),
    newestPeers(rest, problems),
  );
  return {
    folders: [...folders],
    models,
    pairs,
    rankings: rankModels(models),
    claims: testClaims(models, pairs),
    judged,
    peers: comparisons,
    answers,
    peersAlone: alone,
    reference: reference === undefined || folders.some((folder) => isSameFolder(folder, reference))
      ? []
      : await readReference(reference, problems),
    mixed: findMismatches(models),
    problems: problems.list(),
  };
}

/** The settings of a model's ok runs, that nearest to the study's first. */
function settingsOf(
  runs: readonly FoundRow[],
  manifests: ReadonlyMap<ResultRow, Manifest | null>,
): SeedAggregate[] {
  const ok = runs.map(({ row }) => row).filter(({ status }) => status === "ok");
  return nearestFirst(aggregateSeeds(ok, manifests));
}

/**
 * The runs of ours whose weights PyTorch's took, with their predictions, whether or not they are shown;
 * without those that have none.
 */
async function readAnswering(
  peers: readonly PeerRun[],
  rows: readonly FoundRow[],
  { known, ...options }: ProblemOptions & {
    /** Runs whose predictions have been read. */
    known: readonly PredictedRun[];
  },
): Promise<PredictedRun[]> {
  const answering: PredictedRun[] = [];
  for (const found of rows.filter(({ row }) => peers.some((peer) => hasWeightsOf(peer, row)))) {
    const { row } = found;
    const predictions = known.find((run) => run.row === row)?.predictions ??
      (await readRunFiles(found, options)).predictions;
    if (predictions !== null) answering.push({ row, predictions });
  }
  return answering;
}

function isSameFolder(a: string, b: string): boolean {
  return resolve(a) === resolve(b);
}

/**
 * What the committed runs found; nothing if there are none. Their own problems are those of the
 * report on them; here it is noted only if they can't be read at all.
 */
async function readReference(
  folder: string,
  noted: ProblemList,
): Promise<ReferenceResult[]> {
  const problems = new ProblemList();
  let rows: FoundRow[];
  try {
    if (!await exists(folder)) return [];
    rows = (await gatherRows([folder], problems)).rows;
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    noted.add(`the committed runs are not shown: ${error.message}`, { file: folder });
    return [];
  }
  const results: ReferenceResult[] = [];
  for (const [model, runs] of Map.groupBy(rows, ({ row }) => row.model)) {
    const manifests = await readManifests(runs, { folders: [folder], problems });
    const [setting] = settingsOf(runs, manifests);
    if (setting === undefined) continue;
    results.push({ model, setting, manifest: manifests.get(setting.newest) ?? null });
  }
  return results;
}

/** How a report is written. */
export interface WriteOptions {
  /**
   * `html` is one file with its pictures inside, in which charts show their values under the mouse.
   *
   * @default {"md"}
   */
  format?: "md" | "html";
  /**
   * Pictures that the report shows; those of `report.md` are to be below `outDir`.
   *
   * @default {[]}
   */
  figures?: readonly DrawnFigure[];
}

/**
 * Writes `outDir/report.md` or `outDir/report.html`. The same comparison gives the same bytes.
 *
 * @returns The report's path.
 * @throws {StudyError} If it cannot be written there.
 */
export async function writeReport(
  outDir: string,
  comparison: Comparison,
  { format = "md", figures = [] }: WriteOptions = {},
): Promise<string> {
  const path = join(outDir, `report.${format}`);
  const markdown = renderReport(comparison, figures);
  const text = format === "md" ? markdown : renderHtml(markdown, {
    title: TITLE,
    images: new Map(figures.map(({ file, svg }) => [file, new TextEncoder().encode(svg)])),
    charts: await liveCharts(figures),
  });
  try {
    await writeFileAtomic(path, text);
  } catch (error) {
    throw new StudyError(
      `Cannot write the report to ${path} (${systemReason(error)}): ` +
        `${isDiskFull(error) ? "free space there, or " : ""}choose another folder with --out`,
      { cause: error },
    );
  }
  return path;
}

/** What was found of a model, without verdicts. */
function describeModel(
  model: string,
  { runs, settings, shown, files, curves, seedRuns = [], seedPredictions, counted }: {
    /** The model's runs, oldest first. */
    runs: readonly FoundRow[];
    settings: SeedAggregate[];
    shown: FoundRow | undefined;
    files: RunFiles | undefined;
    curves: SeedCurves | undefined;
    seedRuns: SeedRun[] | undefined;
    seedPredictions: ReadonlyMap<ResultRow, Predictions | null>;
    counted: SeedRun[];
  },
): ModelComparison {
  const row = shown?.row ?? null;
  const newest = runs.at(-1)?.row ?? null;
  const isOk = row?.status === "ok";
  const evaluation = files?.predictions ? scorePredictions(files.predictions, row!) : null;
  return {
    model,
    published: findPublished(model)?.published ?? null,
    parameters: findModel(model)?.parameters ?? null,
    row,
    folder: shown?.folder ?? "",
    manifest: files?.manifest ?? null,
    history: files?.history ?? [],
    seedHistories: curves?.histories ?? [],
    seedRuns,
    counted,
    evaluations: [files?.evaluations ?? [], ...curves?.evaluations ?? []]
      .filter(({ length }) => length > 0),
    evaluation,
    guessing: guessSeeds({
      evaluation,
      setting: settings[0],
      others: seedRuns.map(({ row }) => row),
      predictions: seedPredictions,
    }),
    newerFailure: newest === row || newest?.status === "ok" ? null : newest,
    failedSeeds: isOk
      ? findFailedSeeds(runs.map(({ row }) => row), settings.map(({ newest }) => newest))
      : [],
    differences: isOk ? differencesFromStudy(row) : [],
    caveats: isOk ? caveatsOf(row) : [],
    verdicts: [],
    settings,
  };
}

/** Gives each model its verdicts, which depend on how many there are in all. */
function judgeModels(models: readonly ModelComparison[]): Comparison["judged"] {
  const evidence = models.flatMap((compared) => {
    const { row, differences, caveats, evaluation, settings } = compared;
    const model = findPublished(compared.model);
    if (row?.status !== "ok" || model === undefined) return [];
    return [{
      compared,
      evidence: { row, model, differences, caveats, evaluation, setting: settings[0] },
    }];
  });
  const { verdicts, judged } = judge(evidence.map(({ evidence }) => evidence));
  for (const [i, { compared }] of evidence.entries()) compared.verdicts = verdicts[i]!;
  return judged;
}
