/**
 * How a run was trained, as far as no column of `results/partN.csv` says it.
 *
 * @module
 */

import { MODELS, type TrainingSettings } from "../../study.ts";
import type { Manifest } from "./run_folder.ts";

/**
 * A run's recipe and schedule, if they are not those that the study's page has for its model;
 * `undefined` if they are. A manifest that names none is of a run without.
 */
export function otherRecipe({ model, settings }: Manifest): string | undefined {
  const training: TrainingSettings | null = MODELS.find(({ name }) => name === model)?.training ??
    null;
  const { recipe, oneCycle } = training ?? {};
  const own = [recipe, typeof oneCycle === "object" ? oneCycle : undefined]
    .map((setting) => JSON.stringify(setting) ?? "");
  const ours = [settings.recipe ?? "", settings.one_cycle ?? ""].map(String);
  return ours.join("\n") === own.join("\n") ? undefined : ours.join("\n");
}
