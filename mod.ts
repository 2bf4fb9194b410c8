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

export {
  type AdapterDescription,
  type BackendName,
  type Engine,
  type EngineOptions,
  type LibraryLocation,
  startEngine,
  type SummaryWriter,
} from "./engine/engine.ts";
export type { DeviceChoice, Precision } from "./engine/backend.ts";
export type {
  compile,
  CompiledFunction,
  CompiledResult,
  CompileOptions,
  TensorSpec,
} from "./engine/compile.ts";
export type {
  DataType,
  NamedTensorMap,
  Scalar,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
  Variable,
} from "./engine/ops.ts";
export type { Dataset, ImageSet } from "./data/dataset.ts";
export { loadDataset, type LoadDatasetOptions } from "./data/load_dataset.ts";
export {
  createReporter,
  type Reporter,
  type ReporterOptions,
  silentReporter,
} from "./io/reporter.ts";
export {
  type Failure,
  InterruptedError,
  StudyError,
  type StudyErrorOptions,
  UsageError,
} from "./io/errors.ts";
export { loadModel, type LoadModelOptions } from "./inference/load_model.ts";
export type { DetectionFacts, LoadedModel } from "./inference/loaded_model.ts";
export type { LocatedRun } from "./report/record/find_run.ts";
export type { ResultRow, Status } from "./report/record/result_row.ts";
export type { Json, Manifest } from "./report/record/run_folder.ts";
export { mnist28, normalizeMnist } from "./data/image_batches.ts";
export { normalizeGrey224, normalizeRgb224, resize224, rgb224 } from "./data/rgb224.ts";
export { alexnet } from "./models/alexnet.ts";
export type {
  Classifier,
  FrozenFeatureClassifier,
  LoadStateDictOptions,
} from "./models/classifier.ts";
export type { FrozenFeatureClassifierOptions } from "./models/frozen_feature_classifier.ts";
export { describeLoadedLayers, type LoadedLayers } from "./models/loaded_layers.ts";
export {
  bias,
  conv2dWeight,
  defaultInitializer,
  flattenedLinearWeight,
  type Initializer,
  linearWeight,
  type ParameterLayout,
  Parameters,
} from "./models/parameters.ts";
export type { DetectionTransformOptions } from "./models/detection/detection_transform.ts";
export {
  type Detector,
  type FasterRcnnOptions,
  fasterRcnnResnet50Fpn,
  type LoadDetectorOptions,
} from "./models/faster_rcnn.ts";
export { type Detection, mapDetectionsToDigit, type ScoredLabels } from "./models/label_mapping.ts";
export {
  ALEXNET_WEIGHTS,
  FASTER_RCNN_WEIGHTS,
  type ObtainedWeights,
  obtainWeights,
  type ObtainWeightsOptions,
  type PinnedWeights,
  VGG16_WEIGHTS,
} from "./models/checkpoint/pretrained.ts";
export { simpleCnn, type SimpleCnnOptions } from "./models/simple_cnn.ts";
export { loadCheckpoint, openCheckpoint } from "./models/checkpoint/open_checkpoint.ts";
export { saveCheckpoint } from "./models/checkpoint/safetensors.ts";
export {
  type DType,
  type StateDict,
  type StateTensor,
  toFloat32,
  type TypedArray,
} from "./models/checkpoint/state_dict.ts";
export type { Checkpoint, CheckpointStructure } from "./models/checkpoint/stored_tensor.ts";
export { vgg16 } from "./models/vgg16.ts";
export type { Adam, AdamOptions, Moments } from "./training/adam.ts";
export type { Muon, MuonOptions } from "./training/muon.ts";
export type { LearningRate } from "./training/parameter_state.ts";
export type { WeightAverage, WeightAverageOptions } from "./training/weight_average.ts";
export {
  evaluate,
  type EvaluateOptions,
  type Evaluation,
  type LabelledBatches,
} from "./training/evaluate.ts";
export { type Loss, smoothedCrossEntropy } from "./training/cross_entropy.ts";
export { ImageBatches } from "./data/image_batches.ts";
export { accuracy, confusionMatrix, weightedF1 } from "./metrics/classification.ts";
export {
  type BatchOutcome,
  type BatchProgress,
  type BatchSource,
  type EpochResult,
  type TrainableModel,
  Trainer,
  type TrainerOptions,
} from "./training/trainer.ts";
