/**
 * What the models cost: accuracy against training time, and time per image.
 *
 * @module
 */

import { DATA } from "../../study.ts";
import { devicesAmong } from "../analysis/describe_machine.ts";
import { formatFixed, formatMeanAndSd, formatThreeDigits } from "../analysis/format_numbers.ts";
import type { SeedAggregate } from "../analysis/seed_aggregates.ts";
import type { Drawing, DrawnModel } from "./drawn_models.ts";
import { accuracyAxis, closeRange, logarithmicAxis } from "./axes.ts";
import { COLOUR, figureText, MODEL_COLOURS } from "./theme.ts";

interface CostPoint {
  model: string;
  source: "ours" | "published";
  dataset: string;
  seconds: number;
  accuracy: number;
  /** The accuracy as the report writes it, with its deviation where there are several seeds. */
  written: string;
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
  const theirDevices = distinct(
    models.flatMap(({ published }) => published === null ? [] : [published.device]),
  );
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
  const x = logarithmicAxis(values.map(({ seconds }) => seconds), {
    field: "seconds",
    title: "Training time (s)",
    margin: 1.5,
  });
  const y = {
    ...accuracyAxis({ title: "Test accuracy", tickCount: 6 }),
    scale: {
      zero: false,
      nice: false,
      domain: closeRange(values.flatMap(({ low, high }) => [low, high])),
    },
  } as const;
  const hasSpread = values.some(({ low, high }) => high > low);
  return {
    file: "figures/accuracy_against_time.svg",
    title: "Accuracy against training time",
    alt: `Test accuracy against training time, means over the seeds on ${ourData}. ` +
      order.map((name) => describeCost(values.filter(({ model }) => model === name))).join(" "),
    caption: `Filled: ours on ${ourData}, means over the seeds` +
      (hasSpread ? ", with one standard deviation up and down" : "") +
      (theirData === ""
        ? "."
        : `; hollow: published, ${theirData}, ${theirDevices}; a dotted line joins the two.`) +
      " Up and to the left is better. The axes show where the points are: they begin neither at 0 " +
      "nor at the same place in every report.",
    spec: {
      title: {
        text: theirData === "" ? "Filled: ours" : "Filled: ours; hollow: published",
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
            tooltip: [
              { field: "model", type: "nominal", title: "Model" },
              { field: "source", type: "nominal", title: "Whose" },
              { field: "written", type: "nominal", title: "Accuracy (%)" },
              { field: "seconds", type: "quantitative", title: "Training time (s)", format: ".1f" },
            ],
          },
        },
      ],
    },
  };
}

/** Width of the plot of times per image; what the times are stands to the right of it. */
const WIDTH = 380;

/** The time per image of a model, ours or published, on a line of its own. */
interface InferenceTime {
  line: string;
  source: string;
  device: string;
  ms: number;
  text: string;
}

/** Milliseconds per image of each model, ours and published; `null` if no run has them. */
export function inferenceTime(models: readonly DrawnModel[]): Drawing | null {
  const deviceOf = devicesAmong(models.map(({ manifest }) => manifest));
  const values = models.flatMap((model): InferenceTime[] => {
    const ms = setting(model)?.inference.mean ?? NaN;
    if (!(ms > 0 && Number.isFinite(ms))) return [];
    // What the row calls the device where the manifest says nothing.
    const device = figureText(deviceOf(model.manifest)) || figureText(model.row.device, 24);
    const text = `${formatThreeDigits(ms)} ms${device === "" ? "" : ` (${device})`}`;
    const theirs = model.published?.inferenceMsPerImage;
    return [
      { line: model.label, source: "ours", device, ms, text },
      ...(theirs === undefined ? [] : [{
        line: `${model.label}, published`,
        source: `published, ${model.published!.device}`,
        device: model.published!.device,
        ms: theirs,
        text: `${formatThreeDigits(theirs)} ms`,
      }]),
    ];
  });
  if (values.length === 0) return null;
  const sources = [...new Set(values.map(({ source }) => source))];
  const colours = sources.map((name) => name === "ours" ? COLOUR.ours : COLOUR.published);
  const shapes = sources.map((name) => name === "ours" ? "circle" : "diamond");
  const legend = sources.length > 1 ? {} : null;
  const x = logarithmicAxis(values.map(({ ms }) => ms), {
    field: "ms",
    title: "Time per image (ms)",
    margin: 2,
  });
  const y = {
    field: "line",
    type: "nominal",
    title: null,
    scale: { domain: values.map(({ line }) => line) },
    axis: { ticks: false, grid: true, gridDash: [1, 3] as number[] },
  } as const;
  const hasTheirs = values.some(({ source }) => source !== "ours");
  return {
    file: "figures/inference_time.svg",
    title: "Time per image",
    alt: `Milliseconds per image. ${values.map(({ line, text }) => `${line}: ${text}.`).join(" ")}`,
    caption:
      "The model call alone, a mean over the test images and the seeds, with the device that " +
      "it was timed on; to the left is faster. The axis is logarithmic." +
      (hasTheirs ? " What was published was timed on another machine." : ""),
    spec: {
      width: WIDTH,
      height: { step: 30 },
      data: { values },
      layer: [
        {
          mark: { type: "point", size: 90, filled: true, opacity: 1 },
          encoding: {
            x,
            y,
            color: {
              field: "source",
              type: "nominal",
              title: null,
              scale: { domain: sources, range: colours },
              legend,
            },
            shape: {
              field: "source",
              type: "nominal",
              title: null,
              scale: { domain: sources, range: shapes },
              legend,
            },
            tooltip: [
              { field: "line", type: "nominal", title: "Model" },
              { field: "device", type: "nominal", title: "Device" },
              { field: "ms", type: "quantitative", title: "Time per image (ms)", format: ".4~r" },
            ],
          },
        },
        {
          mark: { type: "text", align: "left", x: WIDTH + 10, fontSize: 12, color: COLOUR.ink },
          encoding: { y, text: { field: "text", type: "nominal" } },
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
  const written = formatMeanAndSd(accuracy!, 2);
  return { ...point, written, low: percent - sd, high: Math.min(100, percent + sd) };
}

function publishedCost({ label, published }: DrawnModel): CostPoint[] {
  if (typeof published?.trainingTime !== "number") return [];
  const { accuracy, trainingTime: seconds } = published;
  const values = { dataset: DATA.name, seconds, accuracy, written: formatFixed(accuracy, 2) };
  return [{ model: label, source: "published", ...values, low: accuracy, high: accuracy }];
}

/** The data sets of some points, each once. */
function datasets(points: readonly CostPoint[], source: CostPoint["source"]): string {
  const names = points.filter((point) => point.source === source).map(({ dataset }) => dataset);
  return distinct(names);
}

/** Some words, each once. */
function distinct(words: readonly string[]): string {
  return [...new Set(words)].join(", ");
}

function describeCost(points: readonly CostPoint[]): string {
  const values = points.map(({ source, accuracy, seconds }) =>
    `${source} ${accuracy.toFixed(2)} % in ${formatThreeDigits(seconds)} s`
  );
  return `${points[0]!.model}: ${values.join(", ")}.`;
}
