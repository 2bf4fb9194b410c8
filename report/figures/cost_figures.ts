/**
 * What training the models costs: accuracy against training time.
 *
 * @module
 */

import { DATA } from "../../study.ts";
import { commonDevice } from "../analysis/describe_machine.ts";
import { formatFixed, formatMeanAndSd, formatThreeDigits } from "../analysis/format_numbers.ts";
import { type Drawing, type DrawnModel, figureDevices, shownSetting } from "./drawn_models.ts";
import { accuracyAxis, closeRange, logarithmicAxis } from "./axes.ts";
import { COLOUR, figureText, MODEL_COLOURS } from "./theme.ts";

interface CostPoint {
  /** The model, and in a second line the machine where it is another than most models'. */
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
  /** Seeds that the accuracy is the mean of. */
  seeds: number;
}

/**
 * Accuracy against training time: means over the seeds of the setting of the newest run, and the
 * published values. `null` if no run has both.
 */
export function accuracyAgainstTime(models: readonly DrawnModel[]): Drawing | null {
  const timed = models.flatMap((model) => {
    const ours = ourCost(model);
    return ours === null ? [] : [{ model, ours }];
  });
  if (timed.length === 0) return null;
  const deviceOf = figureDevices(timed.map(({ model }) => model));
  const devices = timed.map(({ model }) => deviceOf(model));
  const common = commonDevice(devices);
  const machines = new Set(devices).size;
  const values = timed.flatMap(({ model, ours }, i) => {
    const others = machines === 1 || devices[i] === common
      ? ""
      : `\n${devices[i] || "machine not recorded"}`;
    return [ours, ...publishedCost(model)].map((point) => ({
      ...point,
      model: `${point.model}${others}`,
    }));
  });
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
  const single = timed.filter(({ ours }) => ours.seeds < 2).map(({ ours }) => ours.model);
  return {
    file: "figures/accuracy_against_time.svg",
    title: "Accuracy against training time",
    alt: `Test accuracy against training time, means over the seeds on ${ourData}. ` +
      order.map((name) => describeCost(values.filter(({ model }) => model === name))).join(" "),
    caption: `Filled: ours on ${ourData}, means over the seeds` +
      (hasSpread ? ", with bars of one standard deviation" : "") +
      (hasSpread && single.length > 0
        ? ` where there is more than one seed (not of ${single.join(", ")})`
        : "") +
      (theirData === ""
        ? "."
        : `; hollow: published, ${theirData}, ${theirDevices}; a dotted line joins the two.`) +
      (machines === 1 ? "" : describeMachines(common)) +
      " Up and to the left is better. The axes are fitted to the points: they do not start at 0 and " +
      "differ between reports.",
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
              legend: {
                orient: "right",
                direction: "vertical",
                labelExpr: "split(datum.label, '\\n')",
              },
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

/** What to make of times that are not of one kind of machine. */
function describeMachines(common: string | undefined): string {
  const named = common === undefined
    ? "which the legend names"
    : `${common} unless the legend names another`;
  return ` Our runs were timed on different kinds of machine (${named}): accuracies can be compared ` +
    "between these, times cannot.";
}

function ourCost(model: DrawnModel): CostPoint | null {
  const { accuracy, trainingTime } = shownSetting(model) ?? {};
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
    seeds: accuracy!.n,
  } as const;
  const written = formatMeanAndSd(accuracy!, 2);
  return { ...point, written, low: percent - sd, high: Math.min(100, percent + sd) };
}

function publishedCost({ label, published }: DrawnModel): CostPoint[] {
  if (typeof published?.trainingTime !== "number") return [];
  const { accuracy, trainingTime: seconds } = published;
  const values = {
    dataset: DATA.name,
    seconds,
    accuracy,
    written: formatFixed(accuracy, 2),
    seeds: 1,
  };
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
  const [model, machine] = points[0]!.model.split("\n");
  const values = points.map(({ source, accuracy, seconds }) =>
    `${source} ${accuracy.toFixed(2)} % in ${formatThreeDigits(seconds)} s` +
    (source === "ours" && machine !== undefined ? ` on ${machine}` : "")
  );
  return `${model}: ${values.join(", ")}.`;
}
