/**
 * Event files for TensorBoard, written by TensorFlow's own summary ops.
 *
 * @module
 */

import type { SummaryWriter } from "../backend.ts";
import { attribute, type OpAttribute } from "./attributes.ts";
import { DataType } from "./c_enums.ts";
import type { EagerBinding } from "./eager_binding.ts";
import type { HostValues } from "./host_tensor.ts";

/** Summaries that may wait to be written; a hundred steps yield some hundred at once. */
const MAX_QUEUE = 10_000;

/** The oldest waits no longer than until the first summary after so many milliseconds. */
const FLUSH_MILLIS = 1000;

/** By this ending TensorBoard's own writers mark files of TensorFlow 2. */
const FILE_SUFFIX = ".v2";

/**
 * Begins an event file in a folder.
 *
 * @throws {TensorFlowError} If it cannot be made there.
 */
export function openSummaryWriter(eager: EagerBinding, folder: string): SummaryWriter {
  const [resource] = eager.executeOp(
    "SummaryWriter",
    [
      // Writers of one name would share one file.
      attribute.string("shared_name", crypto.randomUUID()),
      attribute.string("container", ""),
    ],
    [],
    1,
  );
  const writer = new TensorFlowSummaryWriter(eager, resource!.id);
  try {
    writer.create(folder);
  } catch (error) {
    eager.deleteTensor(resource!.id);
    throw error;
  }
  return writer;
}

/** One input of an op: shape, `TF_DataType` and values. */
type Input = readonly [shape: readonly number[], dtype: number, values: HostValues];

class TensorFlowSummaryWriter implements SummaryWriter {
  readonly #eager: EagerBinding;
  /** Eager id of the writer's handle, owned; `undefined` once it is closed. */
  #resource: number | undefined;

  constructor(eager: EagerBinding, resource: number) {
    this.#eager = eager;
    this.#resource = resource;
  }

  create(folder: string): void {
    this.#run("CreateSummaryFileWriter", [], [
      text(folder),
      int32(MAX_QUEUE),
      int32(FLUSH_MILLIS),
      text(FILE_SUFFIX),
    ]);
  }

  scalar(tag: string, step: number, value: number): void {
    const attributes = [attribute.type("T", DataType.FLOAT)];
    const number: Input = [[], DataType.FLOAT, Float32Array.of(value)];
    this.#run("WriteScalarSummary", attributes, [int64(step), text(tag), number]);
  }

  image(tag: string, step: number, image: Parameters<SummaryWriter["image"]>[2]): void {
    const { width, height, pixels } = image;
    this.#run("WriteImageSummary", [
      attribute.type("T", DataType.UINT8),
      attribute.int("max_images", 1),
    ], [
      int64(step),
      text(tag),
      [[1, height, width, 1], DataType.UINT8, pixels],
      // The colour of what is no number, which 8-bit pixels never are.
      [[1], DataType.UINT8, new Uint8Array(1)],
    ]);
  }

  flush(): void {
    this.#run("FlushSummaryWriter", [], []);
  }

  [Symbol.dispose](): void {
    if (this.#resource === undefined) return;
    const resource = this.#resource;
    // It went with its engine.
    if (!this.#eager.has(resource)) {
      this.#resource = undefined;
      return;
    }
    try {
      this.#run("CloseSummaryWriter", [], []);
    } finally {
      this.#resource = undefined;
      this.#eager.deleteTensor(resource);
    }
  }

  /** Runs an op on the writer and tensors of these values, which are freed again. */
  #run(opName: string, attributes: readonly OpAttribute[], inputs: readonly Input[]): void {
    if (this.#resource === undefined) {
      throw new Error(`Cannot run ${opName}: the summary writer is closed`);
    }
    const made: number[] = [];
    try {
      for (const [shape, dtype, values] of inputs) {
        made.push(this.#eager.createTensor([...shape], dtype, values));
      }
      this.#eager.executeOp(opName, attributes, [this.#resource, ...made], 0);
    } finally {
      for (const id of made) this.#eager.deleteTensor(id);
    }
  }
}

function text(value: string): Input {
  return [[], DataType.STRING, [new TextEncoder().encode(value)]];
}

function int32(value: number): Input {
  return [[], DataType.INT32, Int32Array.of(value)];
}

function int64(value: number): Input {
  return [[], DataType.INT64, BigInt64Array.of(BigInt(value))];
}
