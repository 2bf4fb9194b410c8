/**
 * A checkpoint's names without what training tools put around them.
 *
 * `torch.nn.DataParallel` and `DistributedDataParallel` wrap a model or a part of it as `module`,
 * `torch.compile` as `_orig_mod`; Lightning and others keep it as `model` or `net` of something larger.
 * The weights are the same.
 *
 * @module
 */

import { type Misfit, quoted } from "./state_dict.ts";

/** Parts of names that only say how a model was wrapped, wherever they stand. */
const WRAPPERS = ["module", "_orig_mod"];

/** Most parts that are taken off where all names begin with them. */
const MAX_COMMON_PARTS = 4;

/** A checkpoint's entries under names with something taken off. */
export interface Unwrapped<T> {
  readonly entries: ReadonlyMap<string, T>;
  /** What was taken off, in words, such as `"module."`; the empty string if nothing. */
  readonly removed: string;
}

/**
 * The ways in which names may have been wrapped: not at all, by wrappers, and by one, two or more parts
 * that all names begin with. Two entries never get the same name.
 */
export function* unwrappings<T>(found: ReadonlyMap<string, T>): Generator<Unwrapped<T>> {
  yield { entries: found, removed: "" };
  let names = [...found.keys()].map((name) => name.split("."));
  const isWrapper = (part: string, index: number, { length }: readonly string[]) =>
    index < length - 1 && WRAPPERS.includes(part);
  const removed = WRAPPERS.filter((wrapper) =>
    names.some((parts) => parts.some((part, i) => part === wrapper && isWrapper(part, i, parts)))
  );
  const renamed = () => {
    const values = [...found.values()];
    const entries = new Map(names.map((parts, i) => [parts.join("."), values[i]!]));
    return { entries, removed: removed.map((part) => quoted(`${part}.`)).join(" and ") };
  };
  if (removed.length > 0) {
    names = names.map((parts) => parts.filter((part, i) => !isWrapper(part, i, parts)));
    const unwrapped = renamed();
    if (unwrapped.entries.size < found.size) return;
    yield unwrapped;
  }
  for (let i = 0; i < MAX_COMMON_PARTS; i++) {
    const first = names[0]?.[0];
    if (first === undefined || !names.every((parts) => parts.length > 1 && parts[0] === first)) {
      return;
    }
    names = names.map((parts) => parts.slice(1));
    removed.push(first);
    yield renamed();
  }
}

/**
 * Takes off the names what lets them fit a model exactly; nothing if they fit as they are.
 *
 * @param misfitOf How entries differ from what the model has.
 * @returns The first way that fits, or else the one that is nearest to it.
 */
export function unwrap<T>(
  found: ReadonlyMap<string, T>,
  misfitOf: (entries: ReadonlyMap<string, T>) => Misfit,
): Unwrapped<T> & { misfit: Misfit } {
  let nearest: Unwrapped<T> & { misfit: Misfit } | undefined;
  for (const unwrapped of unwrappings(found)) {
    const misfit = misfitOf(unwrapped.entries);
    if (nearest === undefined || faults(misfit) < faults(nearest.misfit)) {
      nearest = { ...unwrapped, misfit };
    }
    if (faults(misfit) === 0) break;
  }
  return nearest!;
}

function faults({ missing, extra, misshapen }: Misfit): number {
  return missing.length + extra.length + misshapen.length;
}
