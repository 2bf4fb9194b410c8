/**
 * Error against the number of training images: a curve for each model and recipe.
 *
 * @module
 */

import type { LearningSetCurve } from "../analysis/sweeps.ts";
import { formatMeanAndSd } from "../analysis/format_numbers.ts";
import { DATA } from "../../study.ts";
import { curveLabel } from "../analysis/describe_run.ts";
import { logarithmicAxis } from "./axes.ts";
import type { Drawing } from "./drawn_models.ts";
import { COLOUR, figureText, MODEL_COLOURS } from "./theme.ts";

/** More curves than these are not told apart; the table has the others too. */
const CURVES_DRAWN = 6;

/** Of more seeds than these, so many are drawn as dots. */
const DOTS_DRAWN = 20;

const SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"];

/** Every curve of two numbers of images or more in one plot; `null` if there is none. */
export function learningSetFigure(curves: readonly LearningSetCurve[]): Drawing | null {
  if (curves.length === 0) return null;
  const drawn = curves.slice(0, CURVES_DRAWN);
  const names = drawn.map((curve, i) => nameOf(curve, i, drawn));
  const points = drawn.flatMap((curve, i) =>
    curve.points.map(({ images, accuracy, mean }) => ({
      curve: names[i]!,
      images,
      error: errorOf(curve, accuracy.mean),
      low: errorOf(curve, mean?.high ?? accuracy.mean),
      high: errorOf(curve, mean?.low ?? accuracy.mean),
      written: formatMeanAndSd(accuracy, 2),
      seeds: accuracy.n,
    }))
  );
  const dots = drawn.flatMap((curve, i) =>
    curve.points.flatMap(({ images, accuracies }) =>
      accuracies.length < 2 ? [] : accuracies.slice(0, DOTS_DRAWN).map((accuracy) => ({
        curve: names[i]!,
        images,
        error: errorOf(curve, accuracy),
      }))
    )
  );
  const most = Math.max(...drawn.flatMap(({ points }) => points.map(({ accuracy }) => accuracy.n)));
  const x = logarithmicAxis(points.map(({ images }) => images), {
    field: "images",
    title: "Training images",
    margin: 1.3,
  });
  // An interval of two seeds may be wider than all else: it is cut off.
  const y = logarithmicAxis([...points, ...dots].map(({ error }) => error), {
    field: "error",
    title: "Test error (%)",
    margin: 1.2,
  });
  const stroke = {
    field: "curve",
    type: "nominal",
    title: null,
    legend: { orient: "bottom", columns: 1, labelLimit: 500 },
    scale: { domain: names, range: names.map((_, i) => MODEL_COLOURS[i]!) },
  } as const;
  const shape = { ...stroke, scale: { domain: names, range: SHAPES.slice(0, names.length) } };
  return {
    file: "figures/learning_set_size.svg",
    title: "Error against the number of training images",
    alt: `Test error by the number of training images, on logarithmic axes. Accuracies: ${
      drawn.map((curve, i) => describe(curve, names[i]!)).join(" ")
    }`,
    caption:
      "Runs that differ only in the seed and in the number of training images, which are always the " +
      "first of the set. Points are means over the seeds, with the 95 % interval of the " +
      "mean" + (dots.length > 0 ? "; small dots are single seeds" : "") +
      (most > DOTS_DRAWN ? `, ${DOTS_DRAWN} at most` : "") +
      ". Both axes are logarithmic; where no image is wrong, half a one is drawn." +
      (curves.length > drawn.length
        ? ` The first ${drawn.length} of ${curves.length} curves.`
        : ""),
    spec: {
      width: 520,
      height: 340,
      data: { values: points },
      layer: [
        {
          data: { values: dots },
          mark: { type: "point", filled: true, size: 14, opacity: 0.5, clip: true },
          encoding: { x, y, color: stroke },
        },
        {
          transform: [{ filter: "datum.high > datum.low" }],
          mark: { type: "rule", strokeWidth: 2, clip: true },
          encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color: stroke },
        },
        { mark: { type: "line", strokeWidth: 2 }, encoding: { x, y, color: stroke } },
        {
          mark: { type: "point", filled: true, size: 80, opacity: 1, stroke: COLOUR.canvas },
          encoding: {
            x,
            y,
            color: stroke,
            shape,
            tooltip: [
              { field: "curve", type: "nominal", title: "Model" },
              { field: "images", type: "quantitative", title: "Training images", format: "," },
              { field: "written", type: "nominal", title: "Accuracy (%)" },
              { field: "seeds", type: "quantitative", title: "Seeds" },
            ],
          },
        },
      ],
    },
  };
}

/** The percentage of test images that are wrong; at least half an image, as 0 has no logarithm. */
function errorOf({ row }: LearningSetCurve, accuracy: number): number {
  return Math.max(100 - accuracy, 50 / (row.test_images ?? DATA.testImages));
}

/** Names of two curves may be cut to the same text. */
function nameOf(
  curve: LearningSetCurve,
  index: number,
  all: readonly LearningSetCurve[],
): string {
  const text = (one: LearningSetCurve) => figureText(curveLabel(one.row), 60);
  const isAlone = all.filter((other) => text(other) === text(curve)).length === 1;
  const name = text(curve);
  // Vega keeps names as keys of objects, where some have a meaning.
  return isAlone && !(name in {}) ? name : `${name} (${index + 1})`;
}

function describe({ points }: LearningSetCurve, name: string): string {
  const values = points.map(({ images, accuracy }) =>
    `${accuracy.mean.toFixed(2)} % with ${images.toLocaleString("en-US")}`
  );
  return `${name}: ${values.join(", ")}.`;
}
