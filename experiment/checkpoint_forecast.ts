/**
 * What a checkpoint will take of a disk, before there is a model or a trainer to ask.
 *
 * @module
 */

import { elementCount } from "../models/checkpoint/state_dict.ts";
import { simpleCnnLayouts } from "../models/simple_cnn.ts";
import { DATA, type RecipeSettings, type StudyModel, type TrainingSettings } from "../study.ts";

/**
 * Bytes of the tensors in a checkpoint of a model that is trained so: what `checkpointBytes()` says of
 * its trainer. 0 where nothing is trained.
 */
export function expectedCheckpointBytes(
  { trainedParameters }: Pick<StudyModel, "trainedParameters">,
  settings: TrainingSettings | null,
): number {
  if (settings === null) return 0;
  const { recipe } = settings;
  // Adam's two moments of each.
  const numbers = recipe === undefined ? 3 * trainedParameters : numbersOfRecipe(recipe);
  return Float32Array.BYTES_PER_ELEMENT * numbers;
}

/** Recipes name parameters of SimpleCNN, the one model that has them. */
function numbersOfRecipe({ frozen = [], muon, average }: RecipeSettings): number {
  let numbers = 0;
  for (const [name, { torchShape }] of simpleCnnLayouts(DATA.classes)) {
    const isTrained = !frozen.includes(name);
    const moments = muon?.parameters.includes(name) ? 1 : 2;
    const copies = 1 + (isTrained ? moments + (average ? 1 : 0) : 0);
    numbers += copies * elementCount(torchShape);
  }
  return numbers;
}
