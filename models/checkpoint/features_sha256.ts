/**
 * The identity of a network's convolutions, whatever file they come in.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { toFloat32 } from "./state_dict.ts";
import type { Checkpoint } from "./stored_tensor.ts";

/** Whether torchvision's name of a layer or a parameter is one of the convolutions'. */
export function isFeature(name: string): boolean {
  return name.startsWith("features.");
}

/**
 * SHA-256 of a checkpoint's tensors named `features.*`: in the order of their names, of each its name
 * and shape as `features.0.weight 64 3 11 11` with a line feed, then its elements as little-endian
 * float32. One tensor is in memory at a time.
 *
 * @returns Lower-case hexadecimal; the empty string if there are no such tensors.
 */
export async function featuresSha256(
  { names, read }: Pick<Checkpoint, "names" | "read">,
): Promise<string> {
  const features = names().filter(isFeature).sort();
  if (features.length === 0) return "";
  const hash = createHash("sha256");
  for (const name of features) {
    const tensor = await read(name);
    const { buffer, byteOffset, byteLength } = toFloat32(tensor);
    hash.update(`${[name, ...tensor.shape].join(" ")}\n`);
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}
