/**
 * Training accuracy by epoch, ours and the published one, and test accuracy where it was recorded.
 *
 * @module
 */

import { mean } from "../../metrics/descriptive_statistics.ts";
import type { EvaluationRow, HistoryRow } from "../record/run_folder.ts";
import { type Drawing, type DrawnModel, runLabel } from "./drawn_models.ts";
import { accuracyAxis } from "./axes.ts";
import { COLOUR, figureText } from "./theme.ts";

type Curve = { epoch: number; accuracy: number }[];

interface Panel {
  /** The model and what its curve is. */
  label: string;
  subtitle: string;
  seeds: Curve[];
  /** The curve of a single seed, or the mean of all. */
  ours: Curve;
  /** On the test images, of a single seed or the mean; empty if it was not recorded. */
  test: Curve;
  /** Empty if there is none. */
  published: Curve;
}

/** What the legend calls each curve, and how it is drawn. */
const STYLES = {
  ours: { colour: COLOUR.ours, dash: [1, 0] },
  "ours, test images": { colour: COLOUR.ours, dash: [6, 3] },
  published: { colour: COLOUR.published, dash: [2, 3] },
} as const;

/** A panel for each model with a history; `null` if none has one. */
export function learningCurves(models: readonly DrawnModel[]): Drawing | null {
  const panels = models.map(panelOf).filter(({ ours }) => ours.length > 0);
  if (panels.length === 0) return null;
  const values = panels.flatMap(({ label, subtitle, seeds, ours, test, published }, order) => {
    const points = (source: string, curve: Curve, run = 0) =>
      curve.map((point) => ({
        panel: `${label}\n${subtitle}`,
        model: label,
        order,
        source,
        run,
        alone: curve.length === 1,
        ...point,
      }));
    return [
      ...(seeds.length > 1 ? seeds.flatMap((curve, run) => points("seed", curve, run)) : []),
      ...points("ours", ours),
      ...points("ours, test images", test),
      ...points("published", published),
    ];
  });
  const styles = Object.entries(STYLES)
    .filter(([name]) => values.some(({ source }) => source === name));
  const sources = styles.map(([name]) => name);
  const hasTest = panels.some(({ test }) => test.length > 0);
  const columns = Math.min(2, panels.length);
  const position = {
    x: {
      field: "epoch",
      type: "quantitative",
      title: "Epoch",
      scale: { zero: false, nice: false, padding: 8 },
      axis: { tickMinStep: 1, format: "d", grid: false },
    },
    y: accuracyAxis({ title: hasTest ? "Accuracy" : "Training accuracy", tickCount: 5 }),
  } as const;
  const color = {
    field: "source",
    type: "nominal",
    title: null,
    scale: { domain: sources, range: styles.map(([, { colour }]) => colour) },
    legend: { symbolType: "stroke", symbolSize: 600 },
  } as const;
  return {
    file: "figures/learning_curves.svg",
    title: "Learning curves",
    alt: `Training accuracy by epoch. ${panels.map(describe).join(" ")}`,
    caption: captionOf(panels),
    spec: {
      data: { values },
      facet: {
        field: "panel",
        type: "nominal",
        title: null,
        sort: { field: "order", op: "min" },
        header: { labelExpr: "split(datum.label, '\\n')" },
      },
      columns,
      bounds: "flush",
      spacing: { row: 100, column: 75 },
      spec: {
        width: columns === 1 ? 640 : 300,
        height: 190,
        layer: [
          {
            transform: [{ filter: "datum.source === 'seed'" }],
            mark: { type: "line", strokeWidth: 1, opacity: 0.4, color: COLOUR.ours },
            encoding: { ...position, detail: { field: "run", type: "nominal" } },
          },
          {
            transform: [{ filter: "datum.source === 'seed' && datum.alone" }],
            mark: { type: "point", size: 30, filled: false, opacity: 0.6, color: COLOUR.ours },
            encoding: position,
          },
          {
            transform: [{ filter: "datum.source !== 'seed'" }],
            mark: { type: "line", strokeWidth: 2 },
            encoding: {
              ...position,
              color,
              strokeDash: {
                field: "source",
                type: "nominal",
                title: null,
                scale: {
                  domain: sources,
                  range: styles.map(([, { dash }]) => [...dash]),
                },
              },
            },
          },
          {
            transform: [{ filter: "datum.source !== 'seed'" }],
            mark: { type: "point", size: 30, filled: true, opacity: 1 },
            encoding: {
              ...position,
              color,
              tooltip: [
                { field: "model", type: "nominal", title: "Model" },
                { field: "source", type: "nominal", title: "Curve" },
                { field: "epoch", type: "quantitative", title: "Epoch" },
                { field: "accuracy", type: "quantitative", title: "Accuracy (%)", format: ".2f" },
              ],
            },
          },
        ],
      },
      resolve: { scale: { x: "independent", y: "independent" } },
    },
  };
}

function panelOf(model: DrawnModel): Panel {
  const { label, row, history, seedHistories, evaluations, published } = model;
  const tested = evaluations.map(testAccuracy).filter(({ length }) => length > 0);
  const seeds = [history, ...seedHistories].map(trainAccuracy).filter(({ length }) => length > 0);
  const many = seeds.length > 1;
  return {
    label,
    subtitle: many ? `${figureText(row.dataset)}, mean of ${seeds.length} seeds` : runLabel(row),
    seeds,
    ours: many ? meanCurve(seeds) : seeds[0] ?? [],
    test: tested.length > 1 ? meanCurve(tested) : tested[0] ?? [],
    published: (published?.epochs ?? []).map(({ trainAccuracy }, i) => ({
      epoch: i + 1,
      accuracy: trainAccuracy,
    })),
  };
}

/** An epoch without an accuracy (feature extraction) is no part of the curve. */
function trainAccuracy(history: readonly HistoryRow[]): Curve {
  return history
    .map(({ epoch, train_accuracy }) => ({ epoch, accuracy: train_accuracy }))
    .filter(({ epoch, accuracy }) => Number.isFinite(epoch) && Number.isFinite(accuracy));
}

function testAccuracy(evaluations: readonly EvaluationRow[]): Curve {
  return evaluations.map(({ epoch, test_accuracy }) => ({ epoch, accuracy: test_accuracy }))
    .filter(({ epoch, accuracy }) => Number.isFinite(epoch) && Number.isFinite(accuracy));
}

/** The mean of some curves, at the epochs that all of them have. */
function meanCurve(curves: readonly Curve[]): Curve {
  return curves[0]!.flatMap(({ epoch }) => {
    const values = curves.flatMap((curve) => curve.filter((point) => point.epoch === epoch))
      .map(({ accuracy }) => accuracy);
    return values.length < curves.length ? [] : [{ epoch, accuracy: mean(values) }];
  });
}

/** How to read the figure. */
function captionOf(panels: readonly Panel[]): string {
  const parts = [
    "Training accuracy after each epoch, counted while training, with dropout on where a network has it",
    panels.some(({ seeds }) => seeds.length > 1)
      ? "thin lines are single seeds, the thick one their mean"
      : "",
    panels.some(({ seeds }) => seeds.length > 1 && seeds.some(({ length }) => length === 1))
      ? "for a model trained in a single epoch, hollow dots are the seeds and the filled dot is their mean"
      : "",
    panels.some(({ test }) => test.length > 0)
      ? "dashed is the accuracy on the test images, over all seeds that recorded it"
      : "",
    panels.some(({ published }) => published.length > 0) ? "dotted lines are published values" : "",
  ];
  return `${parts.filter((part) => part !== "").join("; ")}. Each panel has axes of its own.`;
}

function describe({ label, subtitle, ours, test, published }: Panel): string {
  const range = (curve: Curve) =>
    `${curve[0]!.accuracy.toFixed(2)} % in epoch ${curve[0]!.epoch}` +
    (curve.length > 1
      ? ` to ${curve.at(-1)!.accuracy.toFixed(2)} % in ${curve.at(-1)!.epoch}`
      : "");
  return `${label} (${subtitle}): ${range(ours)}` +
    (test.length > 0 ? `; on the test images ${range(test)}` : "") +
    (published.length > 0 ? `; published ${range(published)}.` : ".");
}
