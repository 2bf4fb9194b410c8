/**
 * Weights into a model, from memory or from a file one tensor at a time.
 *
 * @module
 */

import { openCheckpoint } from "./open_checkpoint.ts";
import { matchStateDict, type StateDict, type StateTensor } from "./state_dict.ts";

/** What takes weights: a model or a part of one. */
export interface WeightTarget {
  /** Its name in errors. */
  readonly title: string;
  /** The shapes it needs by PyTorch's names, in PyTorch's layouts. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Shapes that {@linkcode WeightTarget.assign} takes as well. */
  readonly otherShapes?: ReadonlyMap<string, readonly number[]>;
  /** Names that the weights may have and that are left out. */
  readonly ignored?: readonly string[];
  /** Takes one of the tensors named in `shapes`. */
  assign(name: string, tensor: StateTensor): void;
}

/**
 * Loads a state dict. Nothing is changed unless all of it fits.
 *
 * @throws {StudyError} If names are missing, unknown or of another shape; all are listed.
 */
export function loadWeights(state: StateDict, target: WeightTarget): void {
  checkWeights(state, target, target.title);
  for (const name of target.shapes.keys()) target.assign(name, state.get(name)!);
}

/**
 * Loads a checkpoint file, reading one tensor at a time, so that its size is not needed twice.
 *
 * Names and shapes are checked before the first tensor is read.
 *
 * @param path A `.pth` or `.safetensors` file.
 * @throws {StudyError} If the file is damaged or does not fit; see {@linkcode loadWeights}.
 */
export async function loadWeightsFile(path: string, target: WeightTarget): Promise<void> {
  using checkpoint = await openCheckpoint(path);
  const found = new Map(checkpoint.names().map((name) => [name, checkpoint.describe(name)]));
  checkWeights(found, target, `${target.title} (${path})`);
  for (const name of target.shapes.keys()) target.assign(name, await checkpoint.read(name));
}

function checkWeights(
  found: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  { shapes, otherShapes, ignored = [] }: WeightTarget,
  what: string,
): void {
  const relevant = new Map([...found].filter(([name]) => !ignored.includes(name)));
  const expected = new Map([...shapes].map(([name, shape]) => {
    const other = otherShapes?.get(name);
    return [name, other && String(other) === String(found.get(name)?.shape) ? other : shape];
  }));
  matchStateDict(relevant, expected, { what });
}
