/**
 * Whether the rows shown side by side are of the same code and test images.
 *
 * @module
 */

import { codeName, codeOf } from "../record/run_folder.ts";
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

/**
 * Whether the ok rows shown, and those of other seeds that they are averaged with, are of different
 * versions of the code: a sentence if they are.
 */
export function findMixedCode(models: readonly ModelComparison[]): string[] {
  return describeGroups(
    "The rows shown were made by different versions of the code",
    models.flatMap(runsShown).flatMap(byCode),
    ({ name }) => name,
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
 * Which ok rows shown, and those that they are averaged with, are of another version of the code than
 * those allowed, or of one with changes that no commit has: a phrase a version and model.
 *
 * @param allowed Commits, or their beginnings.
 */
export function findOtherCode(
  models: readonly ModelComparison[],
  allowed: readonly string[],
): string[] {
  const others = models.flatMap(runsShown).flatMap(byCode).filter(({ row, name, git }) =>
    row?.status === "ok" && name !== undefined &&
    !(git!.clean && allowed.some((start) => git!.commit.startsWith(start)))
  );
  return [...Map.groupBy(others, ({ name }) => name)]
    .flatMap(([code, runs]) =>
      nameRuns(runs).map((name) =>
        `${name} was made by the code ${code}, which --code does not allow`
      )
    );
}

/**
 * Which ok rows shown, and those that they are averaged with, are of no known code where others are: a
 * phrase a model. Where the suite lies in no Git repository none is, and nothing is to be said unless
 * a version is wanted.
 */
export function findUnknownCode(
  models: readonly ModelComparison[],
  { isWanted }: { isWanted: boolean },
): string[] {
  const runs = models.flatMap(runsShown).flatMap(byCode)
    .filter(({ row }) => row?.status === "ok");
  const unknown = runs.filter(({ name }) => name === undefined);
  if (unknown.length === runs.length && !isWanted) return [];
  return nameRuns(unknown).map((name) => `the version of the code is unknown for ${name}`);
}

/** The run shown of a model, and those of other seeds that it is averaged with. */
function runsShown({ model, row, manifest, seedRuns }: ModelComparison) {
  return [{ row, manifest }, ...seedRuns].map((run) => ({ model, ...run }));
}

/** A run once for each version of the code that its sittings ran, as a run of two is of both. */
function byCode(run: ReturnType<typeof runsShown>[number]) {
  const { manifest } = run;
  const code = manifest === null ? [null] : codeOf(manifest);
  return [...new Map(code.map((git) => [codeName(git), git]))]
    .map(([name, git]) => ({ ...run, name, git }));
}

/** A row and the model that it is shown for. */
type Shown = Pick<ModelComparison, "model" | "row">;

/** The models of some runs, each with its seeds: `SimpleCNN seeds 1 and 2`. */
function nameRuns(runs: readonly Shown[]): string[] {
  return [...Map.groupBy(runs, ({ model }) => model)].map(([model, ofModel]) =>
    `${model} ${describeSeeds(ofModel)}`
  );
}

/** The sentence with the ok models of each kind; nothing if there are not several kinds. */
function describeGroups<Run extends Shown>(
  sentence: string,
  runs: readonly Run[],
  kindOf: (run: Run) => string | undefined,
): string[] {
  const shown = runs.filter(({ row }) => row?.status === "ok");
  const groups = Map.groupBy(shown, kindOf);
  groups.delete(undefined);
  if (groups.size < 2) return [];
  const kinds = [...groups.values()].map((group) => new Set(group.map(({ model }) => model)));
  const isSplit = (model: string) => kinds.filter((models) => models.has(model)).length > 1;
  const described = [...groups].map(([kind, group]) => {
    const names = [...Map.groupBy(group, ({ model }) => model)].map(([model, runs]) =>
      isSplit(model) ? `${model} ${describeSeeds(runs)}` : model
    );
    return `${kind} (${names.join(", ")})`;
  });
  return [`${sentence}: ${described.join("; ")}`];
}

/** Of many seeds, how many are named. */
const SEEDS_NAMED = 5;

/** `seed 3`, or `seeds 1, 2 and 4`. */
function describeSeeds(runs: readonly Shown[]): string {
  const seeds = runs.map(({ row }) => row!.seed ?? NaN).sort((a, b) => a - b)
    .map((seed) => Number.isNaN(seed) ? "unknown" : String(seed));
  const more = seeds.length - SEEDS_NAMED;
  const named = more > 0 ? [...seeds.slice(0, SEEDS_NAMED), `${more} more`] : seeds;
  return named.length === 1
    ? `seed ${named[0]}`
    : `seeds ${named.slice(0, -1).join(", ")} and ${named.at(-1)}`;
}
