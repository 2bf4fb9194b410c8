/**
 * The `TFJSBinding` under tfjs-node-gpu's kernels, over Deno FFI: it runs each op as it is called.
 *
 * tfjs-node ships this interface as a native addon; here it is TypeScript on libtensorflow's eager
 * C API, so there is nothing to build or install.
 *
 * @module
 */

import { attribute, type OpAttribute, setAttributes } from "./attributes.ts";
import { AttrType, DataType, dataTypeName } from "./c_enums.ts";
import {
  deleteHostTensor,
  freeStrings,
  type HostValues,
  newHostTensor,
  readHostTensor,
  type ReadValues,
} from "./host_tensor.ts";
import { notNull, type TensorFlow, TensorFlowError } from "./tensorflow.ts";

/** What a kernel learns of a tensor: the binding's id for it, its sizes and its `TF_DataType`. */
export interface TensorMetadata {
  /** The binding's own number for the tensor. */
  id: number;
  shape: number[];
  dtype: number;
}

/** The constants and calls that the kernels expect; eager and recording bindings both have them. */
export abstract class Binding {
  readonly TensorMetadata: new () => TensorMetadata = EmptyMetadata;
  readonly TFEOpAttr: new () => OpAttribute = EmptyAttribute;
  readonly TF_FLOAT = DataType.FLOAT;
  readonly TF_INT32 = DataType.INT32;
  readonly TF_INT64 = DataType.INT64;
  readonly TF_BOOL = DataType.BOOL;
  readonly TF_COMPLEX64 = DataType.COMPLEX64;
  readonly TF_STRING = DataType.STRING;
  readonly TF_RESOURCE = DataType.RESOURCE;
  readonly TF_UINT8 = DataType.UINT8;
  readonly TF_ATTR_STRING = AttrType.STRING;
  readonly TF_ATTR_INT = AttrType.INT;
  readonly TF_ATTR_FLOAT = AttrType.FLOAT;
  readonly TF_ATTR_BOOL = AttrType.BOOL;
  readonly TF_ATTR_TYPE = AttrType.TYPE;
  readonly TF_ATTR_SHAPE = AttrType.SHAPE;
  readonly TF_ATTR_RESOURCE = AttrType.RESOURCE;
  readonly TF_Version: string;

  /** @param tensorflow The library that does the work. */
  constructor(protected readonly tensorflow: TensorFlow) {
    this.TF_Version = tensorflow.version;
  }

  /** Makes a tensor of host values and returns its id. */
  abstract createTensor(shape: number[], dtype: number, values: HostValues): number;
  abstract deleteTensor(id: number): void;
  /** Copies a tensor's values to the host. */
  abstract tensorDataSync(id: number): ReadValues;
  /** Runs an op on the tensors with these ids. */
  abstract executeOp(
    opName: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    numOutputs: number,
  ): TensorMetadata[];
  /** Tensors not yet freed. */
  abstract getNumOfTensors(): number;

  /** Whether kernels run on a GPU. */
  isUsingGpuDevice(): boolean {
    return this.tensorflow.device.type === "GPU";
  }

  /** Saved models are no part of this suite. */
  loadSavedModel(): never {
    throw new Error("Saved models are unsupported by this binding");
  }
  deleteSavedModel(): never {
    return this.loadSavedModel();
  }
  runSavedModel(): never {
    return this.loadSavedModel();
  }
  getNumOfSavedModels(): number {
    return 0;
  }
}

/** `TensorMetadata` as a class: tfjs-node's interface has its constructor on the binding. */
class EmptyMetadata implements TensorMetadata {
  id = -1;
  shape: number[] = [];
  dtype = 0;
}

class EmptyAttribute implements OpAttribute {
  name = "";
  type = 0;
  value: unknown;
}

/** What the binding keeps of a live tensor. */
interface Handle {
  pointer: Deno.PointerObject;
  shape: number[];
  dtype: number;
}

/** Types that go to the GPU on creation; int32 and strings stay in host memory, as TensorFlow has it. */
const DEVICE_TYPES = new Set<number>([
  DataType.FLOAT,
  DataType.COMPLEX64,
  DataType.INT64,
  DataType.BOOL,
  DataType.UINT8,
  DataType.BFLOAT16,
]);

/** A string of this many bytes or fewer lies inside its `TF_TString` and owns no memory. */
const INLINE_STRING_BYTES = 22;

/**
 * Runs ops at once through `TFE_Execute`.
 *
 * @internal
 */
export class EagerBinding extends Binding {
  #handles = new Map<number, Handle>();
  #nextId = 1;
  #count = new Int32Array(1);

  override createTensor(shape: number[], dtype: number, values: HostValues): number {
    const { symbols, status } = this.tensorflow;
    const tensor = newHostTensor(this.tensorflow, shape, dtype, values);
    try {
      const handle = symbols.TFE_NewTensorHandle(tensor, status);
      this.tensorflow.check(`Cannot make a ${dataTypeName(dtype)} tensor of shape [${shape}]`);
      const pointer = notNull(handle, "TFE_NewTensorHandle");
      const id = this.#keep({ pointer: this.#place(pointer, dtype), shape: [...shape], dtype });
      const ownsMemory = dtype === DataType.STRING && hasLongString(values);
      return ownsMemory ? this.#detachStrings(id, tensor) : id;
    } finally {
      deleteHostTensor(this.tensorflow, tensor);
    }
  }

  override deleteTensor(id: number): void {
    const { pointer } = this.#handle(id, "delete");
    this.#handles.delete(id);
    this.tensorflow.symbols.TFE_DeleteTensorHandle(pointer);
  }

  /** Whether there is such a tensor. */
  has(id: number): boolean {
    return this.#handles.has(id);
  }

  override tensorDataSync(id: number): ReadValues {
    const { symbols, status } = this.tensorflow;
    const { pointer, shape, dtype } = this.#handle(id, "read");
    const tensor = symbols.TFE_TensorHandleResolve(pointer, status);
    this.tensorflow.check(`Cannot read a ${dataTypeName(dtype)} tensor of shape [${shape}]`);
    const resolved = notNull(tensor, "TFE_TensorHandleResolve");
    try {
      return readHostTensor(this.tensorflow, resolved);
    } finally {
      deleteHostTensor(this.tensorflow, resolved);
    }
  }

  override executeOp(
    opName: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    numOutputs: number,
  ): TensorMetadata[] {
    const { symbols, status, context } = this.tensorflow;
    const handles = inputs.map((id) => this.#handle(id, `run ${opName} on`));
    const op = symbols.TFE_NewOp(context, this.tensorflow.cString(opName), status);
    this.tensorflow.check(`Cannot run ${opName}`);
    const operation = notNull(op, "TFE_NewOp");
    const results = new BigUint64Array(numOutputs);
    try {
      // Inputs first: TensorFlow then takes an op's types from them and ignores what tfjs-node's
      // kernels state, which for Mean of int32 and bool is the type from before a cast.
      for (const { pointer } of handles) {
        symbols.TFE_OpAddInput(operation, pointer, status);
        this.#checkOp(opName, handles);
      }
      setAttributes(this.tensorflow, "eager", operation, opName, attributes);
      this.#count[0] = numOutputs;
      symbols.TFE_Execute(operation, results, this.#count, status);
      this.#checkOp(opName, handles);
    } finally {
      symbols.TFE_DeleteOp(operation);
    }
    // TensorFlow lowers the count when the op has fewer outputs than there was room for.
    return Array.from(results.subarray(0, this.#count[0]), (address) => this.#adopt(address));
  }

  override getNumOfTensors(): number {
    return this.#handles.size;
  }

  /** Sizes and type of a live tensor. */
  metadata(id: number): TensorMetadata {
    const { shape, dtype } = this.#handle(id, "describe");
    return { id, shape: [...shape], dtype };
  }

  /** Frees every tensor; ids are not given a second time. */
  close(): void {
    for (const id of [...this.#handles.keys()]) this.deleteTensor(id);
  }

  #keep(handle: Handle): number {
    const id = this.#nextId++;
    this.#handles.set(id, handle);
    return id;
  }

  #handle(id: number, action: string): Handle {
    const handle = this.#handles.get(id);
    if (handle === undefined) {
      this.tensorflow.requireOpen();
      throw new Error(`Cannot ${action} tensor ${id}: it does not exist or has been freed`);
    }
    return handle;
  }

  /** Takes over a handle that TensorFlow has returned. */
  #adopt(address: bigint): TensorMetadata {
    const { symbols, status } = this.tensorflow;
    const pointer = notNull(Deno.UnsafePointer.create(address), "TFE_Execute");
    const rank = symbols.TFE_TensorHandleNumDims(pointer, status);
    this.tensorflow.check("Cannot read a result's shape");
    const shape: number[] = [];
    for (let axis = 0; axis < rank; axis++) {
      shape.push(Number(symbols.TFE_TensorHandleDim(pointer, axis, status)));
    }
    this.tensorflow.check("Cannot read a result's shape");
    const dtype = symbols.TFE_TensorHandleDataType(pointer);
    return { id: this.#keep({ pointer, shape, dtype }), shape: [...shape], dtype };
  }

  /** Moves a new tensor to the GPU where there is one and the type belongs there. */
  #place(pointer: Deno.PointerObject, dtype: number): Deno.PointerObject {
    if (!this.isUsingGpuDevice() || !DEVICE_TYPES.has(dtype)) return pointer;
    const { symbols, status, context, device } = this.tensorflow;
    const name = this.tensorflow.cString(device.name);
    const placed = symbols.TFE_TensorHandleCopyToDevice(pointer, context, name, status);
    symbols.TFE_DeleteTensorHandle(pointer);
    this.tensorflow.check(`Cannot copy a tensor to ${device.name}`);
    return notNull(placed, "TFE_TensorHandleCopyToDevice");
  }

  /**
   * Replaces a tensor whose strings lie in memory of ours by one whose strings TensorFlow owns:
   * it frees its own with the tensor, but never those of a `TF_AllocateTensor`.
   */
  #detachStrings(id: number, tensor: Deno.PointerObject): number {
    try {
      const attributes = [
        attribute.int("N", 1),
        attribute.string("separator", ""),
      ];
      return this.executeOp("StringJoin", attributes, [id], 1)[0]!.id;
    } finally {
      this.deleteTensor(id);
      freeStrings(this.tensorflow, tensor);
    }
  }

  #checkOp(opName: string, inputs: readonly Handle[]): void {
    try {
      this.tensorflow.check(opName);
    } catch (error) {
      if (!(error instanceof TensorFlowError)) throw error;
      throw new TensorFlowError(describeOp(opName, inputs), error.code, error.detail);
    }
  }
}

/** `MatMul(float32[2,3], float32[4,5])`, for error messages. */
export function describeOp(
  opName: string,
  inputs: readonly { shape: readonly number[]; dtype: number }[],
): string {
  const list = inputs.map(({ shape, dtype }) => `${dataTypeName(dtype)}[${shape}]`);
  return `${opName}(${list.join(", ")})`;
}

function hasLongString(values: HostValues): boolean {
  return !ArrayBuffer.isView(values) &&
    values.some((value) => value instanceof Uint8Array && value.length > INLINE_STRING_BYTES);
}
