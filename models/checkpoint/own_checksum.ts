/**
 * The checksum that a training run's checkpoint carries in its notes: of what they say of the run and of
 * every tensor, the optimiser's included.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { sha256Hex } from "../../io/sha256.ts";
import type { FileBytes } from "./file_bytes.ts";
import { byteWidth, type DType, elementCount } from "./state_dict.ts";
import type { CheckpointIndex } from "./stored_tensor.ts";

/** Key in the file's notes of what they say of the run. */
export const TRAINING_NOTE = "training";

/** Key in the file's notes of the checksum. */
export const CHECKSUM_NOTE = "sha256";

/** Most bytes of a tensor held while they are summed. */
const PIECE_BYTES = 1 << 20;

/**
 * The checksum, in whatever order tensors were summed.
 *
 * @param training What the notes say of the run.
 * @param sums {@linkcode describeSum} of each tensor, by name.
 */
export function ownChecksum(training: string, sums: ReadonlyMap<string, string>): string {
  const lines = [...sums].map(([key, sum]) => `${key} ${sum}\n`).sort();
  return sha256Hex(new TextEncoder().encode([training, "\n", ...lines].join("")));
}

/** What a tensor adds to the checksum of a checkpoint. */
export function describeSum(dtype: DType, sha256: string): string {
  return `${dtype} ${sha256}`;
}

/**
 * Compares a file with the checksum in its own notes, a part in memory at a time. Files of others have
 * none, nor do those of earlier versions.
 *
 * @throws {StudyError} If they differ.
 */
export function compareOwnChecksum(file: FileBytes, { tensors, metadata }: CheckpointIndex): void {
  const { [TRAINING_NOTE]: training, [CHECKSUM_NOTE]: expected } = metadata;
  if (training === undefined || expected === undefined) return;
  const piece = new Uint8Array(PIECE_BYTES);
  const sums = new Map([...tensors].map(([name, { dtype, shape, position }]) => {
    const hash = createHash("sha256");
    const end = position + elementCount(shape) * byteWidth(dtype);
    for (let at = position; at < end; at += PIECE_BYTES) {
      const part = piece.subarray(0, Math.min(PIECE_BYTES, end - at));
      file.readInto(part, at);
      hash.update(part);
    }
    return [name, describeSum(dtype, hash.digest("hex"))];
  }));
  if (ownChecksum(training, sums) === expected) return;
  file.refuse(
    "its tensors or notes are not what its own checksum is of",
    "the file is damaged: restore it from a copy, or make the run again",
  );
}
