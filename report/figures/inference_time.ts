/**
 * What answering costs: time per image.
 *
 * @module
 */

import { formatThreeDigits } from "../analysis/format_numbers.ts";
import { INFERENCE_CLOCK } from "../analysis/seed_aggregates.ts";
import { logarithmicAxis } from "./axes.ts";
import { type Drawing, type DrawnModel, figureDevices, shownSetting } from "./drawn_models.ts";
import { COLOUR, figureText } from "./theme.ts";

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
  const deviceOf = figureDevices(models);
  const values = models.flatMap((model): InferenceTime[] => {
    const ms = shownSetting(model)?.inference.mean ?? NaN;
    if (!(ms > 0 && Number.isFinite(ms))) return [];
    // What the row calls the device where the manifest says nothing.
    const device = deviceOf(model) || figureText(model.row.device, 24);
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
      "A mean over the test images and the seeds, with the device that it was timed on; to the left " +
      `is faster. The axis is logarithmic. What is timed is ${INFERENCE_CLOCK}.` +
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
