/**
 * Whether the rows shown side by side belong together.
 *
 * @module
 */

import type { ModelComparison } from "./comparison.ts";
import type { Manifest } from "../record/run_folder.ts";

/**
 * In what the ok rows shown do not belong together, a sentence each: versions of the code, and the
 * images that they were tested on.
 */
export function findMixtures(models: readonly ModelComparison[]): string[] {
  const shown = models.filter(({ row }) => row?.status === "ok");
  const commits = groupNames(shown, ({ manifest }) => manifest?.git?.commit?.slice(0, 7));
  const data = groupNames(shown, ({ row }) => {
    const { dataset, dataset_sha256: sha256, test_images: images } = row!;
    const sum = sha256 === "" ? "" : `, sha256 ${sha256.slice(0, 8)}`;
    return `${dataset || "unrecorded data"} (${images ?? "unknown number of"} test images${sum})`;
  });
  return [
    ...describe("The rows shown were made by different versions of the code", commits),
    ...describe("The rows shown were tested on different images", data),
  ];
}

/**
 * Whether two runs are known to have been made on the same kind of machine, so that their times can
 * be held against each other.
 */
export function isSameMachine(a: Manifest | null, b: Manifest | null): boolean {
  if (a === null || b === null) return false;
  return ["processor", "cores", "device"].every((name) =>
    a.machine[name] !== undefined && a.machine[name] === b.machine[name]
  );
}

/** Names of the models by what they have of a kind; those that have nothing are left out. */
function groupNames(
  models: readonly ModelComparison[],
  kindOf: (model: ModelComparison) => string | undefined,
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const model of models) {
    const kind = kindOf(model);
    if (kind === undefined) continue;
    const group = groups.get(kind);
    if (group) group.push(model.model);
    else groups.set(kind, [model.model]);
  }
  return groups;
}

function describe(sentence: string, groups: ReadonlyMap<string, readonly string[]>): string[] {
  if (groups.size < 2) return [];
  return [
    `${sentence}: ` +
    [...groups].map(([kind, names]) => `${kind} (${names.join(", ")})`).join("; "),
  ];
}
