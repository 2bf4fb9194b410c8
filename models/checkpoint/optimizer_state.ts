/**
 * Adam's moments beside a model's parameters in one checkpoint, as the suite's training runs keep them:
 * a state of their own, which no model takes for weights.
 *
 * @module
 */

/** What stands before a parameter's name: first and second moment. */
export const MOMENT_PREFIXES = { m: "optimizer.exp_avg.", v: "optimizer.exp_avg_sq." } as const;

/** Whether a tensor is a moment of another in the same checkpoint. */
export function isMoment(name: string, has: (name: string) => boolean): boolean {
  return Object.values(MOMENT_PREFIXES).some((prefix) =>
    name.startsWith(prefix) && has(name.slice(prefix.length))
  );
}

/** A checkpoint's entries without moments. */
export function withoutMoments<T>(entries: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const kept = [...entries].filter(([name]) => !isMoment(name, (other) => entries.has(other)));
  return kept.length === entries.size ? entries : new Map(kept);
}
