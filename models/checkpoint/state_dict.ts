/**
 * Checkpoints: a model's tensors read from what PyTorch and safetensors write, and saved for them.
 *
 * ```ts
 * import { loadCheckpoint, saveCheckpoint } from "./state_dict.ts";
 *
 * const sd = await loadCheckpoint("vgg16.pth");
 * sd.get("classifier.6.weight")?.shape; // [1000, 4096]
 * await saveCheckpoint("vgg16.safetensors", sd);
 * ```
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { indexTorchStream, indexTorchZip } from "./checkpoint_pth.ts";
import { FileBytes, quoted } from "./file_bytes.ts";
import { SAVE_AGAIN } from "./pickle.ts";
import { indexSafetensors } from "./safetensors.ts";
import {
  byteWidth,
  type DType,
  elementCount,
  type StateDict,
  type StateTensor,
} from "./state_tensor.ts";
import { type CheckpointIndex, elementSpan, readStoredTensor } from "./stored_tensor.ts";

export { saveCheckpoint } from "./safetensors.ts";
export { toFloat32 } from "./state_tensor.ts";
export type { DType, StateDict, StateTensor, TypedArray } from "./state_tensor.ts";

/** A checkpoint open for reading one tensor at a time. */
export interface Checkpoint extends Disposable {
  /** How the file is written. */
  readonly format: "torch-zip" | "torch-stream" | "safetensors";
  /** The notes that a safetensors file carries; empty for the others. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensors' names in the file's order. */
  names(): string[];
  /** A tensor's dtype and shape, without reading it. */
  describe(name: string): { dtype: DType; shape: readonly number[] };
  /** Reads one tensor. Each call gives a copy of its own, also of tensors that share a storage. */
  read(name: string): Promise<StateTensor>;
  /** Closes the file. */
  close(): void;
}

/**
 * Opens a checkpoint: `.pth` in either of torch's forms, or `.safetensors`, told apart by content.
 *
 * A `.pth` must hold a dict of tensors, or a dict with such a dict under `state_dict` or `model`, as
 * training scripts write. Nothing in the file is executed, and what it claims is checked against its
 * size before memory is taken: all its tensors together may be at most four times as large as the
 * file, and 16 MiB (tensors may repeat or share elements).
 *
 * @param path File to open.
 * @throws {StudyError} One line that says what is wrong with the file.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const file = await FileBytes.open(path);
  try {
    const format = formatOf(file);
    const { tensors, metadata } = INDEXERS[format](file);
    refuseInflated(file, tensors);
    const stored = (name: string) => {
      const found = tensors.get(name);
      if (found === undefined) throw new StudyError(`${path} has no tensor ${quoted(name)}`);
      return found;
    };
    const close = () => file.close();
    return {
      format,
      metadata,
      names: () => [...tensors.keys()],
      describe: (name) => ({ dtype: stored(name).dtype, shape: stored(name).shape }),
      // Async, so that an error is a rejection.
      // deno-lint-ignore require-await
      read: async (name) => readStoredTensor(file, name, stored(name)),
      close,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Reads a whole checkpoint, one tensor after the other. See {@linkcode openCheckpoint}.
 *
 * @param path A `.pth` or `.safetensors` file.
 * @returns Its tensors in the file's order.
 * @throws {StudyError} One line that says what is wrong with the file.
 */
export async function loadCheckpoint(path: string): Promise<StateDict> {
  using checkpoint = await openCheckpoint(path);
  const sd: StateDict = new Map();
  for (const name of checkpoint.names()) sd.set(name, await checkpoint.read(name));
  return sd;
}

/**
 * Holds a state dict to the names and shapes that a model has.
 *
 * @param sd State dict to check, of which only names and shapes count.
 * @param expected The model's shapes by name.
 * @param options `what` names the model in the error.
 * @throws {StudyError} One line with the missing, the extra and the misshapen names, the first ten of
 * each.
 */
export function matchStateDict(
  sd: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  expected: ReadonlyMap<string, readonly number[]>,
  options: { what: string },
): void {
  const missing = [...expected.keys()].filter((name) => !sd.has(name));
  const extra = [...sd.keys()].filter((name) => !expected.has(name)).map(quoted);
  const misshapen: string[] = [];
  for (const [name, shape] of expected) {
    const found = sd.get(name)?.shape;
    if (found !== undefined && String(found) !== String(shape)) {
      misshapen.push(`${name} [${found}] instead of [${shape}]`);
    }
  }
  const faults = [
    listed("missing", missing),
    listed("not in the model", extra),
    listed("of another shape", misshapen),
  ].filter((fault) => fault !== "");
  if (faults.length > 0) {
    throw new StudyError(
      `The weights do not fit ${options.what}: ${faults.join("; ")}; give weights of this model`,
    );
  }
}

function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > 10 ? `, … ${names.length - 10} more` : "";
  return `${names.length} ${what} (${names.slice(0, 10).join(", ")}${more})`;
}

const INDEXERS = {
  "torch-zip": indexTorchZip,
  "torch-stream": indexTorchStream,
  "safetensors": indexSafetensors,
} as const satisfies Record<Checkpoint["format"], (file: FileBytes) => CheckpointIndex>;

function formatOf(file: FileBytes): Checkpoint["format"] {
  const head = file.read(0, Math.min(file.size, 512));
  const text = new TextDecoder("latin1").decode(head);
  if (text[8] === "{") return "safetensors";
  if (text.startsWith("PK")) return "torch-zip";
  if (head[0] === 0x80) return "torch-stream";
  if (text.slice(257, 262) === "ustar") {
    file.refuse("it has the tar form of the first PyTorch versions", `in PyTorch, ${SAVE_AGAIN}`);
  }
  const start = text === "" ? "is empty" : `begins with ${quoted(text.slice(0, 16))}`;
  file.refuse(`it ${start}, unlike any .pth or .safetensors file`, "fetch or save it again");
}

/** Refuses tensors that claim far more memory, repeated or shared elements, than the file has. */
function refuseInflated(file: FileBytes, tensors: CheckpointIndex["tensors"]): void {
  const limit = 4 * file.size + (1 << 24);
  let bytes = 0;
  for (const { dtype, shape, strides } of tensors.values()) {
    bytes += Math.max(elementCount(shape), elementSpan(shape, strides)) * byteWidth(dtype);
  }
  if (bytes > limit) {
    file.refuse(`its tensors would take ${bytes} bytes, from a file of ${file.size}`, SAVE_AGAIN);
  }
}
