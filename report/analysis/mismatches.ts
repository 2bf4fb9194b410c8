/**
 * Whether the rows shown side by side are of the same code, test images and machine.
 *
 * @module
 */

import type { Manifest } from "../record/run_folder.ts";
import type { ModelComparison } from "./comparison.ts";

/**
 * How the ok rows shown differ where they should not, a sentence each: versions of the code, and the
 * images that they were tested on.
 */
export function findMismatches(models: readonly ModelComparison[]): string[] {
  return [
    ...findMixedCode(models),
    ...describeGroups("The rows shown were tested on different images", models, ({ row }) => {
      const { dataset, dataset_sha256: sha256, test_images: images } = row!;
      const sum = sha256 === "" ? "" : `, sha256 ${sha256.slice(0, 8)}`;
      return `${dataset || "unrecorded data"} (${images ?? "unknown number of"} test images${sum})`;
    }),
  ];
}

/** Whether the ok rows shown are of different versions of the code: a sentence if they are. */
export function findMixedCode(models: readonly ModelComparison[]): string[] {
  return describeGroups(
    "The rows shown were made by different versions of the code",
    models,
    ({ manifest }) => manifest?.git?.commit?.slice(0, 7),
  );
}

/** The same of data sets; how many of their images were tested is of no account. */
export function findMixedData(models: readonly ModelComparison[]): string[] {
  return describeGroups("The rows shown were tested on different data", models, ({ row }) => {
    const { dataset, dataset_sha256: sha256 } = row!;
    return `${dataset || "unrecorded data"} ${sha256.slice(0, 8)}`.trim();
  });
}

/**
 * Whether two runs are known to have been made on the same kind of machine, so that their times can
 * be compared.
 */
export function isSameMachine(a: Manifest | null, b: Manifest | null): boolean {
  if (a === null || b === null) return false;
  return ["processor", "cores", "device"].every((name) =>
    a.machine[name] !== undefined && a.machine[name] === b.machine[name]
  );
}

/** The sentence with the ok models of each kind; nothing if there are not several kinds. */
function describeGroups(
  sentence: string,
  models: readonly ModelComparison[],
  kindOf: (model: ModelComparison) => string | undefined,
): string[] {
  const shown = models.filter(({ row }) => row?.status === "ok");
  const groups = Map.groupBy(shown, kindOf);
  groups.delete(undefined);
  if (groups.size < 2) return [];
  const described = [...groups].map(([kind, group]) =>
    `${kind} (${group.map(({ model }) => model).join(", ")})`
  );
  return [`${sentence}: ${described.join("; ")}`];
}
