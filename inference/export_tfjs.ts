/**
 * A trained network as tfjs saves one: `model.json` and files of weights, for `tf.loadLayersModel`.
 *
 * A layers model was chosen over a graph model as tfjs writes it itself: no converter and no format by
 * hand, and its layers can be seen, cut and trained on in a browser.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { StudyError } from "../io/errors.ts";
import { type OwnFile, textIfReadable } from "../io/own_files.ts";
import { ALEXNET_ARCHITECTURE } from "../models/alexnet.ts";
import { EXPORT_NOTE } from "../models/checkpoint/export_notes.ts";
import { elementCount, type StateDict, toFloat32 } from "../models/checkpoint/state_dict.ts";
import type { ParameterLayout } from "../models/parameters.ts";
import {
  type Architecture,
  classifierLayouts,
  featureLayouts,
} from "../models/frozen_feature_layout.ts";
import { simpleCnnLayouts } from "../models/simple_cnn.ts";
import { VGG16_ARCHITECTURE } from "../models/vgg16.ts";
import { ALEXNET, DATA, DETECTORS, SIMPLE_CNN, VGG16 } from "../study.ts";
import type { LoadedModel } from "./loaded_model.ts";

/** Bytes of a file of weights: a server may not like larger ones, nor a browser many small ones. */
const FILE_BYTES = 16 * 2 ** 20;

/** The file that describes the layers and names the files of weights. */
const MODEL_FILE = "model.json";

/** A network as layers, each with the name of its parameters. */
interface Plan {
  layers: tf.layers.Layer[];
  layouts: ReadonlyMap<string, ParameterLayout>;
}

/** @throws {StudyError} If a model of that name in the results is no sequence of layers. */
export function requireLayers(name: string): void {
  if (DETECTORS.some((detector) => detector.name === name)) throw noLayers(name);
}

function noLayers(name: string): StudyError {
  return new StudyError(
    `${name} is no sequence of layers, so tfjs has no form for it: choose --format safetensors`,
  );
}

/** Layers whose values are set at once need none drawn for them. */
const UNSET = { kernelInitializer: "zeros", biasInitializer: "zeros" } as const;

/**
 * Writes a model that takes normalised images `[n, side, side, channels]`, as
 * {@linkcode LoadedModel.forward} does, and gives logits `[n, 10]`.
 *
 * Files of the same names are written over, and others stay; {@linkcode tfjsFiles} says which there are.
 *
 * @param folder Made if missing. `model.json` comes last: where it has layers, all is there.
 * @returns The names of the files, `model.json` first.
 * @throws {StudyError} If the model is a detector, which is no sequence of layers.
 */
export async function exportTfjs(model: LoadedModel, folder: string): Promise<string[]> {
  const { layers, layouts } = planOf(model);
  const sequence = tf.sequential({ layers, name: model.title });
  try {
    setWeights(layers, layouts, model.stateDict());
    let saved: tf.io.ModelArtifacts | undefined;
    await sequence.save(tf.io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" },
      });
    }));
    return await writeArtifacts(saved!, folder);
  } finally {
    sequence.dispose();
  }
}

/**
 * What is in a folder under the names that {@linkcode exportTfjs} writes, and whether it wrote it: files
 * of weights, which say nothing of themselves, are those of the `model.json` beside them.
 */
export async function tfjsFiles(folder: string): Promise<OwnFile[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name === MODEL_FILE || /^weights-\d+-of-\d+\.bin$/.test(name)) names.push(name);
    }
  } catch {
    // There is none, or writing into it will say what is wrong.
    return [];
  }
  const isOwn = () => isExported(join(folder, MODEL_FILE));
  return names.sort().map((name) => ({ path: join(folder, name), isOwn }));
}

async function isExported(path: string): Promise<boolean> {
  try {
    const { userDefinedMetadata } = JSON.parse(await textIfReadable(path));
    return userDefinedMetadata.exported_by === EXPORT_NOTE.exported_by;
  } catch {
    return false;
  }
}

function planOf({ name, title, side, channels }: LoadedModel): Plan {
  const inputShape = [side, side, channels];
  switch (title) {
    case SIMPLE_CNN.title:
      return simpleCnnPlan(inputShape);
    case VGG16.title:
      return frozenPlan(VGG16_ARCHITECTURE, inputShape);
    case ALEXNET.title:
      return frozenPlan(ALEXNET_ARCHITECTURE, inputShape);
    default:
      throw noLayers(name);
  }
}

function simpleCnnPlan(inputShape: number[]): Plan {
  const layouts = simpleCnnLayouts(DATA.classes);
  const { conv2d, maxPooling2d, flatten } = tf.layers;
  const convolution = (name: string, shape: { inputShape?: number[] } = {}) => {
    const [filters, , kernelSize] = layouts.get(`${name}.weight`)!.torchShape;
    const options = { filters: filters!, kernelSize: kernelSize!, padding: "same" } as const;
    return conv2d({ ...shape, ...UNSET, ...options, name, activation: "relu" });
  };
  const halve = () => maxPooling2d({ poolSize: 2, strides: 2 });
  const layers = [
    convolution("conv1", { inputShape }),
    halve(),
    convolution("conv2"),
    halve(),
    flatten(),
    dense("fc1", layouts, "relu"),
    dense("fc2", layouts),
  ];
  return { layers, layouts };
}

function frozenPlan(architecture: Architecture, inputShape: number[]): Plan {
  const { convolutions, linears } = architecture;
  const layouts = new Map([
    ...featureLayouts(architecture, inputShape.at(-1)!),
    ...classifierLayouts(architecture, DATA.classes),
  ]);
  const layers: tf.layers.Layer[] = [tf.layers.inputLayer({ inputShape })];
  for (const { name, outChannels, kernelSize, stride = 1, padding, maxPool } of convolutions) {
    const isSame = stride === 1 && 2 * padding + 1 === kernelSize;
    if (!isSame && padding > 0) layers.push(tf.layers.zeroPadding2d({ padding }));
    layers.push(tf.layers.conv2d({
      ...UNSET,
      name: layerName(name),
      filters: outChannels,
      kernelSize,
      strides: stride,
      padding: isSame ? "same" : "valid",
      activation: "relu",
    }));
    if (maxPool === undefined) continue;
    layers.push(tf.layers.maxPooling2d({ poolSize: maxPool.size, strides: maxPool.stride }));
  }
  // At this size of image the adaptive average pool has nothing to do.
  layers.push(tf.layers.flatten());
  for (const [i, { name }] of linears.entries()) {
    layers.push(dense(name, layouts, i < linears.length - 1 ? "relu" : undefined));
  }
  return { layers, layouts };
}

function dense(
  name: string,
  layouts: Plan["layouts"],
  activation?: "relu",
): tf.layers.Layer {
  const [units] = layouts.get(`${name}.weight`)!.torchShape;
  const shape = { units: units!, name: layerName(name) };
  return tf.layers.dense({ ...UNSET, ...shape, ...(activation && { activation }) });
}

/** tfjs takes what comes behind a dot or slash for something else. */
function layerName(name: string): string {
  return name.replace(".", "_");
}

/** Copies each layer's weight and bias, one layer after the other. */
function setWeights(
  layers: readonly tf.layers.Layer[],
  layouts: Plan["layouts"],
  state: StateDict,
): void {
  const names = [...new Set([...layouts.keys()].map((name) => name.replace(/\.\w+$/, "")))];
  for (const name of names) {
    const layer = layers.find((layer) => layer.name === layerName(name))!;
    const values = ["weight", "bias"].map((kind) => {
      const tensor = state.get(`${name}.${kind}`)!;
      const { fromTorch } = layouts.get(`${name}.${kind}`)!;
      return tf.tidy(() => fromTorch(tf.tensor(toFloat32(tensor), tensor.shape)));
    });
    layer.setWeights(values);
    tf.dispose(values);
  }
}

async function writeArtifacts(
  { modelTopology, weightSpecs, weightData }: tf.io.ModelArtifacts,
  folder: string,
): Promise<string[]> {
  const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  const expected = weightSpecs!.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  if (bytes.length !== expected) {
    throw new Error(`tfjs saved ${bytes.length} bytes of weights instead of ${expected}`);
  }
  const count = Math.ceil(bytes.length / FILE_BYTES);
  const paths = Array.from({ length: count }, (_, i) => `weights-${i + 1}-of-${count}.bin`);
  // Should this break off, it says whose the weights are, and nothing loads an earlier model with them.
  const unfinished = { userDefinedMetadata: EXPORT_NOTE };
  await writeFileAtomic(join(folder, MODEL_FILE), JSON.stringify(unfinished));
  for (const [i, path] of paths.entries()) {
    const part = bytes.subarray(i * FILE_BYTES, (i + 1) * FILE_BYTES);
    await writeFileAtomic(join(folder, path), part);
  }
  const model = {
    format: "layers-model",
    generatedBy: `TensorFlow.js ${tf.version.tfjs}`,
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths, weights: weightSpecs }],
    userDefinedMetadata: EXPORT_NOTE,
  };
  await writeFileAtomic(join(folder, MODEL_FILE), JSON.stringify(model));
  return [MODEL_FILE, ...paths];
}
