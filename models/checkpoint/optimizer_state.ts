/**
 * What an optimiser has of each parameter, beside a model's parameters in one checkpoint, as the suite's
 * training runs keep it: a state of its own, which no model takes for weights.
 *
 * @module
 */

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
