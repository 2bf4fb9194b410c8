/**
 * Compiles a Vega-Lite specification with what all figures have in common, and renders it as SVG text,
 * without a browser or a canvas.
 *
 * @module
 */

import { logger, parse, resetSVGDefIds, type Spec, textMetrics, View, Warn } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile, type Config, type TopLevelSpec } from "vega-lite";
import { COLOUR, type FigureText, FONT, withHead } from "./theme.ts";

/** Without a canvas Vega's own estimate is too wide by half. Its types leave this object out. */
declare module "vega" {
  const textMetrics: { width: (item: TextItem, text: unknown) => number };
}

interface TextItem {
  fontSize?: number;
  fontWeight?: string | number;
}

const ink = { labelColor: COLOUR.ink, titleColor: COLOUR.ink, labelLimit: 0, titleLimit: 0 };

/** What all figures have in common. */
const CONFIG: Config = {
  aria: false,
  background: COLOUR.canvas,
  font: FONT,
  padding: 12,
  view: { stroke: null },
  axis: {
    ...ink,
    domainColor: COLOUR.line,
    gridColor: COLOUR.line,
    tickColor: COLOUR.line,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    titlePadding: 8,
    labelPadding: 5,
  },
  legend: {
    ...ink,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    orient: "top",
    direction: "horizontal",
    symbolStrokeWidth: 2,
  },
  header: { ...ink, labelFontSize: 13, labelFontWeight: "bold", labelAnchor: "start" },
  title: {
    color: COLOUR.ink,
    subtitleColor: COLOUR.quiet,
    anchor: "start",
    frame: "group",
    fontSize: 14,
    subtitleFontSize: 12,
    offset: 12,
  },
};

/** Compiles a figure to what Vega itself runs, here or in a browser. */
export function compileChart(spec: TopLevelSpec): Spec {
  return compile(spec, { config: CONFIG, logger: logger(Warn) }).spec;
}

/**
 * Renders a figure. The same input gives the same bytes.
 *
 * @param spec What to draw; data are inside it, nothing is loaded.
 * @returns A whole SVG document that refers to nothing outside itself.
 */
export function renderSvg(spec: TopLevelSpec, text: FigureText): Promise<string> {
  return renderChart(compileChart(spec), text);
}

/** The same of a figure that is compiled already. */
export async function renderChart(chart: Spec, text: FigureText): Promise<string> {
  // Ids count up over all figures of a process unless they are set back.
  resetSVGDefIds();
  textMetrics.width = estimatedWidth;
  // Expressions are interpreted, as they are in a page that lets no text become code.
  const program = parse(chart, undefined, { ast: true });
  const view = new View(program, { renderer: "none", expr: expressionInterpreter });
  try {
    return withHead(await view.toSVG(), text);
  } finally {
    view.finalize();
  }
}

/**
 * Width of a text in pixels. Which font the reader has is not known: this is what the widest usual
 * sans-serif fonts need. Characters beyond the alphabets are as wide as they are high.
 */
function estimatedWidth(item: TextItem, text: unknown): number {
  const { fontSize = 11, fontWeight = "normal" } = item;
  const narrow = fontWeight === "bold" ? 0.69 : 0.6;
  const widths = [...String(text)].map((character) => character < "\u2e80" ? narrow : 1);
  return fontSize * widths.reduce((sum, width) => sum + width, 0);
}
