/**
 * The models that are drawn, and what their figures call them.
 *
 * @module
 */

import type { TopLevelSpec } from "vega-lite";
import type { Figure, ModelComparison } from "../analysis/comparison.ts";
import { devicesAmong } from "../analysis/describe_machine.ts";
import type { SeedAggregate } from "../analysis/seed_aggregates.ts";
import type { ResultRow } from "../record/result_row.ts";
import { figureText } from "./theme.ts";

/** A figure before it is rendered. */
export interface Drawing extends Figure {
  /** What to draw, its data inside. */
  spec: TopLevelSpec;
}

/** A model with a run that ended well. */
export interface DrawnModel extends ModelComparison {
  row: ResultRow;
  /** Its name as text in figures: one line, not too long, unlike that of any other model. */
  label: string;
  /** Its name as part of a file's name, unlike that of any other model. */
  slug: string;
}

/** The models with an ok run, in the comparison's order, at most `limit`. */
export function drawnModels(models: readonly ModelComparison[], limit: number): DrawnModel[] {
  const labels = new Set<string>();
  const slugs = new Set<string>();
  return models
    .filter((model): model is ModelComparison & { row: ResultRow } => model.row?.status === "ok")
    .slice(0, limit)
    .map((model) => ({
      ...model,
      label: distinct(labelOf(model.model), labels),
      slug: distinct(slugOf(model.model), slugs),
    }));
}

/** Vega keeps names as keys of objects, where some have a meaning: `constructor`, for one. */
function labelOf(name: string): string {
  const text = figureText(name) || "model";
  return text in {} ? `model ${text}` : text;
}

/** Letters, digits, `_` and `-`; in a file's name it makes no difference what else was there. */
function slugOf(name: string): string {
  return name.replace(/[^A-Za-z0-9_]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "model";
}

/** The text, with a number after it if it is already taken; file systems may ignore case. */
function distinct(text: string, taken: Set<string>): string {
  let result = text;
  for (let n = 2; taken.has(result.toLowerCase()); n++) result = `${text}-${n}`;
  taken.add(result.toLowerCase());
  return result;
}

/** `mnist, seed 1`: the data and the run. */
export function runLabel({ dataset, seed }: ResultRow): string {
  const parts = [figureText(dataset), ...(seed === null ? [] : [`seed ${seed}`])];
  return parts.filter((part) => part !== "").join(", ");
}

/** Of a machine's name in a figure, as many characters as there is room for. */
const DEVICE_LENGTH = 48;

/** How to call the machines of the models in a figure, the device in full as far as that can be. */
export function figureDevices(models: readonly DrawnModel[]): (model: DrawnModel) => string {
  const deviceOf = devicesAmong(models.map(({ manifest }) => manifest), DEVICE_LENGTH);
  return ({ manifest }) => figureText(deviceOf(manifest), DEVICE_LENGTH);
}

/** The setting that the row shown belongs to. */
export function shownSetting({ row, settings }: DrawnModel): SeedAggregate | undefined {
  return settings.find(({ newest }) => newest === row) ?? settings[0];
}
