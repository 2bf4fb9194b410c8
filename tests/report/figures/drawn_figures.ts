/**
 * Models as a comparison has them, and their figures, for the tests of figures.
 *
 * @module
 */

import { assert } from "@std/assert";
import { join } from "node:path";
import type { Comparison, Figure, ModelComparison } from "../../../report/analysis/comparison.ts";
import { aggregateSeeds } from "../../../report/analysis/seed_aggregates.ts";
import { findPublished } from "../../../report/analysis/study_models.ts";
import { scorePredictions } from "../../../report/analysis/test_scores.ts";
import type { FigureOptions } from "../../../report/figures/draw_figures.ts";
import { writeFigures } from "../../../report/figures/write_figures.ts";
import { ProblemList } from "../../../report/record/problems.ts";
import type { ResultRow } from "../../../report/record/result_row.ts";
import type { HistoryRow } from "../../../report/record/run_folder.ts";
import { resultRow, withFolder } from "../result_rows.ts";
import { wellFormedElements } from "./well_formed.ts";

export const CONFUSED = "figures/confusion_SimpleCNN.svg";
export const CURVES = "figures/learning_curves.svg";
export const COST = "figures/accuracy_against_time.svg";
export const F1 = "figures/f1_per_class.svg";
export const SPEED = "figures/inference_time.svg";
export const SHEET = "figures/wrong_SimpleCNN.svg";

/** 100 images, class i % 10; every ninth is predicted as the next class, with a score that falls. */
export const targets = Int32Array.from({ length: 100 }, (_, i) => i % 10);
export const predictions = targets.map((target, i) => i % 9 === 0 ? (target + 1) % 10 : target);
export const scores = Float32Array.from(targets, (_, i) => 1 - i / 200);
export const evaluation = scorePredictions({ targets, predictions, scores });
export const images = Uint8Array.from({ length: 100 * 784 }, (_, i) => Math.floor(i / 784));
export const labels = Uint8Array.from(targets);

export const history: HistoryRow[] = [91.5, 97.25].map((train_accuracy, i) => ({
  epoch: i + 1,
  train_loss: 0.1,
  train_accuracy,
  time_s: 1,
}));

/** A model as the comparison has it, with one run. */
export function compared(
  model: string,
  rows: Partial<ResultRow>[],
  changes: Partial<ModelComparison> = {},
) {
  const runs = rows.map((row, i) => resultRow({ model, run_id: `r${i}`, seed: i + 1, ...row }));
  const settings = aggregateSeeds(runs.filter(({ status }) => status === "ok"));
  const result: ModelComparison = {
    model,
    published: findPublished(model)?.published ?? null,
    parameters: null,
    row: settings[0]?.newest ?? runs.at(-1) ?? null,
    folder: "results",
    manifest: null,
    history: [],
    seedHistories: [],
    seedRuns: [],
    counted: [],
    evaluations: [],
    evaluation: null,
    guessing: [],
    newerFailure: null,
    failedSeeds: [],
    differences: [],
    caveats: [],
    verdicts: [],
    settings,
    ...changes,
  };
  return result;
}

export const simpleCnn = compared("SimpleCNN", [{ inference_ms_per_image: 0.08 }], {
  history,
  evaluation,
});
export const detector = compared("FasterRCNN_Adapted", [{
  part: 2,
  training_time_s: "N/A (Inference Only)",
  inference_ms_per_image: 1234.5,
}]);

export interface Drawn {
  figures: Figure[];
  problems: string[];
  folder: string;
  read: (file: string) => Promise<string>;
}

export async function draw(
  models: ModelComparison[],
  check: (drawn: Drawn) => Promise<void> | void,
  testImages: FigureOptions["testImages"] = () => Promise.resolve({ images, labels }),
): Promise<void> {
  await withFolder({}, async (folder) => {
    const problems = new ProblemList();
    const figures = await writeFigures(comparison(models), folder, { testImages, problems });
    for (const { file } of figures.filter(({ file }) => file.endsWith(".svg"))) {
      const svg = await Deno.readTextFile(join(folder, file));
      wellFormedElements(svg);
      assert(!/NaN|Infinity|undefined|\bnull\b/.test(svg), file);
    }
    await check({
      figures,
      problems: problems.list().map(({ file, text }) => `${file}: ${text}`),
      folder,
      read: (file) => Deno.readTextFile(join(folder, file)),
    });
  });
}

export function comparison(models: ModelComparison[]): Comparison {
  return {
    folders: ["results"],
    models,
    pairs: [],
    rankings: [],
    claims: [],
    judged: { count: 0, confidence: 0.95 },
    peers: [],
    answers: [],
    peersAlone: [],
    reference: [],
    mixed: [],
    problems: [],
  };
}
