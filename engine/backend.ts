/**
 * What a backend must offer, and which one is running.
 *
 * To add one, write a folder beside `tensorflow/` with a function from {@linkcode BackendOptions} to a
 * {@linkcode Backend} (or a StudyError that says why it does not work on this machine, and the remedy),
 * and put it into the registry in `engine.ts`. tfjs' own kernels come with the backend's npm package or
 * are registered by the folder; what the suite needs beyond them is {@linkcode BackendOps}, which
 * `portable/` composes of tfjs' kernels. Nothing above `engine/` knows which backend runs.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { engineIsGone } from "./gone.ts";
import { isRunningBody } from "./op_by_op.ts";
import type { DataType } from "./tensors.ts";
import { StudyError } from "../io/errors.ts";
import type { Reporter } from "../io/reporter.ts";

/** What `--backend` may name besides `auto`. */
export type BackendName = "tensorflow" | "webgpu" | "wasm";

/** Number format of products and convolutions in compiled functions. */
export type Precision = "float32" | "bfloat16";

/**
 * Where kernels may run: `cpu`, `gpu`, or `software`, which is a graphics adapter that computes on the
 * CPU.
 */
export type DeviceChoice = "auto" | "cpu" | "gpu" | "software";

/** A graphics adapter, as far as messages and records tell of it. */
export interface AdapterDescription {
  /** As its driver has it. */
  name: string;
  /** Who made the hardware, or the driver where that is software. */
  vendor: string;
  /** Whether it computes on the CPU. */
  isSoftware: boolean;
  /** WebGPU's limits that the device was made with, under their names. */
  limits: Readonly<Record<string, number>>;
}

/** An adapter's name with its vendor's, which most names begin with: `NVIDIA L4`, `Mesa llvmpipe`. */
export function adapterTitle(
  { name, vendor }: Pick<AdapterDescription, "name" | "vendor">,
): string {
  return name.toLowerCase().includes(vendor.toLowerCase()) ? name : `${vendor} ${name}`;
}

/** What a backend is started with; a backend ignores what does not concern it. */
export interface BackendOptions {
  /** Where kernels run; a backend that cannot do so throws a StudyError. */
  device: DeviceChoice;
  /** `auto` is the fastest that the device has; one that it lacks is a StudyError. */
  precision: Precision | "auto";
  /** The libtensorflow to use, a file or the folder it is in. */
  libtensorflow: string | undefined;
  /** Threads to compute with. */
  threads: number | undefined;
  /** Whether to let the native library's own messages through. */
  verbose: boolean;
  /** Where a download's progress is shown. */
  reporter: Reporter;
}

/** A setting of the user's own is wrong: no other backend takes the place of the one it was meant for. */
export class WrongSettingError extends StudyError {}

/** A started backend, which may or may not be the running one. */
export interface Backend {
  /** The name under which tfjs' kernels for it are registered. */
  readonly name: string;
  /** What computes: `CPU`, `GPU`, or the adapter's name. */
  readonly device: string;
  /** Version of the library or package that computes, such as `2.21.0`. */
  readonly version: string;
  /** What computes, on what, and where it is from, in a phrase. */
  readonly description: string;
  /** Number format of products and convolutions in compiled functions. */
  readonly precision: Precision;
  /** How small filters on many channels are computed, where not directly; last bits depend on it. */
  readonly convolutions?: "winograd";
  /** How many threads share the work of an operation. */
  readonly threads: number;
  /** The graphics adapter, where one computes. */
  readonly adapter?: AdapterDescription;
  /** What tfjs runs its kernels on. Its `dispose()` frees everything that this backend holds. */
  readonly kernels: tf.KernelBackend;
  /**
   * Makes the kernels usable again after their `dispose()`, or others in their place: tfjs disposes of
   * them where `tf.engine().reset()` is called, and asks for them again. Absent where they always are.
   */
  readonly restart?: () => void | Promise<void>;
  /** Operations that tfjs lacks, or that are faster as one kernel. */
  readonly ops: BackendOps;
  /** Absent where functions cannot be recorded; compiled ones then run op by op. */
  readonly recorder?: Recorder;
  /** Begins an event file for TensorBoard in an existing folder; absent where it writes none. */
  readonly openSummaries?: (folder: string) => Promise<SummaryWriter>;
}

/**
 * Writes an event file of TensorBoard. Whatever the disk does not take is an error of the call that
 * finds out. It must be disposed of before its engine is.
 */
export interface SummaryWriter extends Disposable {
  /** Adds a point to a curve; the value is kept as float32. */
  scalar(tag: string, step: number, value: number): void;
  /**
   * Adds a picture.
   *
   * @param image Grey values 0..255, `[height * width]`, row after row.
   */
  image(
    tag: string,
    step: number,
    image: { width: number; height: number; pixels: Uint8Array },
  ): void;
  /** Hands everything so far to the operating system. */
  flush(): void;
}

/**
 * Operations beyond tfjs' own, forwards and backwards. `ops.ts` gives them their gradients.
 *
 * They may be composed of tfjs' kernels where the device has none of its own. All run in the body of
 * a compiled function as well as outside.
 */
export interface BackendOps {
  /** `x + bias` over the last axis: float32 `[..., c]` and `[c]`. */
  biasAdd(x: tf.Tensor, bias: tf.Tensor): tf.Tensor;
  /** Sum of float32 `[..., c]` over all axes but the last: `[c]`. */
  biasAddGrad(dy: tf.Tensor): tf.Tensor;
  /** `max(x, 0)` of float32 of any shape. */
  relu(x: tf.Tensor): tf.Tensor;
  /** `dy` where `y`, the result of {@linkcode BackendOps.relu}, is above 0, else 0. */
  reluGrad(dy: tf.Tensor, y: tf.Tensor): tf.Tensor;
  /**
   * `-log(softmax(logits))` of the label of each row, and its gradient by the logits.
   *
   * @param logits float32 `[n, classes]`.
   * @param labels int32 `[n]`, each 0..classes-1.
   * @returns float32 `[n]` and `[n, classes]`.
   */
  sparseSoftmaxCrossEntropy(
    logits: tf.Tensor,
    labels: tf.Tensor,
  ): readonly [loss: tf.Tensor, gradient: tf.Tensor];
  /**
   * Uniform float32 numbers in [0, 1), a pure function of the key.
   *
   * @param key int32 `[2]`.
   */
  statelessRandomUniform(shape: readonly number[], key: tf.Tensor): tf.Tensor;
  /** Standard normal float32 numbers, else as {@linkcode BackendOps.statelessRandomUniform}. */
  statelessRandomNormal(shape: readonly number[], key: tf.Tensor): tf.Tensor;
  /** A tensor of 8-bit values that stays 8-bit on the device. tfjs takes it for int32. */
  uint8Tensor(values: Uint8Array, shape: readonly number[]): tf.Tensor;
  /**
   * Rows of an 8-bit tensor, widened.
   *
   * @param bytes `[n, ...]` of {@linkcode BackendOps.uint8Tensor}.
   * @param indices int32 `[m]`, each 0..n-1.
   * @returns `[m, ...]` of `dtype`, values 0..255.
   */
  gatherUint8(bytes: tf.Tensor, indices: tf.Tensor, dtype: "float32" | "int32"): tf.Tensor;
  /**
   * Images of which each pixel comes from elsewhere, bilinearly, and from outside 0.
   *
   * @param images float32 `[n, h, w, c]`.
   * @param transforms float32 `[n, 8]`; see `warpImages()` in `ops.ts`, which has the formula.
   */
  warpImages(images: tf.Tensor, transforms: tf.Tensor): tf.Tensor;
  /** One Adam update in place; see `applyAdam()` in `ops.ts`, which has the formula. */
  applyAdam(state: AdamState, gradient: tf.Tensor, scalars: AdamScalars): void;
  /**
   * `variable[..., start : start + k] = value`, in place.
   *
   * @param variable float32 `[..., n]`.
   * @param value float32 `[..., k]`, the axes before the last as long as the variable's.
   */
  assignSlice(variable: tf.Variable, value: tf.Tensor, start: number): void;
}

/** A parameter and Adam's moments of it, all of one shape. */
export interface AdamState {
  parameter: tf.Variable;
  /** Running mean of the gradient. */
  m: tf.Variable;
  /** Running mean of its square. */
  v: tf.Variable;
}

/** Scalars of one Adam step, each a float32 tensor of shape `[]`. */
export interface AdamScalars {
  /** Step size with the bias corrections in it. */
  stepSize: tf.Scalar;
  /** Epsilon, scaled like the second moment's square root. */
  epsilon: tf.Scalar;
  /** Decay of the first moment. */
  beta1: tf.Scalar;
  /** Decay of the second moment. */
  beta2: tf.Scalar;
  /** Factor of the parameter that is added to its gradient; none where it is absent. */
  weightDecay?: tf.Scalar;
}

/** Records functions, so that all their ops become one call. */
export interface Recorder {
  /** True while {@linkcode Recorder.record} runs a body. */
  readonly recording: boolean;
  /** Number format of a convolution or product now: the recorded function's, float32 outside of one. */
  readonly convolutionPrecision: Precision;
  /** Sizes and type of a tensor as an argument. */
  describe(tensor: tf.Tensor): TensorSpec;
  /**
   * Runs `body` once, recording its ops instead of executing them.
   *
   * Variables are captured, read and assigned by every call. The body may not use other tensors from
   * outside, make variables or read computed values: each is an error that names the remedy.
   *
   * @param signature The arguments' sizes and types.
   * @param body Gets one tensor per argument and returns the results.
   * @param precision See `CompileOptions` in `compile.ts`.
   */
  record(
    signature: readonly TensorSpec[],
    body: (args: tf.Tensor[]) => tf.Tensor[],
    precision?: "float32",
  ): RecordedFunction;
}

/** Sizes and type of one argument of a compiled function. */
export interface TensorSpec {
  /** Lengths of the dimensions. */
  shape: readonly number[];
  /** A tfjs type, or `uint8` for 8-bit data on the device. */
  dtype: DataType | "uint8";
}

/** A function that a {@linkcode Recorder} has recorded. */
export interface RecordedFunction {
  /** Runs it on arguments of the recorded signature. */
  call(args: readonly tf.Tensor[]): tf.Tensor[];
  dispose(): void;
}

let running: Backend | undefined;

/** What each backend is registered with: tells ours from another of the same name. */
const factories = new WeakMap<Backend, () => tf.KernelBackend | Promise<tf.KernelBackend>>();

/** Above tfjs' own backends (webgl has 2), so that tfjs comes back to ours after a reset. */
const PRIORITY = 3;

/** Makes a backend the running one and tfjs' current backend; the one before is disposed of. */
export async function runBackend(backend: Backend): Promise<void> {
  const { name } = backend;
  if (running !== undefined) stopBackend(running);
  // One of another copy of this module; tfjs would go on with it.
  if (tf.findBackendFactory(name) !== null) tf.removeBackend(name);
  let isNew = true;
  const factory = () => {
    const restarted = isNew ? undefined : backend.restart?.();
    isNew = false;
    return restarted instanceof Promise
      ? restarted.then(() => restartedKernels(backend))
      : backend.kernels;
  };
  tf.registerBackend(name, factory, PRIORITY);
  factories.set(backend, factory);
  running = backend;
  // Nothing is waited for before it is tfjs' own: two starts at a time do not mix.
  await tf.setBackend(name);
}

/** What a restart has made, unless the backend was stopped meanwhile. */
function restartedKernels(backend: Backend): tf.KernelBackend {
  if (isRunning(backend)) return backend.kernels;
  backend.kernels.dispose();
  return engineIsGone();
}

/**
 * Frees a backend; one that another has taken the place of has been freed before.
 *
 * @throws {Error} If it is recording a function, or running one op by op.
 */
export function stopBackend(backend: Backend): void {
  if (backend.recorder?.recording || (running === backend && isRunningBody())) {
    throw new Error("Cannot dispose of the engine while it records a function");
  }
  if (running === backend) running = undefined;
  const factory = factories.get(backend);
  if (factory !== undefined && tf.findBackendFactory(backend.name) === factory) {
    tf.removeBackend(backend.name);
  }
}

/** Whether a backend is the running one. */
export function isRunning(backend: Backend): boolean {
  return running === backend && tf.findBackendFactory(backend.name) === factories.get(backend);
}

/**
 * The running backend.
 *
 * @throws {Error} If no engine runs, or another backend has been made tfjs' current one.
 */
export function runningBackend(): Backend {
  if (running === undefined || !isRunning(running)) {
    throw new Error("No engine is running: call startEngine() first");
  }
  if (tf.backend() === running.kernels) return running;
  throw new Error(
    `No engine is running: tfjs' backend is "${tf.getBackend()}". Call ` +
      `tf.setBackend("${running.name}"), or startEngine()`,
  );
}
