/**
 * tfjs' `tensorflow` backend on our binding: tfjs-node-gpu's kernels, with variables that can live
 * in TensorFlow and recordings that become functions.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Precision, RecordedFunction, Recorder, TensorSpec } from "../backend.ts";
import { attribute, type OpAttribute } from "./attributes.ts";
import { DataType, dataTypeName, dataTypeNamed } from "./c_enums.ts";
import { registerConv2d } from "./conv2d_kernel.ts";
import { EagerBinding, type TensorMetadata } from "./eager_binding.ts";
import { registerGather } from "./gather_kernel.ts";
import { type DataId, KernelBackendBase, type TensorData } from "./kernel_backend.ts";
import { setUnlessGiven } from "../../io/environment.ts";
import { withQuietStderr } from "../../io/quiet_stderr.ts";
import { type MatrixBlocks, matrixBlocks, type Region } from "./matrix_blocks.ts";
import { Recording } from "./recording.ts";
import { isRecordedId } from "./recording_binding.ts";
import {
  destroyResource,
  newBlocks,
  newResource,
  readResource,
  type Resource,
} from "./resource_variables.ts";
import { registerNoElements } from "./no_elements.ts";
import { registerSlice } from "./slice_kernel.ts";
import { TensorFlow, type TensorFlowOptions } from "./tensorflow.ts";

registerGather();
registerConv2d();
registerSlice();
// Last, as it goes before what is registered.
registerNoElements();

/** How {@linkcode TensorFlowBackend} opens its library. */
export interface TensorFlowBackendOptions extends TensorFlowOptions {
  /**
   * Let TensorFlow's own messages through.
   *
   * @default {false}
   */
  verbose?: boolean;
}

/** Set before the library is loaded, this stops it from logging each failed op, which is thrown. */
const ERRORS_ONLY = ["TF_CPP_MIN_LOG_LEVEL", "2"] as const;

/**
 * Set before the library is loaded, this makes it compute with oneDNN on every x86-64. By itself it does
 * so only where the processor has AVX-512's or AVX's instructions for neural networks (VNNI, bfloat16,
 * AMX); on one with AVX2 alone, training took 1.6 times as long.
 */
const WITH_ONEDNN = ["TF_ENABLE_ONEDNN_OPTS", "1"] as const;

/**
 * A serialised `tensorflow.ConfigProto` that turns on automatic mixed precision in bfloat16:
 * `graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = ON`, fields 10, 10 and 31.
 */
const BFLOAT16_CONFIG = Uint8Array.of(0x52, 0x05, 0x52, 0x03, 0xf8, 0x01, 0x01);

/** What a call of a function says to be optimised with {@linkcode BFLOAT16_CONFIG}. */
const BFLOAT16_ATTRIBUTES: readonly OpAttribute[] = [
  attribute.string("config_proto", BFLOAT16_CONFIG),
  attribute.string("executor_type", ""),
];

/** A recording that TensorFlow has as a function. */
interface GraphFunction {
  readonly name: string;
  /** Variables that it reads or changes; their resources come last among its inputs. */
  readonly variables: readonly tf.Variable[];
  /** How it has each of them. */
  readonly blocks: readonly (MatrixBlocks | undefined)[];
  readonly outputs: number;
  /** Of its own, or the backend's when it was recorded. */
  readonly precision: Precision;
  /** Whether it has run: TensorFlow optimises its graph on the first call. */
  called: boolean;
}

/** The backend; one per started engine. */
export class TensorFlowBackend extends KernelBackendBase implements Recorder {
  readonly tensorflow: TensorFlow;
  /** The binding that runs ops at once. */
  readonly eager: EagerBinding;
  #recording: Recording | undefined;
  #finalizer = new FinalizationRegistry<TensorData>((data) => this.#free(data));
  #functions = 0;
  /** Names of the functions that TensorFlow has. */
  #registered = new Set<string>();
  #verbose: boolean;
  /** The op whose inputs are being looked up, for messages. */
  #opName = "an op";

  /** Opens the library at `path`. */
  constructor(path: string, options: TensorFlowBackendOptions = {}) {
    const { verbose = false } = options;
    if (!verbose) setUnlessGiven(...ERRORS_ONLY);
    if (Deno.build.arch === "x86_64") setUnlessGiven(...WITH_ONEDNN);
    const tensorflow = withMessages(verbose, () => TensorFlow.open(path, options));
    const eager = new EagerBinding(tensorflow);
    super(eager, "@tensorflow/tfjs-node-gpu");
    this.tensorflow = tensorflow;
    this.eager = eager;
    this.#verbose = verbose;
  }

  /**
   * Number format of compiled functions that have none of their own. With `bfloat16`, TensorFlow's
   * graph optimiser runs their convolutions and products in bfloat16, accumulated in float32, and
   * what lies between those; variables, the arithmetic that changes them, and losses stay float32.
   * It applies to functions recorded from then on.
   */
  precision: Precision = "float32";

  get recording(): boolean {
    return this.#recording !== undefined;
  }

  /** Number format of a convolution now: the recorded function's, float32 outside of recordings. */
  get convolutionPrecision(): Precision {
    return this.#recording?.precision ?? "float32";
  }

  /**
   * Runs a TensorFlow op by name.
   *
   * @param inputs Tensors; their own TensorFlow types count, so uint8 data may be passed.
   */
  run(
    opName: string,
    attributes: readonly OpAttribute[],
    inputs: readonly tf.Tensor[],
    numOutputs = 1,
  ): tf.Tensor[] {
    this.#opName = opName;
    const ids = this.getInputTensorIds([...inputs]);
    return this.binding.executeOp(opName, attributes, ids, numOutputs).map((metadata) =>
      this.createOutputTensor(metadata)
    );
  }

  /**
   * A tensor of 8-bit values that stays 8-bit on the device. tfjs has no such type: it reads back
   * and counts as int32, and only {@linkcode run} may use it.
   */
  uint8Tensor(values: Uint8Array, shape: number[]): tf.Tensor {
    const id = this.binding.createTensor(shape, DataType.UINT8, values);
    return this.createOutputTensor({ id, shape, dtype: DataType.UINT8 });
  }

  /**
   * Runs an op that changes variables in place; they come first among its inputs.
   *
   * @param variables Variables, kept in TensorFlow from now on.
   */
  update(
    opName: string,
    attributes: readonly OpAttribute[],
    variables: readonly tf.Variable[],
    inputs: readonly tf.Tensor[],
  ): void {
    const recording = this.#recording;
    if (recording !== undefined) {
      const resources = variables.map((variable) => recording.resourceToChange(variable, opName));
      const ids = this.getInputTensorIds([...inputs]);
      recording.binding.updateResources(opName, attributes, resources, ids);
      return;
    }
    const resources = variables.map((variable) => this.resourceOf(variable).ids[0]!);
    const ids = this.getInputTensorIds([...inputs]);
    this.eager.executeOp(opName, attributes, [...resources, ...ids], 0);
    this.#dropReads(variables);
  }

  /**
   * `y + a x`; where it is recorded, in y's memory if nothing else uses y.
   *
   * @param a Scalar.
   * @param x Variable of y's sizes.
   */
  axpy(a: tf.Tensor, x: tf.Variable, y: tf.Tensor): tf.Tensor {
    const recording = this.#recording;
    if (recording === undefined) return tf.tidy(() => y.add(x.mul(a)));
    const [aId, yId] = this.getInputTensorIds([a, y]);
    return this.createOutputTensor(recording.binding.axpy(aId!, recording.resourceOf(x), yId!));
  }

  has(dataId: DataId): boolean {
    return this.tensorMap.has(dataId);
  }

  describe(tensor: tf.Tensor): TensorSpec {
    const dtype = dataTypeName(this.dataType(tensor)) as TensorSpec["dtype"];
    return { shape: tensor.shape, dtype };
  }

  /** The `TF_DataType` of a tensor. */
  dataType(tensor: tf.Tensor): number {
    return this.#data(tensor.dataId).dtype;
  }

  /** How compiled functions have a variable, if it is not whole. */
  blocksOf(variable: tf.Variable): MatrixBlocks | undefined {
    return matrixBlocks(this.tensorflow, variable.shape, this.dataType(variable));
  }

  /**
   * What is behind `variable` in TensorFlow, made on first use, for an op that may change it: copies of
   * its value made so far stay as they are.
   *
   * @param blocks How a compiled function takes it, in blocks or whole as an op does that runs at once.
   */
  resourceOf(variable: tf.Variable, blocks?: MatrixBlocks): Resource {
    const data = this.#data(variable.dataId);
    if (
      data.resource !== undefined && (data.resource.blocks === undefined) !== (blocks === undefined)
    ) {
      this.#read(data);
      destroyResource(this.eager, data.resource);
      delete data.resource;
    }
    if (data.resource === undefined) {
      const tensor = () => super.getInputTensorIds([variable])[0]!;
      const { values } = data;
      data.resource = blocks === undefined
        ? newResource(this.eager, data, tensor())
        : newBlocks(this.eager, blocks, values instanceof Float32Array ? values : tensor());
      data.values = null;
    }
    if (data.refCount === 1) {
      this.#dropRead(data);
      return data.resource;
    }
    // Other tensors share the value (tf.clone, reshape): they keep it, the variable moves on.
    this.#read(data);
    const resource = data.resource;
    delete data.resource;
    const current = this.createOutputTensor(readResource(this.eager, resource, data.dtype));
    this.#data(current.dataId).resource = resource;
    variable.assign(current);
    current.dispose();
    this.#dropRead(this.#data(variable.dataId));
    return resource;
  }

  /** Whether the value of a tensor is in blocks alone, of which ops that run at once read parts. */
  isInBlocks({ dataId }: tf.Tensor): boolean {
    if (this.#recording !== undefined) return false;
    const { resource, id } = this.#data(dataId);
    return resource?.blocks !== undefined && id < 0;
  }

  /**
   * A part of a matrix that {@linkcode TensorFlowBackend.isInBlocks}.
   *
   * @param region Within the matrix, and not empty.
   */
  readRegion({ dataId }: tf.Tensor, region: Region): tf.Tensor {
    const { resource, dtype } = this.#data(dataId);
    return this.createOutputTensor(readResource(this.eager, resource!, dtype, region));
  }

  record(
    signature: readonly TensorSpec[],
    body: (args: tf.Tensor[]) => tf.Tensor[],
    own?: "float32",
  ): RecordedFunction & { readonly name: string } {
    if (this.#recording !== undefined) throw new Error("Cannot record inside a recording");
    const { state } = tf.engine();
    const precision = own ?? this.precision;
    this.#separateVariables();
    const recording = new Recording(this, precision);
    const name = `recorded_${++this.#functions}`;
    this.#recording = recording;
    this.binding = recording.binding;
    tf.engine().startScope("recording");
    try {
      const parameters = signature.map(({ shape, dtype }) =>
        this.createOutputTensor(recording.binding.parameter(shape, dataTypeNamed(dtype)))
      );
      const results = this.getInputTensorIds(body(parameters));
      recording.recordAssignments();
      recording.binding.finish(name, results);
      this.#registered.add(name);
      const { variables } = recording;
      const blocks = variables.map((variable) => this.blocksOf(variable));
      const fn = { name, variables, blocks, outputs: results.length, precision, called: false };
      return { name, call: (args) => this.#call(fn, args), dispose: () => this.#remove(name) };
    } finally {
      recording.restoreVariables();
      // A body that reset tfjs has taken the scope away.
      if (tf.engine().state === state) tf.engine().endScope();
      this.#recording = undefined;
      this.binding = this.eager;
      recording.close();
    }
  }

  override getInputTensorIds(tensors: tf.Tensor[]): number[] {
    return tensors.map((tensor) => {
      if (tensor.dataId === undefined) return super.getInputTensorIds([tensor])[0]!;
      if (this.#recording !== undefined && !this.#recording.made.has(tensor.dataId)) {
        return this.#recording.read(tensor, this.#opName);
      }
      const data = this.#data(tensor.dataId);
      if (isRecordedId(data.id) && this.#recording === undefined) {
        throw new Error(
          `Cannot use a tensor of shape [${tensor.shape}] that was made while recording: return ` +
            "it from the compiled function instead",
        );
      }
      this.#read(data);
      return super.getInputTensorIds([tensor])[0]!;
    });
  }

  override executeSingleOutput(
    opName: string,
    attributes: OpAttribute[],
    inputs: tf.Tensor[],
  ): tf.Tensor {
    this.#opName = opName;
    return super.executeSingleOutput(opName, attributes, inputs);
  }

  override executeMultipleOutputs(
    opName: string,
    attributes: OpAttribute[],
    inputs: tf.Tensor[],
    numOutputs: number,
  ): tf.Tensor[] {
    this.#opName = opName;
    return super.executeMultipleOutputs(opName, attributes, inputs, numOutputs);
  }

  override createOutputTensor(metadata: TensorMetadata): tf.Tensor {
    const tensor = super.createOutputTensor(metadata);
    this.#track(tensor.dataId);
    return tensor;
  }

  override move(
    dataId: DataId,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    // One of another backend's that tfjs brings here was made before.
    const isMade = !tf.engine().state.tensorInfo.has(dataId);
    super.move(dataId, values, shape, dtype, refCount);
    this.#track(dataId, isMade);
  }

  override readSync(dataId: DataId): tf.backend_util.BackendValues {
    const data = this.#data(dataId);
    if (this.#recording !== undefined && !this.#recording.made.has(dataId)) {
      throw new Error(
        `Cannot read the data of a tensor of shape [${data.shape}] while a function is being ` +
          "recorded: its value would be frozen into the function. Read it before, or pass it as " +
          "an argument.",
      );
    }
    this.#read(data);
    return super.readSync(dataId);
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.tensorMap.has(dataId)) return true;
    const data = this.#data(dataId);
    const { id } = data;
    // What it holds is freed below: the binding of the moment may be a recording's.
    data.id = -1;
    const freed = super.disposeData(dataId, force);
    data.id = id;
    if (!freed) return false;
    this.#finalizer.unregister(dataId);
    this.#free(data);
    return true;
  }

  /** Frees everything native; tensors that are left may still be disposed of, but not used. */
  override dispose(): void {
    if (this.#recording !== undefined) {
      throw new Error("Cannot dispose of the engine while it records a function");
    }
    this.eager.close();
    this.#registered.clear();
    this.tensorflow.close();
  }

  /** Makes it usable again after {@linkcode TensorFlowBackend.dispose}, empty. */
  restart(): void {
    withMessages(this.#verbose, () => this.tensorflow.reopen());
  }

  #call(fn: GraphFunction, args: readonly tf.Tensor[]): tf.Tensor[] {
    const { name, variables, blocks, outputs, precision } = fn;
    this.tensorflow.requireOpen();
    if (!this.#registered.has(name)) {
      throw new Error(
        "Cannot call a function that was compiled before tfjs was reset, or has been disposed of: " +
          "compile it again",
      );
    }
    const disposed = variables.find(({ isDisposed }) => isDisposed);
    if (disposed !== undefined) {
      throw new Error(
        `Cannot call a compiled function that uses the variable ${disposed.name}: it has been ` +
          "disposed of, perhaps with its model",
      );
    }
    const resources = variables.flatMap((variable, index) =>
      this.resourceOf(variable, blocks[index]).ids
    );
    const ids = this.getInputTensorIds([...args]);
    const attributes = precision === "bfloat16" ? BFLOAT16_ATTRIBUTES : [];
    const execute = () => this.eager.executeOp(name, attributes, [...ids, ...resources], outputs);
    // TensorFlow may comment on the graph while it optimises it.
    const results = withMessages(this.#verbose || fn.called, execute);
    fn.called = true;
    this.#dropReads(variables);
    return results.map((metadata) => this.createOutputTensor(metadata));
  }

  /** Gives each variable a value of its own, by which a recording knows it; copies keep theirs. */
  #separateVariables(): void {
    const { registeredVariables, registry, state } = tf.engine();
    const running = Object.values(registry);
    for (const variable of Object.values(registeredVariables)) {
      const { dataId } = variable;
      // From another backend that runs tfjs brings it here; one of an engine that is gone stays there.
      const isThere = this.tensorMap.has(dataId) ||
        running.some((backend) => backend === state.tensorInfo.get(dataId)?.backend);
      const isShared = isThere && this.#data(dataId).refCount > 1;
      if (isShared) this.resourceOf(variable, this.blocksOf(variable));
    }
  }

  #remove(name: string): void {
    if (!this.#registered.delete(name)) return;
    const { symbols, context, status } = this.tensorflow;
    symbols.TFE_ContextRemoveFunction(context, new TextEncoder().encode(name + "\0"), status);
    this.tensorflow.check(`Cannot remove ${name}`);
  }

  #data(dataId: DataId): TensorData {
    if (!this.tensorMap.has(dataId) && !tf.engine().state.tensorInfo.has(dataId)) {
      throw new Error("Cannot use a tensor that has been disposed of");
    }
    return this.tensorMap.get(dataId);
  }

  #track(dataId: DataId, isMade = true): void {
    if (this.#recording !== undefined && isMade) this.#recording.made.add(dataId);
    else this.#finalizer.register(dataId, this.#data(dataId), dataId);
  }

  /** Frees what a tensor holds natively, unless that has been done or went with the context. */
  #free(data: TensorData): void {
    const { id, resource } = data;
    data.id = -1;
    delete data.resource;
    if (this.eager.has(id)) this.eager.deleteTensor(id);
    if (resource !== undefined && this.eager.has(resource.ids[0]!)) {
      destroyResource(this.eager, resource);
    }
  }

  /** Fetches a variable's value for an eager kernel. */
  #read(data: TensorData): void {
    if (data.resource === undefined || data.id >= 0) return;
    data.id = readResource(this.eager, data.resource, data.dtype).id;
  }

  /** Forgets eager copies of variables that have just changed. */
  #dropReads(variables: readonly tf.Variable[]): void {
    for (const { dataId } of variables) this.#dropRead(this.#data(dataId));
  }

  #dropRead(data: TensorData): void {
    if (data.resource === undefined || data.id < 0) return;
    this.eager.deleteTensor(data.id);
    data.id = -1;
  }
}

/** Runs `action`; TensorFlow's own messages meanwhile are shown or dropped. */
function withMessages<T>(shown: boolean, action: () => T): T {
  return shown ? action() : withQuietStderr(action);
}
