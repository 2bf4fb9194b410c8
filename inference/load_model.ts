/**
 * Trained models, out of the folders of their runs or out of files.
 *
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";
import { StudyError } from "../io/errors.ts";
import { exists, isFile } from "../io/path_kind.ts";
import { printable } from "../io/printable.ts";
import { type Reporter, silentReporter } from "../io/reporter.ts";
import { RANDOM_LABEL, weightsKind } from "../io/weights_label.ts";
import { adaptedFasterRcnn } from "../models/adapted_faster_rcnn.ts";
import { loadWeightsFile } from "../models/checkpoint/load_weights.ts";
import { FASTER_RCNN_WEIGHTS, type PinnedWeights } from "../models/checkpoint/pretrained.ts";
import type { FrozenFeatureClassifier } from "../models/classifier.ts";
import { FINE_TUNED_NETWORKS } from "../models/fine_tuned_networks.ts";
import type { FrozenFeatureClassifierOptions } from "../models/frozen_feature_classifier.ts";
import type { Parameters } from "../models/parameters.ts";
import { simpleCnn } from "../models/simple_cnn.ts";
import {
  type LocatedRun,
  locateRun,
  modelNamed,
  trainingCommand,
} from "../report/record/find_run.ts";
import { CHECKPOINT } from "../report/record/run_folder.ts";
import { DETECTORS, FASTER_RCNN_ADAPTED, FINE_TUNED, RECIPES, SIMPLE_CNN } from "../study.ts";
import {
  type LoadedModel,
  type LocatedModel,
  readyClassifier,
  readyDetector,
} from "./loaded_model.ts";
import { locateWeightsAlone } from "./load_weights_alone.ts";
import { type FoundWeights, weightsOfRun } from "./run_weights.ts";

/** Options of {@linkcode loadModel}. */
export interface LoadModelOptions {
  /**
   * Folder of the results.
   *
   * @default {"results"}
   */
  results?: string | undefined;
  /**
   * The model that `best` is the best of, and the only one that a run or file may be of: its name in the
   * results, or the beginning of it.
   */
  model?: string | undefined;
  /**
   * The file of weights that the run started from, where it is no longer where the run had it. Refused
   * where the model takes nothing from such a file.
   */
  weights?: string | undefined;
  /** Folder of the suite's cache, which has downloaded weights. */
  cache?: string | undefined;
  /**
   * Where progress goes.
   *
   * @default {silentReporter}
   */
  reporter?: Reporter;
}

/** How runs of some models come back. */
type Kind =
  /** A run keeps all weights. */
  | { source?: never; restore: (run: LocatedRun) => Promise<LoadedModel> }
  | {
    /** The published file that a run starts from, of which it keeps nothing. */
    source: PinnedWeights;
    restore: (run: LocatedRun, found: FoundWeights, reporter: Reporter) => Promise<LoadedModel>;
  };

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...Object.values(RECIPES).map(({ name }) => [name, { restore: restoreSimpleCnn }] as const),
  ...(["vgg16", "alexnet"] as const).flatMap((word) =>
    Object.values(FINE_TUNED[word]).map(({ name, title }): [string, Kind] => {
      const { source, build } = FINE_TUNED_NETWORKS[word];
      return [name, {
        source,
        restore: (run, found) => restoreFrozen(run, found, { title, build }),
      }];
    })
  ),
  ...DETECTORS.map(({ name }): [string, Kind] => [
    name,
    { source: FASTER_RCNN_WEIGHTS, restore: restoreDetector },
  ]),
]);

/** Models of which nothing is trained: they are made again from their weights and seed. */
const UNTRAINED: readonly string[] = DETECTORS.filter(({ training }) => training === null)
  .map(({ name }) => name);

/**
 * A trained model, ready to answer. An engine must be running; the caller disposes of the model.
 *
 * Runs of part 4 keep only the classifier: their convolutions come from the file that the run started
 * from, checked by its SHA-256, or are drawn from the run's seed again where it started from random
 * ones. So is part 2's predictor; its detector has no logits, {@linkcode LoadedModel.probabilities}
 * answers for it.
 *
 * @param run The folder of a run, its id or the beginning of it, `best`, or a `.pth` or `.safetensors`
 *   file with all weights of a model for ten digits. `best` is the first of the finished runs that
 *   have left their checkpoint (of untrained models only where `model` names one): MNIST before other
 *   data, then the most test images, then the highest accuracy.
 * @throws {StudyError} If there is no such run or file, it has no weights or damaged ones, or they are
 *   of no model for ten digits.
 */
export async function loadModel(run: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  return await (await locateModel(run, options)).load();
}

/**
 * Finds what {@linkcode loadModel} loads, and refuses what it cannot load. No engine is needed, and
 * nothing is fetched but convolutions that come with a package.
 *
 * @param accept Refuses models that are not wanted, by name, before their weights are looked for.
 */
export async function locateModel(
  run: string,
  options: LoadModelOptions = {},
  accept: (model: string) => void = () => {},
): Promise<LocatedModel> {
  const { results = "results" } = options;
  const model = options.model === undefined ? undefined : modelNamed(options.model);
  if (await isFile(run)) {
    // Absolute, as a bare word may be a part of another run's id.
    const folder = resolve(dirname(run));
    const isRun = basename(run) === CHECKPOINT && await exists(join(folder, "manifest.json"));
    if (!isRun) {
      refuseUnused(`${run} is taken for all weights of a model`, options);
      const alone = await locateWeightsAlone(run, model);
      accept(alone.name);
      return alone;
    }
    return await modelOf(ofModel(await locateRun(folder, { results }), model), options, accept);
  }
  const usable = async (candidate: LocatedRun) =>
    (model !== undefined || !UNTRAINED.includes(candidate.manifest.model)) &&
    await canComeBack(candidate);
  const found = await locateRun(run, { results, model, usable });
  return await modelOf(ofModel(found, model), options, accept);
}

/** The run, if it is of the model that is wanted. */
function ofModel(run: LocatedRun, wanted: string | undefined): LocatedRun {
  const { runId, manifest: { model } } = run;
  if (wanted === undefined || wanted === model) return run;
  throw new StudyError(`Run ${runId} is of ${printable(model)}, not of ${wanted}`, {
    remedy: "give another run, or leave the model out",
  });
}

/** The model of a run that has been found; see {@linkcode loadModel}. */
export async function loadRun(
  run: LocatedRun,
  options: LoadModelOptions = {},
): Promise<LoadedModel> {
  return await (await modelOf(run, options)).load();
}

/** Makes sure that a run has what is needed, as far as it is on this machine. */
async function modelOf(
  run: LocatedRun,
  options: LoadModelOptions,
  accept: (model: string) => void = () => {},
): Promise<LocatedModel> {
  const { model } = run.manifest;
  const how = KINDS.get(model);
  if (how === undefined) {
    throw new StudyError(
      `Run ${run.runId} is of ${printable(model)}, which loadModel cannot build: it knows ` +
        [...KINDS.keys()].join(", "),
    );
  }
  accept(model);
  if (!await canComeBack(run)) {
    throw new StudyError(
      `Run ${run.runId} has no ${CHECKPOINT}, and without it no weights (runs that come with the ` +
        `suite are committed without): make a run that has one with ${commandOf(run)}`,
    );
  }
  if (how.source === undefined) {
    refuseUnused(`Run ${run.runId} keeps all its weights`, options);
    return { name: model, load: () => how.restore(run) };
  }
  if (weightsKind(String(run.manifest.settings.weights ?? "")) === "random") {
    refuseUnused(`Run ${run.runId} started from random weights, which its seed gives`, options);
  }
  const { weights, cache, reporter = silentReporter } = options;
  const found = await weightsOfRun(run, { source: how.source, weights, cache, reporter });
  return { name: model, load: () => how.restore(run, found, reporter) };
}

/** Refuses the file that a run started from where nothing is taken from it. */
function refuseUnused(why: string, { weights }: LoadModelOptions): void {
  if (weights === undefined) return;
  throw new StudyError(`${why}, so --weights ${weights} has no use`, {
    remedy: "to have that file's model, give the file in place of the run",
  });
}

/** Whether a run has left what {@linkcode loadModel} needs of its own folder. */
export async function canComeBack({ folder, manifest }: LocatedRun): Promise<boolean> {
  if (!KINDS.has(manifest.model)) return false;
  return UNTRAINED.includes(manifest.model) || await exists(join(folder, CHECKPOINT));
}

async function restoreSimpleCnn(run: LocatedRun): Promise<LoadedModel> {
  const network = simpleCnn();
  let weights: string;
  try {
    weights = await loadTrained(run, network.parameters, SIMPLE_CNN.title);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return readyClassifier(network, {
    name: run.manifest.model,
    title: SIMPLE_CNN.title,
    run,
    weights,
  });
}

async function restoreFrozen(
  run: LocatedRun,
  found: FoundWeights,
  { title, build }: {
    title: string;
    build: (options: FrozenFeatureClassifierOptions) => FrozenFeatureClassifier;
  },
): Promise<LoadedModel> {
  const { settings, model: name } = run.manifest;
  const network = build({ seed: seedOf(run), inChannels: settings.in_channels === 1 ? 1 : 3 });
  try {
    if (found.path !== undefined) await network.loadPretrainedFile(found.path);
    await loadTrained(run, network.parameters, `${title}'s classifier`);
  } catch (error) {
    network.dispose();
    throw error;
  }
  const convolutions = found.path === undefined
    ? `convolutions drawn again from seed ${seedOf(run)}`
    : `convolutions from ${found.label}`;
  return readyClassifier(network, {
    ...{ name, title, run },
    weights: `${CHECKPOINT} and ${convolutions}`,
  });
}

async function restoreDetector(
  run: LocatedRun,
  found: FoundWeights,
  reporter: Reporter,
): Promise<LoadedModel> {
  const { settings, model: name } = run.manifest;
  const detector = await adaptedFasterRcnn({ ...found, reporter }, seedOf(run));
  const { title } = FASTER_RCNN_ADAPTED;
  const isTrained = !UNTRAINED.includes(name);
  try {
    if (isTrained) await loadTrained(run, detector.predictor, `${title}'s predictor`);
  } catch (error) {
    detector.dispose();
    throw error;
  }
  const body = found.label === RANDOM_LABEL
    ? `none but what is drawn again from seed ${seedOf(run)}`
    : found.label;
  const head = isTrained ? `the predictor from ${CHECKPOINT}` : "an untrained predictor";
  return readyDetector(detector, {
    ...{ name, title, run },
    weights: `${body}, ${head}`,
    normalises: settings.normalise !== "once",
  });
}

/**
 * What the run trained, read one tensor at a time, its optimiser's left in the file.
 *
 * @returns Which weights these are, for people.
 */
async function loadTrained(
  run: LocatedRun,
  parameters: Parameters,
  title: string,
): Promise<string> {
  const { areMeans } = await loadWeightsFile(join(run.folder, CHECKPOINT), () => ({
    title,
    shapes: parameters.shapes,
    assign: (name, tensor) => parameters.assign(parameters.get(name), name, tensor),
  }));
  return areMeans ? `${CHECKPOINT}, the averaged weights so far` : CHECKPOINT;
}

function seedOf({ runId, manifest }: LocatedRun): number {
  const { seed } = manifest.settings;
  if (Number.isInteger(seed)) return seed as number;
  throw new StudyError(`The manifest.json of run ${runId} names no seed: restore it from a copy`);
}

/** The command that repeats a run; its results go where results go. */
function commandOf({ manifest: { model, settings } }: LocatedRun): string {
  const seed = Number.isInteger(settings.seed) ? ` --seed ${settings.seed}` : "";
  return `${trainingCommand(model)}${seed}`;
}
