/**
 * How the same setting went with other seeds.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { type FoundRow, placeName } from "./gather_rows.ts";
import type { ProblemList } from "./problems.ts";
import { type HistoryRow, readHistory, runFolder } from "./run_folder.ts";
import { settingKey } from "../analysis/settings.ts";

/** More curves than these are not told apart. */
const SEEDS_READ = 20;

/**
 * Reads `history.csv` of the runs that differ from the one shown in nothing but the seed: the newest
 * ok run of each other seed, of many seeds the newest ones. A run without a readable history is noted
 * and left out.
 *
 * @param runs The model's runs, oldest first.
 */
export async function readSeedHistories(
  shown: FoundRow,
  runs: readonly FoundRow[],
  { folders, problems }: { folders: readonly string[]; problems: ProblemList },
): Promise<HistoryRow[][]> {
  if (shown.row.status !== "ok" || !((shown.row.epochs ?? 0) > 0)) return [];
  const setting = settingKey(shown.row);
  const seeds = new Set([shown.row.seed]);
  const others = runs.toReversed().filter(({ row }) => {
    if (row.status !== "ok" || settingKey(row) !== setting || seeds.has(row.seed)) return false;
    seeds.add(row.seed);
    return true;
  });
  const histories: HistoryRow[][] = [];
  for (const { row, folder } of others.slice(0, SEEDS_READ)) {
    try {
      histories.push(await readHistory(runFolder(folder, row.run_id)));
    } catch (error) {
      const { PermissionDenied } = Deno.errors;
      if (![StudyError, RangeError, PermissionDenied].some((kind) => error instanceof kind)) {
        throw error;
      }
      problems.add("missing or damaged: this seed is not in the learning curve", {
        file: placeName(folders, folder, join("runs", row.run_id, "history.csv")),
      });
    }
  }
  return histories;
}
