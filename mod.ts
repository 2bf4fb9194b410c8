/**
 * Train and compare MNIST classifiers from TypeScript, on TensorFlow, with no native addon.
 *
 * ```ts
 * import { mnist28, simpleCnn, startEngine } from "./mod.ts";
 *
 * const engine = await startEngine();
 * const model = simpleCnn({ seed: 1 });
 * const images = mnist28(new Uint8Array(2 * 784)); // two blank digits
 * model.forward(images).argMax(1).print();
 * engine.dispose();
 * ```
 *
 * @module
 */

export { type Engine, type EngineOptions, startEngine } from "./engine/engine.ts";
export type { CompiledFunction, TensorSpec } from "./engine/compile.ts";
export type { Dataset, ImageSet } from "./data/dataset.ts";
export { loadDataset, type LoadDatasetOptions } from "./data/load_dataset.ts";
export { mnist28 } from "./data/transforms.ts";
export type { Classifier } from "./models/classifier.ts";
export { type Detection, mapDetectionsToDigit } from "./models/label_mapping.ts";
export { simpleCnn, type SimpleCnnOptions } from "./models/simple_cnn.ts";
export {
  type Checkpoint,
  type DType,
  loadCheckpoint,
  openCheckpoint,
  saveCheckpoint,
  type StateDict,
  type StateTensor,
  toFloat32,
} from "./models/state_dict.ts";
export { evaluate, type EvaluateOptions, type Evaluation } from "./training/evaluate.ts";
export { accuracy, confusionMatrix, weightedF1 } from "./training/metrics.ts";
export { type EpochResult, Trainer, type TrainerOptions } from "./training/trainer.ts";
