/**
 * What a model took from a checkpoint, and what stays as it was initialised.
 *
 * @module
 */

import { isFeature } from "./checkpoint/features_sha256.ts";

/** PyTorch's names of layers, in the model's order. */
export interface LoadedLayers {
  /** Layers that the checkpoint had. */
  readonly taken: readonly string[];
  /** Layers that stay as they were initialised. */
  readonly initialized: readonly string[];
  /** What was taken off the checkpoint's names, such as `"module."`; empty if nothing. */
  readonly removed?: string;
}

/**
 * Says it in a line: `AlexNet: 5 convolutions from a.safetensors; classifier.1, classifier.4 and
 * classifier.6 new from seed 1`. Behind the file stands what was taken off its names.
 *
 * @param options `title` is the model's, `source` the checkpoint's, `seed` that of the new layers.
 */
export function describeLoadedLayers(
  { taken, initialized, removed = "" }: LoadedLayers,
  { title, source, seed }: { title: string; source: string; seed: number },
): string {
  const rest = initialized.length === 0 ? "" : `; ${listed(initialized)} new from seed ${seed}`;
  const names = removed === "" ? "" : ` (${removed} taken off its names)`;
  return `${title}: ${listed(taken)} from ${source}${names}${rest}`;
}

function listed(layers: readonly string[]): string {
  const convolutions = layers.filter(isFeature).length;
  const items = [
    ...(convolutions > 0 ? [`${convolutions} convolutions`] : []),
    ...layers.filter((name) => !isFeature(name)),
  ];
  const last = items.pop();
  return items.length === 0 ? `${last}` : `${items.join(", ")} and ${last}`;
}
