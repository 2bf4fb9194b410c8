/**
 * What the models cost: accuracy against training time, and time per image.
 *
 * @module
 */

import { DATA } from "../../study.ts";
import { formatThreeDigits } from "../analysis/format_numbers.ts";
import type { SeedAggregate } from "../analysis/seed_aggregates.ts";
import type { Drawing, DrawnModel } from "./drawn_models.ts";
import { COLOUR, figureText, MODEL_COLOURS } from "./vega_svg.ts";

interface CostPoint {
  model: string;
  source: "ours" | "published";
  dataset: string;
  seconds: number;
  accuracy: number;
  /** Accuracy, one standard deviation down and up; as the accuracy itself where there is none. */
  low: number;
  high: number;
}

/**
 * Accuracy against training time: means over the seeds of the setting of the newest run, and the
 * published values. `null` if no run has both.
 */
export function accuracyAgainstTime(models: readonly DrawnModel[]): Drawing | null {
  const values = models.flatMap((model) => {
    const ours = ourCost(model);
    return ours === null ? [] : [ours, ...publishedCost(model)];
  });
  if (values.length === 0) return null;
  const order = [...new Set(values.map(({ model }) => model))];
  const ourData = datasets(values, "ours");
  const theirData = datasets(values, "published");
  const shapes = [
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
  ];
  const byModel = (range: readonly string[]) => ({
    field: "model",
    type: "nominal",
    title: null,
    scale: { domain: order, range: order.map((_, i) => range[i % range.length]!) },
  } as const);
  const seconds = values.map((point) => point.seconds);
  const [fastest, slowest] = [Math.min(...seconds) / 1.5, Math.max(...seconds) * 1.5];
  const x = {
    field: "seconds",
    type: "quantitative",
    title: "Training time (s, logarithmic)",
    scale: { type: "log", domain: [fastest, slowest] as number[] },
    axis: { values: ticks(fastest, slowest), format: "~f" },
  } as const;
  const y = {
    field: "accuracy",
    type: "quantitative",
    title: "Test accuracy (%)",
    scale: { zero: false, nice: 5 },
    axis: { tickCount: 6, format: "~f" },
  } as const;
  return {
    file: "figures/accuracy_against_time.svg",
    title: "Accuracy against training time",
    alt: `Test accuracy against training time, means over the seeds on ${ourData}. ` +
      order.map((name) => describeCost(values.filter(({ model }) => model === name))).join(" "),
    spec: {
      title: {
        text: `Filled: ours on ${ourData}` +
          (theirData === "" ? "" : `; hollow: published, ${theirData}`) +
          (values.some(({ low, high }) => high > low) ? "; bars: one standard deviation" : ""),
        fontSize: 12,
        fontWeight: "normal",
      },
      width: 470,
      height: 320,
      data: { values },
      layer: [
        {
          mark: { type: "line", strokeWidth: 1, strokeDash: [2, 3], color: COLOUR.quiet },
          encoding: { x, y, detail: { field: "model", type: "nominal" } },
        },
        {
          transform: [{ filter: "datum.high > datum.low" }],
          mark: { type: "rule", strokeWidth: 2 },
          encoding: {
            x,
            y: { ...y, field: "low" },
            y2: { field: "high" },
            stroke: byModel(MODEL_COLOURS),
          },
        },
        {
          mark: { type: "point", size: 110, strokeWidth: 2, opacity: 1 },
          encoding: {
            x,
            y,
            stroke: {
              ...byModel(MODEL_COLOURS),
              legend: { orient: "right", direction: "vertical" },
            },
            fill: byModel(MODEL_COLOURS),
            shape: byModel(shapes),
            fillOpacity: { condition: { test: "datum.source === 'ours'", value: 1 }, value: 0 },
          },
        },
      ],
    },
  };
}

interface InferenceBar {
  bar: string;
  source: string;
  ms: number;
  text: string;
}

/** Milliseconds per image of each model, ours and published; `null` if no run has them. */
export function inferenceTime(models: readonly DrawnModel[]): Drawing | null {
  const values = models.flatMap((model): InferenceBar[] => {
    const ms = setting(model)?.inference.mean ?? NaN;
    if (!(ms > 0 && Number.isFinite(ms))) return [];
    const theirs = model.published?.inferenceMsPerImage;
    const text = `${formatThreeDigits(ms)} ms`;
    const device = figureText(model.row.device, 24);
    return [
      { bar: model.label, source: "ours", ms, text: device === "" ? text : `${text} (${device})` },
      ...(theirs === undefined ? [] : [{
        bar: `${model.label}, published`,
        source: "published",
        ms: theirs,
        text: `${formatThreeDigits(theirs)} ms`,
      }]),
    ];
  });
  if (values.length === 0) return null;
  const times = values.map(({ ms }) => ms);
  const low = 10 ** Math.floor(Math.log10(Math.min(...times)) - 0.01);
  const high = 10 ** Math.ceil(Math.log10(Math.max(...times)) + 0.01);
  const sources = ["ours", "published"]
    .filter((name) => values.some(({ source }) => source === name));
  const x = {
    field: "ms",
    type: "quantitative",
    title: "Time per image (ms, logarithmic)",
    scale: { type: "log", domain: [low, high] as number[] },
    axis: { tickCount: Math.round(Math.log10(high / low)), format: "~f" },
  } as const;
  const y = {
    field: "bar",
    type: "nominal",
    title: null,
    scale: { domain: values.map(({ bar }) => bar) },
    axis: { ticks: false },
  } as const;
  return {
    file: "figures/inference_time.svg",
    title: "Time per image",
    alt: `Milliseconds per image. ${values.map(({ bar, text }) => `${bar}: ${text}.`).join(" ")}`,
    spec: {
      width: 380,
      height: { step: 30 },
      data: { values },
      layer: [
        {
          mark: { type: "bar", height: 18 },
          encoding: {
            x,
            x2: { datum: low },
            y,
            color: {
              field: "source",
              type: "nominal",
              title: null,
              scale: {
                domain: sources,
                range: sources.map((name) => name === "ours" ? COLOUR.ours : COLOUR.published),
              },
              legend: sources.length > 1 ? { symbolType: "square" } : null,
            },
          },
        },
        {
          mark: { type: "text", align: "left", dx: 6, fontSize: 12, color: COLOUR.ink },
          encoding: { x, y, text: { field: "text", type: "nominal" } },
        },
      ],
    },
  };
}

/** The setting that the row shown belongs to. */
function setting({ row, settings }: DrawnModel): SeedAggregate | undefined {
  return settings.find(({ newest }) => newest === row) ?? settings[0];
}

function ourCost(model: DrawnModel): CostPoint | null {
  const { accuracy, trainingTime } = setting(model) ?? {};
  const [seconds, percent] = [trainingTime?.mean ?? NaN, accuracy?.mean ?? NaN];
  if (!(seconds > 0 && Number.isFinite(seconds) && Number.isFinite(percent))) return null;
  const sd = Number.isFinite(accuracy?.sd) ? accuracy!.sd : 0;
  const dataset = figureText(model.row.dataset) || "data not recorded";
  const point = {
    model: model.label,
    source: "ours",
    dataset,
    seconds,
    accuracy: percent,
  } as const;
  return { ...point, low: percent - sd, high: Math.min(100, percent + sd) };
}

function publishedCost({ label, published }: DrawnModel): CostPoint[] {
  if (typeof published?.trainingTime !== "number") return [];
  const { accuracy, trainingTime: seconds } = published;
  const values = { dataset: DATA.name, seconds, accuracy, low: accuracy, high: accuracy };
  return [{ model: label, source: "published", ...values }];
}

/** The data sets of some points, each once. */
function datasets(points: readonly CostPoint[], source: CostPoint["source"]): string {
  const names = points.filter((point) => point.source === source).map(({ dataset }) => dataset);
  return [...new Set(names)].join(", ");
}

/** Round numbers between two positive ones for a logarithmic axis, the wider the fewer. */
function ticks(low: number, high: number): number[] {
  const tenfolds = Math.log10(high / low);
  const steps = tenfolds > 3.5 ? [1] : tenfolds > 1.2 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
  const result: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
    result.push(...steps.map((step) => Number(`${step}e${power}`)));
  }
  return result.filter((tick) => tick >= low && tick <= high);
}

function describeCost(points: readonly CostPoint[]): string {
  const values = points.map(({ source, accuracy, seconds }) =>
    `${source} ${accuracy.toFixed(2)} % in ${formatThreeDigits(seconds)} s`
  );
  return `${points[0]!.model}: ${values.join(", ")}.`;
}
