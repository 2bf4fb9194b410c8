/**
 * Weights into a model, from memory or from a file one tensor at a time.
 *
 * @module
 */

import { openCheckpoint } from "./open_checkpoint.ts";
import { withoutMoments, withTestedMeans } from "./optimizer_state.ts";
import {
  type DType,
  findMisfit,
  refuseMisfit,
  type StateDict,
  type StateTensor,
} from "./state_dict.ts";
import { requireFloats, requireUsable } from "./usable_weights.ts";
import { unwrap, type Unwrapped } from "./wrapped_names.ts";

/** What a model, or a part of one, needs of a checkpoint. */
export interface ExpectedWeights {
  /** The model's name in errors. */
  readonly title: string;
  /** The shapes it needs by PyTorch's names, in PyTorch's layouts. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Shapes that are taken as well. */
  readonly otherShapes?: ReadonlyMap<string, readonly number[]>;
  /** Names that the weights may have and that are left out. */
  readonly ignored?: readonly string[];
}

/** A model or a part of one, which takes weights. */
export interface WeightTarget extends ExpectedWeights {
  /** Takes one of the tensors named in `shapes`. */
  assign(name: string, tensor: StateTensor): void;
}

/** Which weights were taken. */
export interface TakenWeights {
  /** PyTorch's names of them. */
  readonly names: ReadonlySet<string>;
  /** What was taken off the names in the checkpoint; see {@linkcode Unwrapped}. */
  readonly removed: string;
}

/**
 * Loads a state dict, whose names may be wrapped ({@linkcode unwrap}). Nothing is changed unless all
 * of it fits.
 *
 * @param targetFor What takes weights of these names.
 * @param path The file that they are from, for errors.
 * @throws {StudyError} If names are missing, unknown or of another shape, of which the first ten of
 *   each kind are named, or a weight is of no floating-point dtype, has not as many values as its
 *   shape, or is not finite as float32.
 */
export function loadWeights(
  state: StateDict,
  targetFor: (names: readonly string[]) => WeightTarget,
  path?: string,
): TakenWeights {
  const { entries, expected: target, removed } = requireFit(state, targetFor, path);
  const source = path ?? target.title;
  for (const name of target.shapes.keys()) requireUsable(name, entries.get(name)!, source);
  for (const name of target.shapes.keys()) target.assign(name, entries.get(name)!);
  return { names: new Set(target.shapes.keys()), removed };
}

/**
 * Loads a checkpoint file, reading one tensor at a time, so that its size is not needed twice. All are
 * read and checked before the first is taken: nothing is changed unless all of them fit.
 *
 * Names, shapes and dtypes are checked before the first tensor is read, values as they are. Of a run that
 * has not come to its end it is the weights that it tests, which may be means.
 *
 * @param path A `.pth` or `.safetensors` file.
 * @param targetFor What takes weights of these names; without `assign` they are only checked.
 * @throws {StudyError} If the file is damaged or does not fit; see {@linkcode loadWeights}.
 */
export async function loadWeightsFile(
  path: string,
  targetFor: (names: readonly string[]) => ExpectedWeights & Partial<WeightTarget>,
): Promise<TakenWeights & { areMeans: boolean }> {
  using checkpoint = await openCheckpoint(path);
  const all = new Map(
    checkpoint.names().map((key) => [key, { ...checkpoint.describe(key), key }]),
  );
  const found = withTestedMeans(all, checkpoint.metadata);
  const { entries, expected: target, removed } = requireFit(found, targetFor, path);
  const names = [...target.shapes.keys()];
  const read = (name: string) => checkpoint.read(entries.get(name)!.key);
  for (const name of names) requireUsable(name, await read(name), path);
  if (target.assign !== undefined) {
    for (const name of names) target.assign(name, await read(name));
  }
  return { names: new Set(names), removed, areMeans: found !== all };
}

interface Shaped {
  readonly shape: readonly number[];
}

/**
 * Compares a checkpoint's names and shapes, without what wraps the names and without an optimiser's
 * moments, with what a model needs.
 *
 * @param expectedFor What is needed of a checkpoint with these names.
 */
export function fitWeights<T extends Shaped, E extends ExpectedWeights>(
  found: ReadonlyMap<string, T>,
  expectedFor: (names: readonly string[]) => E,
): ReturnType<typeof unwrap<T>> & { expected: E } {
  const expectedOf = (entries: ReadonlyMap<string, T>) => expectedFor([...entries.keys()]);
  const unwrapped = unwrap(
    withoutMoments(found),
    (entries) => misfitOf(entries, expectedOf(entries)),
  );
  return { ...unwrapped, expected: expectedOf(unwrapped.entries) };
}

function requireFit<T extends Shaped & { readonly dtype: DType }, E extends ExpectedWeights>(
  found: ReadonlyMap<string, T>,
  expectedFor: (names: readonly string[]) => E,
  path?: string,
): Unwrapped<T> & { expected: E } {
  const fit = fitWeights(found, expectedFor);
  const { expected: { title, shapes }, entries, misfit, removed } = fit;
  const notes = [...(path === undefined ? [] : [path]), ...(removed ? [`without ${removed}`] : [])];
  refuseMisfit(misfit, { what: notes.length === 0 ? title : `${title} (${notes.join(", ")})` });
  requireFloats(entries, shapes.keys(), path ?? title);
  return fit;
}

function misfitOf(
  found: ReadonlyMap<string, Shaped>,
  { shapes, otherShapes, ignored = [] }: ExpectedWeights,
) {
  const relevant = new Map([...found].filter(([name]) => !ignored.includes(name)));
  const expected = new Map([...shapes].map(([name, shape]) => {
    const other = otherShapes?.get(name);
    return [name, other && String(other) === String(found.get(name)?.shape) ? other : shape];
  }));
  return findMisfit(relevant, expected);
}
