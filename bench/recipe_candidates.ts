/**
 * What a recipe is compared with: itself with one ingredient fewer or more.
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
  whitening: "without whitening filters",
  frozen: "without frozen parameters",
  muon: "without Muon: Adam for all parameters",
  average: "without a running mean of the weights",
  augmentation: "without moved images",
};

/** Ingredients that a recipe could have as well. */
const ADDED: Readonly<Record<string, RecipeSettings>> = {
  "with a running mean of the weights": { average: { decay: 0.9, every: 5 } },
  "with images moved by up to a pixel": { augmentation: { shift: 1 } },
  "with the first layer frozen": { frozen: ["conv1.weight", "conv1.bias"] },
};

/** Other learning rates, as multiples of a recipe's. */
const RATES: Readonly<Record<string, number>> = {
  "with half the learning rates": 1 / 2,
  "with twice the learning rates": 2,
};

function withRates(settings: TrainingSettings, factor: number): TrainingSettings {
  const { learningRate, recipe = {} } = settings;
  const muon = recipe.muon && { ...recipe.muon, learningRate: factor * recipe.muon.learningRate };
  return {
    ...settings,
    learningRate: factor * learningRate,
    recipe: { ...recipe, ...(muon && { muon }) },
  };
}

/**
 * The recipe, the recipe without each of its ingredients, with each that it could have as well, and with
 * other learning rates, by what they are called.
 */
export function candidatesOf(settings: TrainingSettings): Map<string, TrainingSettings> {
  const { recipe = {}, oneCycle, ...rest } = settings;
  const candidates = new Map<string, TrainingSettings>([[WHOLE, settings]]);
  for (const name of Object.keys(recipe) as (keyof RecipeSettings)[]) {
    const { [name]: _, ...others } = recipe;
    candidates.set(WITHOUT[name], { ...settings, recipe: others });
  }
  if (oneCycle) candidates.set("with a constant learning rate", { ...rest, recipe });
  for (const [name, ingredient] of Object.entries(ADDED)) {
    const isThere = Object.keys(ingredient).some((key) => key in recipe);
    if (!isThere) candidates.set(name, { ...settings, recipe: { ...recipe, ...ingredient } });
  }
  for (const [name, factor] of Object.entries(RATES)) {
    candidates.set(name, withRates(settings, factor));
  }
  return candidates;
}
