/**
 * The study's models by the names that the results have.
 *
 * @module
 */

import { MODELS, type PublishedResult, type StudyModel } from "../../study.ts";

/** A model that the study has a result of. */
export type PublishedModel = StudyModel & { published: PublishedResult };

/** The models with a published result, in the study's order. */
export const PUBLISHED_MODELS: readonly PublishedModel[] = MODELS.filter(isPublished);

/** The model of this name; `undefined` if it is neither the study's nor our variation on it. */
export function findModel(name: string): StudyModel | undefined {
  return MODELS.find((model) => model.name === name);
}

/** The same, of the models with a published result. */
export function findPublished(name: string): PublishedModel | undefined {
  return PUBLISHED_MODELS.find((model) => model.name === name);
}

function isPublished(model: StudyModel): model is PublishedModel {
  return model.published !== null;
}
