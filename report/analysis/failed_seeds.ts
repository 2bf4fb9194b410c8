/**
 * Seeds of which no run has a result that counts in place of what failed: without them a mean would be over
 * the seeds that went well.
 *
 * @module
 */

import type { FailedSeeds, ModelComparison } from "./comparison.ts";
import {
  describeStop,
  mayBeOf,
  type ResultRow,
  saysLess,
  settingKey,
} from "../record/result_row.ts";

/**
 * Which seeds of a model failed, and have no later ok run that came as far, by their settings.
 *
 * @param rows The model's runs, oldest first.
 * @param settings The newest ok run of each of its settings; one that may be of several is of the first.
 */
export function findFailedSeeds(
  rows: readonly ResultRow[],
  settings: readonly ResultRow[],
): FailedSeeds[] {
  const places = new Map(rows.map((row, place) => [row, place]));
  const ok = rows.filter(({ status }) => status === "ok");
  const seedsOf = Map.groupBy(ok, settingKey);
  const settingsFor = finderAmong(settings);
  const runsFor = new Map(
    [...Map.groupBy(ok, ({ seed }) => seed)].map(([seed, runs]) => [seed, finderAmong(runs)]),
  );
  const bySetting = Map.groupBy(
    rows.filter(({ status }) => status !== "ok"),
    (row) => settingsFor(row)[0] ?? keyOf(row),
  );
  return [...bySetting].flatMap(([setting, stopped]) => {
    const [key, runs] = typeof setting === "string"
      ? [setting, []]
      : [keyOf(setting), seedsOf.get(settingKey(setting)) ?? []];
    const seeds = new Set(runs.map(({ seed }) => seed));
    // One that was interrupted, or never came to its data or weights, says nothing of the seed.
    const isFailure = (row: ResultRow) => row.status === "error" && keyOf(row) === key;
    const failed = [...Map.groupBy(stopped, ({ seed }) => seed)].flatMap(([seed, ofSeed]) => {
      const row = ofSeed.findLast(isFailure) ?? ofSeed.at(-1)!;
      const others = runsFor.get(seed)?.(row) ?? [];
      const isMadeUp = others.some((other) =>
        !isFailure(row) || places.get(other)! > places.get(row)!
      );
      return isMadeUp ? [] : [{ row, hasResult: seeds.has(seed) }];
    });
    if (failed.length === 0) return [];
    return [{
      setting: typeof setting === "string" ? { ...failed[0]!.row, epochs: null } : setting,
      seeds: new Set([...seeds, ...failed.map(({ row }) => row.seed)]).size,
      failed,
    }];
  });
}

/** Finds among ok runs those whose setting a run may be of that did not end well. */
function finderAmong(ok: readonly ResultRow[]): (stopped: ResultRow) => ResultRow[] {
  const byKey = Map.groupBy(ok, keyOf);
  return (stopped) => {
    // Only a row that lacks some of its setting is held against all.
    const some = byKey.get(keyOf(stopped)) ?? (saysLess(stopped, ok[0]) ? ok : []);
    return some.filter((row) => mayBeOf(stopped, row));
  };
}

/** Equal for two runs of one setting, whatever epochs they came to. */
function keyOf(row: ResultRow): string {
  return settingKey({ ...row, epochs: row.epochs && 0 });
}

/** Those of the setting shown; `undefined` where none failed. */
export function failedOfShown(
  { failedSeeds, settings: [shown] }: Pick<ModelComparison, "failedSeeds" | "settings">,
): FailedSeeds | undefined {
  return failedSeeds.find(({ setting }) => setting === shown?.newest);
}

/** Of many seeds, how many are named. */
const SEEDS_NAMED = 12;

/** `1 of 10 seeds failed: 4 (the loss is not finite)`. */
export function describeFailedSeeds({ seeds, failed }: FailedSeeds): string {
  const has = (status: ResultRow["status"]) => failed.some(({ row }) => row.status === status);
  const how = [
    has("error") ? "failed" : "",
    has("interrupted") ? "did not finish" : "",
  ].filter((word) => word !== "").join(" or ");
  const named = namedSeeds({ failed });
  const reasons = [...Map.groupBy(named, reasonOf)].map(([reason, ofReason]) =>
    ofReason.map(({ row }) => row.seed ?? "unknown").join(", ") + (reason && ` (${reason})`)
  );
  const more = failed.length - named.length;
  return `${failed.length} of ${seeds} seed${seeds === 1 ? "" : "s"} ${how}: ` +
    reasons.join("; ") + (more > 0 ? ` and ${more} more` : "");
}

/** Of the seeds those that are named. */
export function namedSeeds({ failed }: Pick<FailedSeeds, "failed">): FailedSeeds["failed"] {
  return failed.toSorted((a, b) => (a.row.seed ?? Infinity) - (b.row.seed ?? Infinity))
    .slice(0, SEEDS_NAMED);
}

function reasonOf({ row, hasResult }: FailedSeeds["failed"][number]): string {
  return [describeStop(row), hasResult ? "an older run counts" : ""]
    .filter((phrase) => phrase !== "").join("; ");
}
