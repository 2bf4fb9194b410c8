/**
 * A model out of a file with all of its weights, whose names and shapes say which one it is.
 *
 * @module
 */

import { basename } from "node:path";
import { StudyError } from "../io/errors.ts";
import { alexnet, ALEXNET_ARCHITECTURE } from "../models/alexnet.ts";
import { type NotedModel, readExportNotes } from "../models/checkpoint/export_notes.ts";
import { loadCheckpoint, openCheckpoint } from "../models/checkpoint/open_checkpoint.ts";
import { fitWeights } from "../models/checkpoint/load_weights.ts";
import { withoutMoments, withTestedMeans } from "../models/checkpoint/optimizer_state.ts";
import { describeMisfit, quoted } from "../models/checkpoint/state_dict.ts";
import type { Checkpoint } from "../models/checkpoint/stored_tensor.ts";
import type { Classifier } from "../models/classifier.ts";
import { relevantEntries } from "../models/detection/faster_rcnn_layout.ts";
import { DIGIT_CLASSES } from "../models/adapted_faster_rcnn.ts";
import { fasterRcnnResnet50Fpn } from "../models/faster_rcnn.ts";
import { type Architecture, expectedWeights } from "../models/frozen_feature_layout.ts";
import { simpleCnn, simpleCnnLayouts } from "../models/simple_cnn.ts";
import { vgg16, VGG16_ARCHITECTURE } from "../models/vgg16.ts";
import {
  ALEXNET,
  DATA,
  DETECTORS,
  FASTER_RCNN_ADAPTED,
  FINE_TUNED,
  RECIPES,
  SIMPLE_CNN,
  VGG16,
} from "../study.ts";
import {
  type LoadedModel,
  type LocatedModel,
  type ModelFacts,
  readyClassifier,
  readyDetector,
} from "./loaded_model.ts";

/** Names and shapes of a checkpoint. */
type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** A model as the results have it. */
type NamedModel = Pick<ModelFacts, "name" | "title">;

/** A network that weights may be of. */
interface Candidate {
  /** What a run of it may be called; the first, unless the file says which. */
  models: readonly NamedModel[];
  fits: (found: Shapes) => boolean;
  build: () => Classifier;
}

const NETWORKS: readonly Candidate[] = [
  {
    models: Object.values(RECIPES),
    fits: (found) => {
      const layouts = simpleCnnLayouts(DATA.classes);
      const shapes = new Map([...layouts].map(([name, { torchShape }]) => [name, torchShape]));
      return isFit(fitWeights(found, () => ({ title: SIMPLE_CNN.title, shapes })));
    },
    build: simpleCnn,
  },
  ...([3, 1] as const).flatMap((inChannels) => [
    {
      models: [FINE_TUNED.vgg16[inChannels]],
      fits: fitsFrozen(VGG16_ARCHITECTURE, inChannels),
      build: () => vgg16({ inChannels }),
    },
    {
      models: [FINE_TUNED.alexnet[inChannels]],
      fits: fitsFrozen(ALEXNET_ARCHITECTURE, inChannels),
      build: () => alexnet({ inChannels }),
    },
  ]),
];

/**
 * Finds which model a file's weights are of. What was exported here comes back under its own name, a
 * detector as it was fed; another's detector is fed values 0..1.
 *
 * @param path A `.pth` or `.safetensors` file.
 * @param model Refuses weights of any other model; a name in the results.
 * @throws {StudyError} If the file is damaged, or of no model with ten digits for its classes.
 */
export async function locateWeightsAlone(
  path: string,
  model: string | undefined,
): Promise<LocatedModel> {
  const { found, noted, notes } = await lookInto(path);
  const network = NETWORKS.find(({ fits }) => fits(found));
  if (network === undefined && !isDetector(found)) throw fitsNothing(path, found);
  const named = namedOf(network?.models ?? DETECTORS, noted.name);
  if (model !== undefined && model !== named.name) {
    throw new StudyError(
      `${path} has weights of ${named.name}, not of ${model}: give another file, or leave the ` +
        "model out",
    );
  }
  const load = async () => {
    const facts = { ...named, run: undefined, weights: basename(path) };
    if (network === undefined) return await loadDetector(path, facts, noted);
    const classifier = network.build();
    try {
      const tested = withTestedMeans(await loadCheckpoint(path), notes);
      classifier.loadStateDict(new Map(tested), { path });
    } catch (error) {
      classifier.dispose();
      throw error;
    }
    return readyClassifier(classifier, facts);
  };
  return { name: named.name, load };
}

async function loadDetector(
  path: string,
  facts: ModelFacts,
  { batchNormEpsilon, normalises }: NotedModel,
): Promise<LoadedModel> {
  const detector = fasterRcnnResnet50Fpn({ numClasses: DIGIT_CLASSES });
  try {
    detector.loadStateDict(await loadCheckpoint(path), {
      path,
      ...(batchNormEpsilon !== undefined && { batchNormEpsilon }),
    });
  } catch (error) {
    detector.dispose();
    throw error;
  }
  return readyDetector(detector, { ...facts, normalises });
}

/** What is in a file, and what it says of itself. */
async function lookInto(
  path: string,
): Promise<{ found: Shapes; noted: NotedModel; notes: Checkpoint["metadata"] }> {
  using checkpoint = await openCheckpoint(path);
  const { metadata: notes } = checkpoint;
  const all = new Map(checkpoint.names().map((name) => [name, checkpoint.describe(name)]));
  return { found: withoutMoments(all), noted: readExportNotes(notes, path), notes };
}

/** The model of that name, or the first. */
function namedOf(models: readonly NamedModel[], wanted: string | undefined): NamedModel {
  return models.find(({ name }) => name === wanted) ?? models[0]!;
}

function fitsFrozen(architecture: Architecture, inChannels: 1 | 3) {
  return (found: Shapes) => {
    const expected = expectedWeights(architecture, { inChannels, numClasses: DATA.classes });
    return isFit(fitWeights(found, () => ({ ...expected, otherShapes: new Map() })));
  };
}

function isFit({ misfit }: ReturnType<typeof fitWeights>): boolean {
  return describeMisfit(misfit) === "";
}

/** A detector has a box predictor of the background and ten digits, under whatever prefix. */
function isDetector(found: Shapes): boolean {
  return [...relevantEntries(found, { keepPredictor: false })].some(([name, { shape }]) =>
    name.endsWith("box_predictor.cls_score.weight") && shape[0] === DIGIT_CLASSES
  );
}

function fitsNothing(path: string, found: Shapes): StudyError {
  const names = [...found.keys()];
  if (names.length > 0 && names.every((name) => name.startsWith("classifier."))) {
    return new StudyError(
      `${path} has a classifier alone, without its convolutions: give the run that it is of, by id ` +
        "or folder",
    );
  }
  const titles = [SIMPLE_CNN, VGG16, ALEXNET, FASTER_RCNN_ADAPTED].map(({ title }) => title);
  return new StudyError(
    `${path} has weights of no model for ten digits (${names.length} tensors, the first ` +
      `${quoted(names[0] ?? "")}): it must be one of ${
        titles.join(", ")
      }; deno task inspect says ` +
      "what is in it",
  );
}
