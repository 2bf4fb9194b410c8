/**
 * Draws a comparison: `figures/` beside the report.
 *
 * @module
 */

import { basename, isAbsolute, join } from "node:path";
import { writeFileAtomic } from "../../io/atomic.ts";
import { readRegularText } from "../../io/regular_file.ts";
import { systemReason } from "../../io/system_reason.ts";
import type { Comparison, Figure } from "../analysis/comparison.ts";
import type { ProblemList } from "../record/problems.ts";
import { DATA_FOLDER, type Manifest } from "../record/run_folder.ts";
import { classF1Figure, confusionFigure } from "./class_figures.ts";
import { contactSheet, SHEET_DIGITS } from "./contact_sheet.ts";
import { accuracyAgainstTime, inferenceTime } from "./cost_figures.ts";
import { type Drawing, type DrawnModel, drawnModels } from "./drawn_models.ts";
import { learningCurves } from "./learning_curves.ts";
import { renderSvg } from "./vega_svg.ts";

/** No data set of 28×28 images has more. */
const CLASSES_DRAWN = 10;

/** More models than these are not told apart in a figure. */
const MODELS_DRAWN = 12;

/** Which files of the folder were written here: of these, those of an earlier report are removed. */
const WRITTEN = ".written.json";

/** A list of many more names than there are figures. */
const MOST_LIST_BYTES = 1e6;

/** Options of {@linkcode writeFigures}. */
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
 * Writes `outDir/figures/`: what there are data for. The same comparison gives the same bytes;
 * figures that an earlier call wrote and that are no longer part of it are removed. One that can't be
 * drawn or written is noted, and the others are not the worse for it.
 *
 * @returns The figures that were written, in the report's order.
 */
export async function writeFigures(
  comparison: Comparison,
  outDir: string,
  options: FigureOptions,
): Promise<Figure[]> {
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
  const drawings: (() => Drawing | null)[] = [
    () => learningCurves(models),
    () => accuracyAgainstTime(models),
    () => classF1Figure(models),
    () => inferenceTime(models),
    ...models.map((model) => () => confusionFigure(model)),
  ];
  const figures: Figure[] = [];
  for (const draw of drawings) {
    let file = "figures";
    try {
      const drawing = draw();
      if (drawing === null) continue;
      const { spec, ...figure } = drawing;
      file = figure.file;
      await writeFileAtomic(join(outDir, file), await renderSvg(spec, figure));
      figures.push(figure);
    } catch (error) {
      problems.add(`not drawn: ${systemReason(error)}`, { file });
    }
  }
  figures.push(...await writeContactSheets(models, outDir, options));
  try {
    await removeEarlier(outDir, figures);
  } catch (error) {
    problems.add(`figures of an earlier report may be left there: ${systemReason(error)}`, {
      file: "figures",
    });
  }
  return figures;
}

/** One PNG for each model with wrong predictions on images that this machine has. */
async function writeContactSheets(
  models: readonly DrawnModel[],
  outDir: string,
  { testImages, problems }: FigureOptions,
): Promise<Figure[]> {
  const figures: Figure[] = [];
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
    const file = `figures/wrong_${slug}.png`;
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
    try {
      await writeFileAtomic(join(outDir, file), contactSheet(mistakes, set.images));
    } catch (error) {
      problems.add(`not drawn: ${systemReason(error)}`, { file });
      continue;
    }
    const { target, prediction, score } = mistakes[0]!;
    figures.push({
      file,
      title: `Wrong with the highest scores: ${label}`,
      alt:
        `The ${mistakes.length} wrong predictions of ${label} with the highest scores, each with ` +
        `target, prediction and score; the first is a ${target} predicted as ${prediction} ` +
        `(${score.toFixed(3)}).`,
    });
  }
  return figures;
}

/** The folder that a run had its images from; never one of another machine's, `//host/share`. */
function dataFolder(manifest: Manifest | null): string | undefined {
  const folder = manifest?.settings[DATA_FOLDER];
  const isLocal = typeof folder === "string" && isAbsolute(folder) && !/^[\\/]{2}/.test(folder);
  return isLocal ? folder : undefined;
}

/** Removes what an earlier report wrote and this one did not; nothing else in the folder is touched. */
async function removeEarlier(outDir: string, figures: readonly Figure[]): Promise<void> {
  const folder = join(outDir, "figures");
  const list = join(folder, WRITTEN);
  const written = figures.map(({ file }) => basename(file)).sort();
  const earlier = await readWritten(list);
  for (const name of earlier.filter((name) => !written.includes(name))) {
    await removeFile(join(folder, name));
  }
  if (written.length > 0) await writeFileAtomic(list, `${JSON.stringify(written, null, 2)}\n`);
  else if (earlier.length > 0) await removeFile(list);
}

/** The names in the list; none if there is no list, or it is damaged. */
async function readWritten(path: string): Promise<string[]> {
  try {
    const names: unknown = JSON.parse(await readRegularText(path, { maxBytes: MOST_LIST_BYTES }));
    return Array.isArray(names) ? names.filter(isPlainName) : [];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return [];
    throw error;
  }
}

/** A file of the folder itself, that is: nothing that leads out of it. */
function isPlainName(name: unknown): name is string {
  return typeof name === "string" && /^\w[\w.-]*\.(svg|png)$/.test(name);
}

async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
