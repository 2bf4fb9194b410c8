/**
 * A function being recorded: which tensors belong to it, and which variables it uses.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Precision } from "../backend.ts";
import type { TensorMetadata } from "./eager_binding.ts";
import type { DataId } from "./kernel_backend.ts";
import { RecordingBinding } from "./recording_binding.ts";
import type { TensorFlow } from "./tensorflow.ts";

/** What a recording needs of the backend that it is made for. */
export interface RecordedBackend
  extends Pick<tf.KernelBackend, "incRef" | "refCount" | "disposeData"> {
  readonly tensorflow: TensorFlow;
  /** Whether a value is on it. */
  has(dataId: DataId): boolean;
  /** The `TF_DataType` of a tensor. */
  dataType(tensor: tf.Tensor): number;
  /** The binding's ids of tensors. */
  getInputTensorIds(tensors: tf.Tensor[]): number[];
  /** A tensor of what the binding made. */
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
}

/** References to a variable's value of which no copy has one: the variable's and the recording's. */
const OWN_REFERENCES = 2;

/** State of one recording, from its first op to its function. */
export class Recording {
  /** Turns ops into nodes of the graph. */
  readonly binding: RecordingBinding;
  /** Keys of the values made while recording. */
  readonly made = new WeakSet<object>();
  #backend: RecordedBackend;
  /** Where each variable's value was at the start. */
  #before: ReadonlyMap<tf.Variable, DataId>;
  /** Where it is as long as nothing is assigned to the variable. */
  #unassigned: Map<tf.Variable, DataId>;
  /** The variable that each of these values is of. */
  #holders: Map<DataId, tf.Variable>;
  /** Variables of engines that are gone, with their values. */
  #gone: ReadonlyMap<tf.Variable, DataId>;
  /** Recorded ids of values that variables had before a change in place, which copies of them keep. */
  #old = new Map<DataId, number>();
  /** What holds on to values that variables have moved to since the start. */
  #moved: tf.Tensor[] = [];
  /** The variables used so far, with the binding's indices for them. */
  #captures = new Map<tf.Variable, number>();

  /**
   * Starts a recording on a backend, on which no two variables share a value.
   *
   * @param precision Number format of the function's convolutions and products.
   */
  constructor(backend: RecordedBackend, readonly precision: Precision) {
    this.#backend = backend;
    const values = registeredVariables().map((variable) => [variable, variable.dataId] as const);
    this.#before = new Map(values.filter(([, dataId]) => backend.has(dataId)));
    this.#gone = new Map(values.filter(([, dataId]) => !backend.has(dataId)));
    this.#unassigned = new Map(this.#before);
    this.#holders = new Map([...this.#before].map(([variable, dataId]) => [dataId, variable]));
    this.binding = new RecordingBinding(backend.tensorflow, precision === "bfloat16");
    // Assigning a variable releases its old value; this holds on to it until recording is over.
    for (const dataId of this.#before.values()) backend.incRef(dataId);
  }

  /** The variables that the function reads or changes, in the order of its inputs. */
  get variables(): readonly tf.Variable[] {
    return [...this.#captures.keys()];
  }

  /** The binding's index for a variable. */
  resourceOf(variable: tf.Variable): number {
    let resource = this.#captures.get(variable);
    if (resource === undefined) {
      resource = this.binding.resource(variable.shape, this.#backend.dataType(variable));
      this.#captures.set(variable, resource);
    }
    return resource;
  }

  /**
   * The same for a change in place: copies of the variable made so far stay as they are.
   *
   * @throws {Error} If the variable was assigned before: that is recorded at the end, over the change.
   */
  resourceToChange(variable: tf.Variable, opName: string): number {
    const { dataId } = variable;
    if (dataId !== this.#unassigned.get(variable)) {
      throw new Error(
        this.#gone.has(variable)
          ? `Cannot record ${opName} on the variable ${variable.name} ${GONE}`
          : `Cannot record ${opName} on the variable ${variable.name} after an assignment to it: ` +
            "have one compiled function do the one, and another the other",
      );
    }
    const resource = this.resourceOf(variable);
    if (this.#backend.refCount(dataId) > OWN_REFERENCES) this.#leaveToCopies(variable, resource);
    return resource;
  }

  /** Gives a variable another place for its value, as copies have the one that it had. */
  #leaveToCopies(variable: tf.Variable, resource: number): void {
    const value = this.binding.readResource(resource);
    this.#old.set(variable.dataId, value.id);
    const moved = tf.keep(this.#backend.createOutputTensor(value));
    this.#moved.push(moved);
    variable.assign(moved);
    this.#unassigned.set(variable, moved.dataId);
    this.#holders.set(moved.dataId, variable);
    // It is read anew where it is used.
    this.made.delete(moved.dataId);
  }

  /**
   * The recorded id for the value of a tensor made before the recording: a variable's, whichever
   * variable has it by now.
   *
   * @param opName The op that uses it, for the message.
   * @throws {Error} If the tensor is no variable's.
   */
  read(tensor: tf.Tensor, opName: string): number {
    const { dataId, shape } = tensor;
    const old = this.#old.get(dataId);
    if (old !== undefined) return old;
    const variable = this.#holders.get(dataId);
    if (variable !== undefined) return this.binding.readResource(this.resourceOf(variable)).id;
    const what = `Cannot record ${opName} on a tensor of shape [${shape}]`;
    if (tensor.isDisposed) throw new Error(`${what} that has been disposed of`);
    if ([...this.#gone.values()].includes(dataId)) throw new Error(`${what} ${GONE}`);
    throw new Error(
      `${what} that was made outside the compiled function: pass it as an argument, make it a ` +
        "tf.variable(), or create it inside",
    );
  }

  /** Makes assignments part of the function: variables that now point to recorded tensors. */
  recordAssignments(): void {
    const assigned: [variable: tf.Variable, value: number][] = [];
    for (const variable of registeredVariables()) {
      if (variable.dataId === this.#gone.get(variable)) continue;
      if (this.#gone.has(variable)) {
        throw new Error(`Cannot assign to the variable ${variable.name} ${GONE}`);
      }
      const dataId = this.#unassigned.get(variable);
      if (dataId === undefined) {
        throw new Error(
          `Cannot make the variable ${variable.name} while recording: make it before`,
        );
      }
      if (variable.dataId === dataId) continue;
      // All are read before the first is written: one may have another's value.
      assigned.push([variable, this.#backend.getInputTensorIds([variable])[0]!]);
    }
    for (const [variable, value] of assigned) {
      this.binding.assignResource(this.resourceOf(variable), value);
    }
  }

  /** Points every variable back to where its value was, and drops those made since. */
  restoreVariables(): void {
    for (const variable of registeredVariables()) {
      if (!this.#before.has(variable) && !this.#gone.has(variable)) variable.dispose();
    }
    for (const [variable, dataId] of this.#gone) {
      if (variable.isDisposed || variable.dataId === dataId) continue;
      this.#backend.disposeData(variable.dataId);
      variable.dataId = dataId;
    }
    for (const [variable, dataId] of this.#before) {
      if (variable.isDisposed || variable.dataId === dataId) continue;
      this.#backend.disposeData(variable.dataId);
      variable.dataId = dataId;
      this.#backend.incRef(dataId);
    }
  }

  /** Frees the graph and lets go of the variables' values. */
  close(): void {
    tf.dispose(this.#moved);
    for (const dataId of this.#before.values()) this.#backend.disposeData(dataId);
    this.binding.close();
  }
}

/** Of a variable whose engine another has taken the place of. */
const GONE = "of an engine that has been disposed of: make it on the one that runs";

function registeredVariables(): tf.Variable[] {
  return Object.values(tf.engine().registeredVariables);
}
