/**
 * What an optimiser has of each parameter, beside a model's parameters in one checkpoint, as the suite's
 * training runs keep it: a state of its own, which no model takes for weights.
 *
 * @module
 */

import { TRAINING_NOTE } from "./own_checksum.ts";

/**
 * What stands before a parameter's name: Adam's first and second moment, Muon's running mean of the
 * gradient, and the running mean of the parameter itself.
 */
export const MOMENT_PREFIXES = {
  m: "optimizer.exp_avg.",
  v: "optimizer.exp_avg_sq.",
  momentum: "optimizer.momentum_buffer.",
  average: "optimizer.average.",
} as const;

/** Whether a tensor is the state of another in the same checkpoint. */
export function isMoment(name: string, has: (name: string) => boolean): boolean {
  return Object.values(MOMENT_PREFIXES).some((prefix) =>
    name.startsWith(prefix) && has(name.slice(prefix.length))
  );
}

/** A checkpoint's entries without an optimiser's state. */
export function withoutMoments<T>(entries: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const kept = [...entries].filter(([name]) => !isMoment(name, (other) => entries.has(other)));
  return kept.length === entries.size ? entries : new Map(kept);
}

/**
 * A checkpoint's entries with the running mean of each parameter in that one's place, where a run that
 * makes one has not come to its end: it is the mean that such a run tests. At the end, the parameters are it.
 *
 * @param notes What the checkpoint says of itself.
 */
export function withTestedMeans<T>(
  entries: ReadonlyMap<string, T>,
  notes: Readonly<Record<string, string>>,
): ReadonlyMap<string, T> {
  if (!testsMeans(notes)) return entries;
  return new Map(
    [...entries].map(([name, entry]) => [
      name,
      entries.get(MOMENT_PREFIXES.average + name) ?? entry,
    ]),
  );
}

/** Whether the notes are of a run that has made a mean and is to train on without it. */
function testsMeans({ [TRAINING_NOTE]: training = "" }: Readonly<Record<string, string>>): boolean {
  try {
    const { settings, history, step } = JSON.parse(training);
    const { average } = JSON.parse(settings.recipe);
    return history.length < settings.epochs && step >= average.every;
  } catch {
    // Most files are of no run, and most runs make none.
    return false;
  }
}
