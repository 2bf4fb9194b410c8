/**
 * Checkpoints of any format: a model's tensors read from what PyTorch and safetensors write.
 *
 * ```ts
 * import { loadCheckpoint } from "./open_checkpoint.ts";
 * import { saveCheckpoint } from "./safetensors.ts";
 *
 * const sd = await loadCheckpoint("vgg16.pth");
 * sd.get("classifier.6.weight")?.shape; // [1000, 4096]
 * await saveCheckpoint("vgg16.safetensors", sd);
 * ```
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { FileBytes } from "./file_bytes.ts";
import { refuseForeignFormat } from "./foreign_formats.ts";
import { compareOwnChecksum } from "./own_checksum.ts";
import { SAVE_AGAIN } from "./pickle.ts";
import { indexSafetensors } from "./safetensors.ts";
import { byteWidth, elementCount, type StateDict } from "./state_dict.ts";
import {
  type Checkpoint,
  type CheckpointIndex,
  elementSpan,
  readCheckpoint,
} from "./stored_tensor.ts";
import { indexTorchStream, indexTorchZip } from "./torch_file.ts";

/**
 * Opens a checkpoint: `.pth` in either of torch's forms, or `.safetensors`, recognised by content.
 *
 * A `.pth` must hold a dict of tensors, a dict with such a dict under `state_dict` or `model`, as
 * training scripts write, or one with a single such dict under another name that is no optimiser's.
 * What else it holds is left alone. Nothing in the file is executed, a `.pth`'s checksums are compared
 * as tensors are read and that of a training run's `.safetensors` before the first one is, and what it
 * claims is checked against its size before memory is taken: all its tensors together may be at most
 * four times as large as the file, and 16 MiB (tensors may repeat or share elements).
 *
 * @param path File to open.
 * @throws {StudyError} One line that says what is wrong with the file.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  return await readCheckpoint(path, (file) => {
    const format = formatOf(file);
    const index = INDEXERS[format](file);
    refuseInflated(file, index.tensors);
    return { format, ...index, check: () => compareOwnChecksum(file, index) };
  });
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

const INDEXERS = {
  "torch-zip": indexTorchZip,
  "torch-stream": indexTorchStream,
  "safetensors": indexSafetensors,
} as const satisfies Record<Checkpoint["format"], (file: FileBytes) => CheckpointIndex>;

function formatOf(file: FileBytes): Checkpoint["format"] {
  const head = file.read(0, Math.min(file.size, 512));
  const text = Buffer.from(head.buffer).toString("latin1");
  if (text[8] === "{") return "safetensors";
  if (text.startsWith("PK")) return "torch-zip";
  if (head[0] === 0x80) return "torch-stream";
  refuseForeignFormat(file, text);
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
