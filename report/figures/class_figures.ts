/**
 * A confusion matrix per model, and F1 of each class and model.
 *
 * @module
 */

import type { TestScores } from "../analysis/comparison.ts";
import { formatCount } from "../analysis/format_numbers.ts";
import { type Drawing, type DrawnModel, runLabel } from "./drawn_models.ts";
import { COLOUR, FILL } from "./theme.ts";

/** A share below this looks like none. */
const SMALLEST = 0.001;

/** Above this share of a fill, white text is easier to read than dark. */
const DARK_FILL = 0.2;

/** From share to opacity: each tenfold share is as much darker, so that rare errors are seen. */
const OPACITY = {
  type: "log",
  domain: [SMALLEST, 1] as number[],
  range: [0.06, 1] as number[],
  clamp: true,
} as const;

const TEXT_COLOUR = {
  condition: { test: `datum.share >= ${DARK_FILL}`, value: FILL.text },
  value: COLOUR.ink,
} as const;

const LEGEND = {
  symbolType: "square",
  symbolSize: 200,
  symbolStrokeWidth: 0,
  values: [SMALLEST, 0.01, 0.1, 1] as number[],
} as const;

/** The model's confusion matrix; `null` without predictions. */
export function confusionFigure(model: DrawnModel): Drawing | null {
  const { evaluation, label, row, slug } = model;
  if (evaluation === null) return null;
  const { confusion, images, undetected } = evaluation;
  if (images === undetected) return null;
  const values = confusion.flatMap((counts, target) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    return counts.flatMap((count, prediction) =>
      count === 0 ? [] : [{ target, prediction, count, share: count / all }]
    );
  });
  const classes = confusion.map((_, i) => i);
  const side = 42 * classes.length;
  const subtitle = `${formatCount(images - undetected)} images of ${runLabel(row)}` +
    (undetected > 0 ? `; ${formatCount(undetected)} without a detection are left out` : "");
  return {
    file: `figures/confusion_${slug}.svg`,
    title: `Confusion matrix: ${label}`,
    alt: describeConfusion(model, evaluation),
    caption:
      `Rows are true classes, columns predicted ones: the diagonal holds the correct predictions. ` +
      "The stronger the colour, the larger the cell's share of its true class; the scale is " +
      "logarithmic, so that rare errors are visible.",
    spec: {
      title: { text: label, subtitle },
      width: side,
      height: side,
      view: { stroke: COLOUR.line },
      data: { values },
      encoding: {
        x: {
          field: "prediction",
          type: "ordinal",
          title: "Predicted class",
          scale: { domain: classes },
          axis: { labelAngle: 0, ticks: false },
        },
        y: {
          field: "target",
          type: "ordinal",
          title: "True class",
          scale: { domain: classes },
          axis: { ticks: false },
        },
      },
      layer: [
        {
          mark: { type: "rect", color: FILL.correct },
          encoding: {
            tooltip: [
              { field: "target", type: "ordinal", title: "True class" },
              { field: "prediction", type: "ordinal", title: "Predicted class" },
              { field: "count", type: "quantitative", title: "Images" },
              { field: "share", type: "quantitative", title: "Share of true class", format: ".2%" },
            ],
            opacity: {
              field: "share",
              type: "quantitative",
              title: "Share of the true class's images",
              scale: OPACITY,
              legend: { ...LEGEND, format: "~%" },
            },
          },
        },
        {
          mark: { type: "text", fontSize: 12 },
          encoding: { text: { field: "count", type: "quantitative" }, color: TEXT_COLOUR },
        },
      ],
    },
  };
}

/** F1 of every class and model, as a table whose weak cells stand out; `null` without predictions. */
export function classF1Figure(models: readonly DrawnModel[]): Drawing | null {
  const evaluated = models.filter(({ evaluation }) => (evaluation?.evaluated ?? 0) > 0);
  if (evaluated.length === 0) return null;
  const values = evaluated.flatMap(({ label, evaluation }) =>
    evaluation!.classes.filter(({ support }) => support > 0).map((scores) => ({
      model: label,
      label: scores.label,
      f1: scores.f1,
      precision: scores.precision,
      recall: scores.recall,
      support: scores.support,
      share: 1 - scores.f1,
    }))
  );
  const classes = [...new Set(values.map(({ label }) => label))].sort((a, b) => a - b);
  return {
    file: "figures/f1_per_class.svg",
    title: "F1 of each class",
    alt: `F1 score of each class. ${evaluated.map(describeF1).join(" ")}`,
    caption:
      "F1 of each class, for the run of each model that is shown; 1 is best. The stronger the colour, " +
      "the further the value is from 1, on a logarithmic scale.",
    spec: {
      data: { values },
      width: { step: 50 },
      height: { step: 32 },
      encoding: {
        x: {
          field: "label",
          type: "ordinal",
          title: "Class",
          scale: { domain: classes },
          axis: { labelAngle: 0, ticks: false },
        },
        y: {
          field: "model",
          type: "nominal",
          title: null,
          scale: { domain: evaluated.map(({ label }) => label) },
          axis: { ticks: false },
        },
      },
      layer: [
        {
          mark: { type: "rect", color: FILL.wrong },
          encoding: {
            tooltip: [
              { field: "model", type: "nominal", title: "Model" },
              { field: "label", type: "ordinal", title: "Class" },
              { field: "f1", type: "quantitative", title: "F1", format: ".4f" },
              { field: "precision", type: "quantitative", title: "Precision", format: ".4f" },
              { field: "recall", type: "quantitative", title: "Recall", format: ".4f" },
              { field: "support", type: "quantitative", title: "Images" },
            ],
            opacity: {
              field: "share",
              type: "quantitative",
              title: "1 − F1",
              scale: OPACITY,
              legend: { ...LEGEND, format: "~f" },
            },
          },
        },
        {
          mark: { type: "text", fontSize: 12 },
          encoding: {
            text: { field: "f1", type: "quantitative", format: ".3f" },
            color: TEXT_COLOUR,
          },
        },
      ],
    },
  };
}

function describeConfusion({ label, row }: DrawnModel, scores: TestScores): string {
  const { confusion, correct, images, undetected } = scores;
  const mistakes = confusion
    .flatMap((counts, target) => counts.map((count, prediction) => ({ target, prediction, count })))
    .filter(({ target, prediction, count }) => target !== prediction && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 3)
    .map(({ target, prediction, count }) => `${target} as ${prediction} (${formatCount(count)})`);
  return `Confusion matrix of ${label} on ${runLabel(row)}: ${formatCount(correct)} of ` +
    `${formatCount(images - undetected)} images on the diagonal` +
    (undetected > 0 ? `, ${formatCount(undetected)} more without a detection` : "") +
    (mistakes.length > 0 ? `; most frequent mistakes: ${mistakes.join(", ")}.` : "; no mistakes.");
}

function describeF1({ label, row, evaluation }: DrawnModel): string {
  const scored = evaluation!.classes.filter(({ support }) => support > 0)
    .toSorted((a, b) => a.f1 - b.f1);
  const [worst, best] = [scored[0]!, scored.at(-1)!];
  return `${label} (${runLabel(row)}): from ${worst.f1.toFixed(3)} (class ${worst.label}) ` +
    `to ${best.f1.toFixed(3)} (class ${best.label}).`;
}
