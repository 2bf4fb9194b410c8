/**
 * Draws a comparison: every figure of the report, as SVG text.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import type { Spec } from "vega";
import { systemReason } from "../../io/system_reason.ts";
import type { Comparison, Figure } from "../analysis/comparison.ts";
import { analyseSweeps } from "../analysis/sweeps.ts";
import type { ProblemList } from "../record/problems.ts";
import { DATA_FOLDER, type Manifest } from "../record/run_folder.ts";
import { classF1Figure, confusionFigure } from "./class_figures.ts";
import { contactSheet, SHEET_DIGITS } from "./contact_sheet.ts";
import { accuracyAgainstTime } from "./cost_figures.ts";
import { inferenceTime } from "./inference_time.ts";
import { type Drawing, type DrawnModel, drawnModels } from "./drawn_models.ts";
import { learningCurves } from "./learning_curves.ts";
import { learningSetFigure } from "./learning_set_figure.ts";
import { seedFigure } from "./seed_figure.ts";
import { compileChart, renderChart } from "./vega_svg.ts";

/** No data set of 28×28 images has more. */
const CLASSES_DRAWN = 10;

/** More models than these are not told apart in a figure. */
const MODELS_DRAWN = 12;

/** A figure as it is drawn. */
export interface DrawnFigure extends Figure {
  /** A whole document that refers to nothing outside itself. */
  svg: string;
  /** What Vega draws it from, for a page in which it shows its values; `null` if Vega does not. */
  chart: Spec | null;
}

/** Options of {@linkcode drawFigures}. */
export interface FigureOptions {
  /**
   * Finds the test images of a data set without fetching anything; `folder` is the one that the run
   * had them from, where its manifest names one.
   *
   * @returns All of them, images `[n * 784]` in 0..255 and labels `[n]`; `undefined` if this machine
   *   does not have exactly that set.
   */
  testImages: (
    wanted: { name: string; sha256: string; folder?: string },
  ) => Promise<{ images: Uint8Array; labels: Uint8Array } | undefined>;
  /** Where it is noted that something was not drawn, and why. */
  problems: ProblemList;
}

/**
 * Draws what there are data for. The same comparison gives the same text. A figure that can't be
 * drawn is noted, and the others are not the worse for it.
 *
 * @returns The figures in the report's order.
 */
export async function drawFigures(
  comparison: Comparison,
  options: FigureOptions,
): Promise<DrawnFigure[]> {
  const { problems } = options;
  const models = drawnModels(comparison.models, MODELS_DRAWN);
  const all = comparison.models.filter(({ row }) => row?.status === "ok").length;
  if (all > models.length) {
    const text = `only the first ${models.length} of ${all} models are drawn`;
    problems.add(text, { file: "figures" });
  }
  for (const model of models) {
    if ((model.evaluation?.confusion.length ?? 0) <= CLASSES_DRAWN) continue;
    const file = `figures/confusion_${model.slug}.svg`;
    problems.add(`not drawn: there are more than ${CLASSES_DRAWN} classes`, { file });
    model.evaluation = null;
  }
  const sweeps = analyseSweeps(comparison.models);
  const drawings: (() => Drawing | null)[] = [
    () => learningCurves(models),
    () => accuracyAgainstTime(models),
    () => classF1Figure(models),
    () => inferenceTime(models),
    () => seedFigure(sweeps.distributions),
    () => learningSetFigure(sweeps.curves),
    ...models.map((model) => () => confusionFigure(model)),
  ];
  const figures: DrawnFigure[] = [];
  for (const draw of drawings) {
    let file = "figures";
    try {
      const drawing = draw();
      if (drawing === null) continue;
      const { spec, ...figure } = drawing;
      file = figure.file;
      const chart = compileChart(spec);
      figures.push({ ...figure, svg: await renderChart(chart, figure), chart });
    } catch (error) {
      problems.add(`not drawn: ${systemReason(error)}`, { file });
    }
  }
  return [...figures, ...await drawContactSheets(models, options)];
}

/** One for each model with wrong predictions on images that this machine has. */
async function drawContactSheets(
  models: readonly DrawnModel[],
  { testImages, problems }: FigureOptions,
): Promise<DrawnFigure[]> {
  const figures: DrawnFigure[] = [];
  const found = new Map<string, ReturnType<FigureOptions["testImages"]>>();
  for (const { row, label, slug, evaluation, manifest } of models) {
    const mistakes = (evaluation?.mistakes ?? []).slice(0, SHEET_DIGITS);
    if (mistakes.length === 0) continue;
    const folder = dataFolder(manifest);
    const wanted = {
      name: row.dataset,
      sha256: row.dataset_sha256,
      ...(folder !== undefined && { folder }),
    };
    const key = JSON.stringify(wanted);
    if (!found.has(key)) found.set(key, testImages(wanted));
    const set = await found.get(key);
    const file = `figures/wrong_${slug}.svg`;
    if (set === undefined) {
      const hint = folder === undefined ? "" : "; name the folder that they are in with --data";
      const text = `not drawn: this machine does not have the images of ${row.dataset}${hint}`;
      problems.add(text, { file });
      continue;
    }
    if (mistakes.some(({ index, target }) => set.labels[index] !== target)) {
      const text = `not drawn: the targets in predictions.csv are not those of ${row.dataset}`;
      problems.add(text, { file });
      continue;
    }
    const { target, prediction, score } = mistakes[0]!;
    const figure = {
      file,
      title: `Most confident mistakes: ${label}`,
      alt:
        `The ${mistakes.length} wrong predictions of ${label} with the highest scores, each with ` +
        `target, prediction and score; the first is a ${target} predicted as ${prediction} ` +
        `(${score.toFixed(3)}).`,
      caption:
        "True class → predicted class, and the score that the model gave to its prediction (at " +
        "most 1). These are the wrong predictions with the highest scores.",
    };
    try {
      figures.push({ ...figure, svg: contactSheet(mistakes, set.images, figure), chart: null });
    } catch (error) {
      problems.add(`not drawn: ${systemReason(error)}`, { file });
    }
  }
  return figures;
}

/** The folder that a run had its images from; never one of another machine's, `//host/share`. */
function dataFolder(manifest: Manifest | null): string | undefined {
  const folder = manifest?.settings[DATA_FOLDER];
  const isLocal = typeof folder === "string" && isAbsolute(folder) && !/^[\\/]{2}/.test(folder);
  return isLocal ? folder : undefined;
}
