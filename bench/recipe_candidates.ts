/**
 * What a recipe is compared with: itself without one of its ingredients each.
 *
 * @module
 */

import type { RecipeSettings, TrainingSettings } from "../study.ts";
import { WHOLE } from "./recipe_trials.ts";

/** How the lack of each ingredient is called. */
const WITHOUT: Readonly<Record<keyof RecipeSettings, string>> = {
  beta2: "without a shorter memory of squared gradients",
  labelSmoothing: "without label smoothing",
  dropoutRate: "with the study's dropout",
  muon: "without Muon: Adam for all parameters",
  average: "without a running mean of the weights",
  augmentation: "without moved images",
};

/** The recipe, and the recipe without each of its ingredients, by what they are called. */
export function candidatesOf(settings: TrainingSettings): Map<string, TrainingSettings> {
  const { recipe = {}, oneCycle, ...rest } = settings;
  const candidates = new Map<string, TrainingSettings>([[WHOLE, settings]]);
  for (const name of Object.keys(recipe) as (keyof RecipeSettings)[]) {
    const { [name]: _, ...others } = recipe;
    candidates.set(WITHOUT[name], { ...settings, recipe: others });
  }
  if (oneCycle) candidates.set("with a constant learning rate", { ...rest, recipe });
  return candidates;
}
