/**
 * The `TFJSBinding` that records: each op a kernel asks for becomes a node of a TensorFlow graph.
 *
 * @module
 */

import { attribute, type OpAttribute, setAttributes } from "./attributes.ts";
import { DataType } from "./c_enums.ts";
import { Binding, describeOp, type TensorMetadata } from "./eager_binding.ts";
import {
  deleteHostTensor,
  freeStrings,
  type HostValues,
  newHostTensor,
  type ReadValues,
} from "./host_tensor.ts";
import { type MatrixBlocks, matrixBlocks, regionsOf } from "./matrix_blocks.ts";
import { cutOut } from "./matrix_ops.ts";
import {
  type BlockedMatrix,
  blockedMatrix,
  type MatrixGraph,
  type Operations,
  productInBlocks,
  timesMatrix,
} from "./recorded_matrices.ts";
import { IGNORE_MISSING, newHandle, valueType } from "./resource_variables.ts";
import { inputArguments, listLengths, statedAttributes } from "./op_definition.ts";
import { pointerList } from "./pointer_list.ts";
import { notNull, type TensorFlow, TensorFlowError } from "./tensorflow.ts";

/** One output of a graph node. */
interface Node {
  /** The op that yields it. */
  opName: string;
  operation: Deno.PointerObject;
  index: number;
  shape: number[];
  dtype: number;
  /** The values of a constant, so that a kernel may read them while recording. */
  values?: ReadValues;
  /** The variable whose value this is. */
  resource?: Resource;
  /** A variable's value, or made of one, size for size: part of what it may be set to. */
  isState?: boolean;
}

/** A variable of the function under construction: one in TensorFlow, or the blocks of a matrix. */
interface Captured {
  shape: number[];
  blocks: MatrixBlocks | undefined;
  resources: Resource[];
}

/** A variable in TensorFlow. */
interface Resource {
  handle: number;
  shape: number[];
  dtype: number;
  /** Node id of the current value; absent until read, and again after a write. */
  value?: number;
  /**
   * Operations that the next access must follow: the last write, reads, and what uses their values.
   * Once all of those are done only the variable holds its memory, and a write need not copy it.
   */
  after: Deno.PointerObject[];
}

/** What combines tensors element by element, and would be done in bfloat16 behind a product. */
const ARITHMETIC = new Set(["Add", "AddV2", "AddN", "Sub", "Mul", "RealDiv"]);

/** What passes values on, and would be done in bfloat16 on either side of a product. */
const PASSING = new Set(["ClipByValue", "Maximum", "Minimum", "Neg", "Reshape", "Transpose"]);

/** Of these, what gives a tensor another shape. */
const RESHAPING = new Set(["Reshape", "Transpose"]);

/** The products that make gradients of weights, and no others. */
const GRADIENTS_OF_FILTERS = new Set([
  "Conv2DBackpropFilter",
  "DepthwiseConv2dNativeBackpropFilter",
]);

/** Bytes up to which a constant is compared with those before. */
const COMPARED_BYTES = 1 << 16;

/** Ids of recorded tensors start here, far above those of eager ones. */
const FIRST_ID = 2 ** 40;

/** True for the id of a recorded tensor. */
export function isRecordedId(id: number): boolean {
  return id >= FIRST_ID;
}

/** Builds one graph; {@linkcode RecordingBinding.finish} turns it into a function. */
export class RecordingBinding extends Binding implements MatrixGraph {
  #openGraph: Deno.PointerObject | undefined;
  #nodes = new Map<number, Node>();
  #nextId = FIRST_ID;
  #operations = 0;
  #parameters: Uint8Array[] = [];
  #captured: Captured[] = [];
  #sideEffects: Deno.PointerObject[] = [];
  /** Tensors of which single blocks can be had, by id. Those that are in no node yet are in none. */
  #matrices = new Map<number, BlockedMatrix>();
  /** Ids of those that are variables' values. */
  #stateMatrices = new Set<number>();
  /** The last update of a block, which the next one's gradient waits for. */
  #lastUpdate: Operations = [];
  /** Ids of constants by {@linkcode constantKey}. */
  #constants = new Map<string, number>();

  /**
   * Starts an empty graph.
   *
   * @param isRewritten Whether products will be turned to bfloat16, and with them what is around
   *   them. Variables then still keep to float32: what {@linkcode RecordingBinding.executeOp} adds
   *   to them, or to a mean of gradients, is not turned.
   */
  constructor(tensorflow: TensorFlow, readonly isRewritten = false) {
    super(tensorflow);
    this.#openGraph = notNull(tensorflow.symbols.TF_NewGraph(), "TF_NewGraph");
  }

  /** Adds a parameter of the function: a tensor of known sizes. */
  parameter(shape: readonly number[], dtype: number): TensorMetadata {
    const [metadata] = this.#add("Placeholder", [
      attribute.type("dtype", dtype),
      attribute.shape("shape", shape),
    ], []);
    this.#parameters.push(outputOf(this.#node(metadata!.id)));
    return metadata!;
  }

  /**
   * Adds what stands for a variable: a parameter, or one for each block of a matrix in
   * {@linkcode matrixBlocks}.
   *
   * @returns Index for {@linkcode readResource} and the writes.
   */
  resource(shape: readonly number[], dtype: number): number {
    const blocks = matrixBlocks(this.tensorflow, shape, dtype);
    const shapes = blocks === undefined
      ? [[...shape]]
      : regionsOf(blocks).map(({ rows, columns }) => [rows.size, columns.size]);
    const resources = shapes.map((shape) => {
      const handle = this.parameter([], DataType.RESOURCE).id;
      return { handle, shape, dtype, after: [] };
    });
    return this.#captured.push({ shape: [...shape], blocks, resources }) - 1;
  }

  /** The variable's value at this point of the function. */
  readResource(index: number): TensorMetadata {
    const { blocks, resources } = this.#captured[index]!;
    const values = resources.map((resource) => this.#read(resource));
    if (blocks === undefined) return this.#describe(values[0]!);
    const matrix = this.#keepMatrix(blockedMatrix(this, blocks, (block) => values[block]!));
    this.#stateMatrices.add(matrix.id);
    return matrix;
  }

  /** Node id of a variable's value. */
  #read(resource: Resource): number {
    if (resource.value === undefined) {
      const { dtype, handle, after } = resource;
      const read = this.#operation("ReadVariableOp", [valueType(dtype)], [handle], after);
      resource.after = [...resource.after, read];
      // A variable has no static shape inside a function; EnsureShape gives it one.
      const id = this.#keep({
        opName: "ReadVariableOp",
        operation: read,
        index: 0,
        shape: resource.shape,
        dtype: resource.dtype,
      });
      const shape = attribute.shape("shape", resource.shape);
      const shaped = this.#add("EnsureShape", [shape], [id])[0]!.id;
      resource.value = this.#inFloat32(shaped);
      Object.assign(this.#node(resource.value), { resource, isState: true });
    }
    return resource.value;
  }

  /** Sets the variable to a recorded tensor, after all reads so far. */
  assignResource(index: number, value: number): void {
    const attributes = [valueType(this.#captured[index]!.resources[0]!.dtype)];
    this.updateResources("AssignVariableOp", attributes, [index], [value]);
  }

  /**
   * Adds an op that changes variables in place, such as `ResourceApplyAdam`: its first inputs are
   * the variables, in order. It runs after all reads so far; later reads see its result.
   *
   * Variables in blocks are changed block by block, which the op has to allow: its inputs are
   * scalars, or have the variables' sizes. Of an input that is in blocks itself there is one at a
   * time.
   */
  updateResources(
    opName: string,
    attributes: readonly OpAttribute[],
    indices: readonly number[],
    inputs: readonly number[],
  ): void {
    const variables = indices.map((index) => this.#captured[index]!);
    const inBlocks = variables.find(({ blocks }) => blocks !== undefined);
    if (inBlocks?.blocks === undefined) {
      this.#update(opName, attributes, variables.map(({ resources }) => resources[0]!), inputs);
      return;
    }
    const { blocks, shape } = inBlocks;
    const tensors = inputs.map((id) => this.#shape(id)).filter((shape) => shape.length > 0);
    const misfit = [...variables.map(({ shape }) => shape), ...tensors]
      .find((other) => String(other) !== String(shape));
    if (misfit !== undefined) {
      throw new Error(
        `Cannot record ${opName} on a matrix of shape [${shape}], which lies in blocks, with one of ` +
          `shape [${misfit}]: assign the whole`,
      );
    }
    for (const block of regionsOf(blocks).keys()) {
      const targets = variables.map(({ resources }) => resources[block]!);
      const ids = inputs.map((id) =>
        this.#shape(id).length === 0 ? id : this.#block(id, blocks, block, this.#lastUpdate)
      );
      this.#lastUpdate = [this.#update(opName, attributes, targets, ids)];
    }
  }

  #update(
    opName: string,
    attributes: readonly OpAttribute[],
    targets: readonly Resource[],
    inputs: readonly number[],
  ): Deno.PointerObject {
    const ids = [...targets.map((target) => target.handle), ...inputs];
    const after = targets.flatMap((target) => target.after);
    const operation = this.#operation(opName, attributes, ids, after);
    this.#sideEffects.push(operation);
    for (const target of targets) {
      target.after = [operation];
      delete target.value;
    }
    return operation;
  }

  /** A block of a tensor that has the sizes of a variable in blocks. */
  #block(id: number, blocks: MatrixBlocks, index: number, after: Operations): number {
    const matrix = this.#matrices.get(id);
    return matrix?.block(index, after) ?? cutOut(this, id, regionsOf(blocks)[index]!).id;
  }

  /**
   * Adds `y + a x`, BLAS' axpy, for a variable x. It is TensorFlow's step of gradient descent on a
   * variable that lives as long as that, as this takes over y's memory where nothing else uses it.
   *
   * @param a Id of a scalar.
   * @param index Of x.
   * @param y Id of a tensor of x's type and sizes.
   */
  axpy(a: number, index: number, y: number): TensorMetadata {
    const { blocks, resources } = this.#captured[index]!;
    const values = resources.map((resource) => this.#read(resource));
    if (blocks === undefined) return this.#describe(this.#axpy(a, values[0]!, y));
    const sum = (block: number, after: Operations = []) =>
      this.#axpy(a, values[block]!, this.#block(y, blocks, block, after));
    return this.#keepMatrix(blockedMatrix(this, blocks, sum));
  }

  #axpy(a: number, x: number, y: number): number {
    const { shape, dtype } = this.#node(y);
    const elements = valueType(dtype);
    const type = attribute.type("T", dtype);
    const handle = this.#add("VarHandleOp", newHandle(shape, dtype), [])[0]!.id;
    const filled = this.#operation("AssignVariableOp", [elements], [handle, y], []);
    const rate = this.#add("Neg", [type], [a])[0]!.id;
    const locking = attribute.bool("use_locking", false);
    const descended = this.#operation(
      "ResourceApplyGradientDescent",
      [type, locking],
      [handle, rate, x],
      [filled],
    );
    const [sum] = this.#add("ReadVariableOp", [elements], [handle], [descended]);
    const read = this.#node(sum!.id).operation;
    this.#sideEffects.push(
      this.#operation("DestroyResourceOp", [IGNORE_MISSING], [handle], [read]),
    );
    return sum!.id;
  }

  /** The product of two matrices, by blocks where one of them or the result lies in some. */
  #matrixProduct(
    attributes: readonly OpAttribute[],
    [left, right]: readonly number[],
  ): TensorMetadata | undefined {
    const isTransposed = (name: string) =>
      attributes.find((attribute) => attribute.name === name)?.value === true;
    const [leftShape, rightShape] = [this.#shape(left!), this.#shape(right!)];
    if (leftShape.length !== 2 || rightShape.length !== 2) return undefined;
    const matrix = this.#matrices.get(right!);
    if (matrix !== undefined && !isTransposed("adj_x")) {
      return this.#describe(timesMatrix(this, left!, matrix, isTransposed("adj_y")));
    }
    if (!isTransposed("adj_x") || isTransposed("adj_y")) return undefined;
    const shape = [leftShape[1]!, rightShape[1]!];
    const blocks = matrixBlocks(this.tensorflow, shape, this.#node(left!).dtype);
    return blocks && this.#keepMatrix(productInBlocks(this, left!, right!, blocks));
  }

  matMul(
    left: number,
    right: number,
    transposed?: "left" | "right",
    after: Operations = [],
  ): number {
    const attributes = [
      attribute.bool("transpose_a", transposed === "left"),
      attribute.bool("transpose_b", transposed === "right"),
    ];
    return this.#add("MatMul", attributes, [left, right], after)[0]!.id;
  }

  /** Equal constants are one, as the same kernels are recorded with the same sizes and axes. */
  override createTensor(shape: number[], dtype: number, values: HostValues): number {
    const key = constantKey(shape, dtype, values);
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const id = this.#addConstant(shape, dtype, values);
    if (key !== undefined) this.#constants.set(key, id);
    return id;
  }

  #addConstant(shape: number[], dtype: number, values: HostValues): number {
    const { symbols, status } = this.tensorflow;
    const tensor = newHostTensor(this.tensorflow, shape, dtype, values);
    try {
      const description = this.#describeOperation("Const");
      symbols.TF_SetAttrType(description, this.tensorflow.cString("dtype"), dtype);
      symbols.TF_SetAttrTensor(description, this.tensorflow.cString("value"), tensor, status);
      this.tensorflow.check("Cannot set Const.value");
      const operation = this.#finishOperation(description, "Const");
      const [metadata] = this.#outputs(operation, "Const", 1);
      const copy = ArrayBuffer.isView(values) ? values.slice() : undefined;
      if (copy !== undefined) this.#node(metadata!.id).values = copy;
      return metadata!.id;
    } finally {
      if (dtype === DataType.STRING) freeStrings(this.tensorflow, tensor);
      deleteHostTensor(this.tensorflow, tensor);
    }
  }

  /** Nothing to free: nodes live as long as the graph. */
  override deleteTensor(_id: number): void {}

  override tensorDataSync(id: number): ReadValues {
    const { values, opName, shape } = this.#node(id);
    if (values !== undefined) return values;
    throw new Error(
      `Cannot read the result of ${opName}, a tensor of shape [${shape}], while a ` +
        "function is being recorded: it has no value yet. Return the tensor from the compiled " +
        "function and read it after the call.",
    );
  }

  override executeOp(
    opName: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    numOutputs: number,
  ): TensorMetadata[] {
    const product = opName === "BatchMatMulV2"
      ? this.#matrixProduct(attributes, inputs)
      : undefined;
    if (product !== undefined) return [product];
    if (!this.isRewritten) return this.#add(opName, attributes, inputs, [], numOutputs);
    if (ARITHMETIC.has(opName) || PASSING.has(opName)) {
      return [this.#arithmetic(opName, attributes, inputs)];
    }
    const results = this.#add(opName, attributes, inputs, [], numOutputs);
    return isGradientOfWeights(opName, attributes)
      ? results.map(({ id }) => this.#describe(this.#inFloat32(id)))
      : results;
  }

  /** An op that may be a step of a variable's update. */
  #arithmetic(
    opName: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
  ): TensorMetadata {
    const fits = (state: Node) =>
      RESHAPING.has(opName) ||
      inputs.every((id) => broadcastsTo(this.#node(id).shape, state.shape));
    const isUpdate = inputs.some((id) => this.#node(id).isState && fits(this.#node(id)));
    if (!isUpdate) return this.#add(opName, attributes, inputs)[0]!;
    const operands = inputs.map((id) => this.#node(id).isState ? id : this.#inFloat32(id));
    const made = this.#add(opName, attributes, operands)[0]!.id;
    const id = PASSING.has(opName) ? this.#inFloat32(made) : made;
    this.#node(id).isState = true;
    return this.#describe(id);
  }

  /**
   * The same tensor where the rewriter leaves it in float32: it neither turns this op, which it
   * does not know, nor looks through it.
   */
  #inFloat32(id: number): number {
    const { dtype, values } = this.#node(id);
    if (!this.isRewritten || dtype !== DataType.FLOAT || values !== undefined) return id;
    const types = [attribute.type("T", dtype), attribute.type("type", dtype)];
    return this.#add("Bitcast", types, [id])[0]!.id;
  }

  override getNumOfTensors(): number {
    return this.#nodes.size;
  }

  /**
   * Registers the graph as a function of the eager context.
   *
   * @param name Name to run it under; not yet in use.
   * @param outputs Ids of the recorded tensors it returns.
   */
  finish(name: string, outputs: readonly number[]): void {
    const { symbols, status, context } = this.tensorflow;
    const effects = this.#sideEffects;
    const addresses = [...new Set(effects.map((effect) => Deno.UnsafePointer.value(effect)))];
    const names = addresses.map((_, index) => new TextEncoder().encode(`effect_${index}\0`));
    const outputNodes = outputs.map((id) => outputOf(this.#node(id)));
    const fn = symbols.TF_GraphToFunctionWithControlOutputs(
      this.#graph,
      this.tensorflow.cString(name),
      0,
      -1,
      null,
      this.#parameters.length,
      joined(this.#parameters),
      outputNodes.length,
      joined(outputNodes),
      null,
      names.length,
      BigUint64Array.from(addresses),
      pointerList(names).pointers,
      null,
      null,
      status,
    );
    this.tensorflow.check("Cannot make a function of the recording");
    try {
      symbols.TFE_ContextAddFunction(context, fn, status);
      this.tensorflow.check("Cannot register the recorded function");
    } finally {
      symbols.TF_DeleteFunction(fn);
    }
  }

  /** Frees the graph; a finished function does not need it. */
  close(): void {
    const graph = this.#graph;
    this.#openGraph = undefined;
    this.tensorflow.symbols.TF_DeleteGraph(graph);
    this.#nodes.clear();
    this.#matrices.clear();
  }

  get #graph(): Deno.PointerObject {
    if (this.#openGraph === undefined) throw new Error("This recording has ended");
    return this.#openGraph;
  }

  #add(
    opName: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    after: Operations = [],
    numOutputs = 1,
  ): TensorMetadata[] {
    const operation = this.#operation(opName, attributes, inputs, after);
    if (numOutputs === 0) this.#sideEffects.push(operation);
    return this.#outputs(operation, opName, numOutputs);
  }

  #operation(
    opName: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    after: Operations,
  ): Deno.PointerObject {
    const { symbols } = this.tensorflow;
    const nodes = inputs.map((id) => this.#node(id, opName));
    const description = this.#describeOperation(opName);
    const parameters = inputArguments(this.tensorflow, this.#graph, opName);
    const lengths = listLengths(opName, parameters, attributes, inputs.length);
    let next = 0;
    parameters.forEach((parameter, index) => {
      const group = nodes.slice(next, next += lengths[index]!).map(outputOf);
      if (parameter.isList) symbols.TF_AddInputList(description, joined(group), group.length);
      else symbols.TF_AddInput(description, group[0]!);
    });
    for (const operation of after) symbols.TF_AddControlInput(description, operation);
    const stated = statedAttributes(parameters, attributes);
    setAttributes(this.tensorflow, "graph", description, opName, stated);
    const operation = this.#finishOperation(description, describeOp(opName, nodes));
    for (const { resource } of nodes) resource?.after.push(operation);
    return operation;
  }

  #describeOperation(opName: string): Deno.PointerObject {
    const name = new TextEncoder().encode(`${opName}_${this.#operations++}\0`);
    const description = this.tensorflow.symbols.TF_NewOperation(
      this.#graph,
      this.tensorflow.cString(opName),
      name,
    );
    return notNull(description, "TF_NewOperation");
  }

  #finishOperation(description: Deno.PointerObject, action: string): Deno.PointerObject {
    const { symbols, status } = this.tensorflow;
    const operation = symbols.TF_FinishOperation(description, status);
    this.tensorflow.check(`Cannot record ${action}`);
    return notNull(operation, "TF_FinishOperation");
  }

  #outputs(operation: Deno.PointerObject, opName: string, count: number): TensorMetadata[] {
    const { symbols, status } = this.tensorflow;
    return Array.from({ length: count }, (_, index) => {
      const output = outputOf({ operation, index });
      const rank = symbols.TF_GraphGetTensorNumDims(this.#graph, output, status);
      this.tensorflow.check(`Cannot read the shape of ${opName}`);
      const dims = new BigInt64Array(Math.max(rank, 0));
      if (rank > 0) {
        symbols.TF_GraphGetTensorShape(this.#graph, output, dims, rank, status);
        this.tensorflow.check(`Cannot read the shape of ${opName}`);
      }
      const shape = Array.from(dims, Number);
      if (rank < 0 || shape.some((size) => size < 0)) {
        throw new TensorFlowError(
          `Cannot record ${opName}`,
          "UNIMPLEMENTED",
          "its result has no shape that is known before it runs; compute it outside the compiled " +
            "function",
        );
      }
      const dtype = symbols.TF_OperationOutputType(output);
      return {
        id: this.#keep({ opName, operation, index, shape, dtype }),
        shape: [...shape],
        dtype,
      };
    });
  }

  #keep(node: Node): number {
    const id = this.#nextId++;
    this.#nodes.set(id, node);
    return id;
  }

  #keepMatrix(matrix: BlockedMatrix): TensorMetadata {
    const id = this.#nextId++;
    this.#matrices.set(id, matrix);
    return { id, shape: [...matrix.blocks.shape], dtype: DataType.FLOAT };
  }

  #shape(id: number): readonly number[] {
    return this.#matrices.get(id)?.blocks.shape ?? this.#node(id).shape;
  }

  #describe(id: number): TensorMetadata {
    const { shape, dtype } = this.#node(id);
    return { id, shape: [...shape], dtype };
  }

  #node(id: number, opName?: string): Node {
    const node = this.#nodes.get(id) ?? this.#wholeMatrix(id);
    if (node === undefined) {
      throw new Error(
        `Cannot record ${opName ?? "a result"}: tensor ${id} is not of this recording`,
      );
    }
    return node;
  }

  /** The node of a matrix in blocks, once an op asks for the whole. */
  #wholeMatrix(id: number): Node | undefined {
    const matrix = this.#matrices.get(id);
    if (matrix === undefined) return undefined;
    const isState = this.#stateMatrices.has(id);
    const whole = matrix.whole();
    const node = { ...this.#node(isState ? this.#inFloat32(whole) : whole), isState };
    this.#nodes.set(id, node);
    return node;
  }
}

/** True for a product that makes the gradient of weights, as tfjs has it. */
function isGradientOfWeights(opName: string, attributes: readonly OpAttribute[]): boolean {
  return GRADIENTS_OF_FILTERS.has(opName) || (opName === "BatchMatMulV2" &&
    attributes.some(({ name, value }) => name === "adj_x" && value === true));
}

/** True if a tensor can be added to one of another shape that keeps its shape. */
function broadcastsTo(shape: readonly number[], other: readonly number[]): boolean {
  const offset = other.length - shape.length;
  return offset >= 0 && shape.every((size, axis) => size === 1 || size === other[offset + axis]);
}

/** The bytes of a `TF_Output` struct. */
function outputOf(
  { operation, index }: Pick<Node, "operation" | "index">,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, Deno.UnsafePointer.value(operation), true);
  view.setInt32(8, index, true);
  return bytes;
}

function joined(structs: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(structs.length * 16);
  structs.forEach((struct, index) => bytes.set(struct, index * 16));
  return bytes;
}

/** Equal for constants that are the same to the bit; none for large ones and texts. */
function constantKey(
  shape: readonly number[],
  dtype: number,
  values: HostValues,
): string | undefined {
  if (!ArrayBuffer.isView(values) || values.byteLength > COMPARED_BYTES) return undefined;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return `${dtype}[${shape}]${bytes.toHex()}`;
}
