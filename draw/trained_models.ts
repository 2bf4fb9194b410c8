/**
 * The trained models that a page asks: of each the best run in the results.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { IMAGE_SIDE } from "../data/idx.ts";
import { transformImages } from "../data/image_batches.ts";
import { resize224 } from "../data/rgb224.ts";
import type { Tensor4D } from "../engine/ops.ts";
import { canComeBack, loadRun } from "../inference/load_model.ts";
import type { LoadedModel } from "../inference/loaded_model.ts";
import { StudyError } from "../io/errors.ts";
import type { Reporter } from "../io/reporter.ts";
import { bestRuns, type LocatedRun } from "../report/record/find_run.ts";
import { DATA, MODELS, type StudyModel } from "../study.ts";
import { toBase64 } from "./page/base64.ts";
import type { Answer, PageModel } from "./page/protocol.ts";

/**
 * The best run of each model that was trained on digits and has left its weights, as `bestRuns()` ranks
 * them; the quickest model first, as it is asked first.
 *
 * @throws {StudyError} If there is none.
 */
export async function trainedRuns(results: string): Promise<LocatedRun[]> {
  const usable = async (run: LocatedRun) =>
    studyModel(run)?.training != null && isOfDigits(run) && await canComeBack(run);
  const runs = await bestRuns(results, { usable });
  if (runs.length > 0) {
    const cost = (run: LocatedRun) => studyModel(run)?.multiplyAdds ?? 0;
    return runs.sort((a, b) => cost(a) - cost(b));
  }
  throw new StudyError(
    `There is no trained model in ${results}: train one with \`deno task part1 --recipe fast\`, ` +
      "or name another folder with --results",
  );
}

/** Whether a run's classes are digits, as far as its data set says. */
function isOfDigits({ row }: LocatedRun): boolean {
  return row === undefined || row.dataset === DATA.name || row.dataset.startsWith("dir:");
}

function studyModel({ manifest }: LocatedRun): StudyModel | undefined {
  return MODELS.find(({ name }) => name === manifest.model);
}

/**
 * Loads the models of some runs. One that cannot be loaded is left out, with a warning that says why.
 *
 * @throws {StudyError} If none can be loaded.
 */
export async function loadTrained(
  runs: readonly LocatedRun[],
  reporter: Reporter,
): Promise<LoadedModel[]> {
  const models: LoadedModel[] = [];
  const failures: string[] = [];
  for (const run of runs) {
    reporter.live(`Loading ${run.manifest.model}`);
    try {
      models.push(await loadRun(run, { reporter }));
    } catch (error) {
      if (!(error instanceof StudyError)) throw error;
      failures.push(error.message);
      reporter.warn(`${run.manifest.model} is left out: ${error.message}`);
    }
  }
  reporter.live("");
  if (models.length > 0) return models;
  throw new StudyError(`No trained model can be loaded: ${failures.join(" ")}`);
}

/** What the page says of a model. */
export function describeModel({ name, title, side, run }: LoadedModel): PageModel {
  // Variations have the title of what they vary, which stands first.
  const first = MODELS.find((model) => model.title === title);
  return {
    name,
    title: first === undefined || first.name === name ? title : name,
    side,
    runId: run?.runId ?? "",
    accuracy: run?.row?.accuracy ?? null,
    testImages: run?.row?.test_images ?? null,
    milliseconds: null,
  };
}

/**
 * Has a model read a digit.
 *
 * @param pixels [784] grey values, light on dark.
 */
export async function readDigit(model: LoadedModel, pixels: Uint8Array): Promise<Answer> {
  const startedAt = performance.now();
  const probabilities = Array.from(await model.probabilities(pixels));
  const milliseconds = performance.now() - startedAt;
  return { probabilities, view: toBase64(await viewOf(pixels, model.side)), milliseconds };
}

/** A digit as a model is given it, before normalisation: [side * side] grey values. */
async function viewOf(pixels: Uint8Array, side: number): Promise<Uint8Array> {
  if (side === IMAGE_SIDE) return pixels;
  const enlarged = transformImages(pixels, (grey) => resize224(grey).expandDims<Tensor4D>(3));
  try {
    return Uint8Array.from(await enlarged.data());
  } finally {
    tf.dispose(enlarged);
  }
}
