/**
 * Renders a Vega-Lite specification as SVG text, without a browser or a canvas.
 *
 * The figure brings its own background and follows the reader's light or dark theme: colours of ink
 * and canvas are written as those of the light theme, and a style sheet inside the SVG replaces them
 * where the reader prefers dark. A viewer that knows no style sheets shows the light figure.
 *
 * @module
 */

import { logger, parse, resetSVGDefIds, textMetrics, View, Warn } from "vega";
import { compile, type Config, type TopLevelSpec } from "vega-lite";
import { printable } from "../../io/printable.ts";

/**
 * Colours of the light theme, and what the dark one has instead. All but the lines stand out from the
 * canvas by 4.5:1 or more (WCAG 2.2, contrast of text).
 */
const DARK: Readonly<Record<string, string>> = {
  "#ffffff": "#0d1117",
  "#1f2328": "#e6edf3",
  "#57606a": "#9198a1",
  "#d0d7de": "#30363d",
  "#0060a0": "#4aa3df",
  "#b34700": "#f08a3c",
  "#00795a": "#2fc79a",
  "#a3467f": "#df8ab9",
  "#7d6400": "#d9ab00",
  "#0a7685": "#56cfe0",
};

/** Colours by their use; each has a counterpart in the dark theme. */
export const COLOUR = {
  canvas: "#ffffff",
  ink: "#1f2328",
  quiet: "#57606a",
  line: "#d0d7de",
  ours: "#0060a0",
  published: "#b34700",
} as const;

/** Colours that tell models apart, also for the colour-blind; shapes go with them. */
export const MODEL_COLOURS = [
  "#0060a0",
  "#b34700",
  "#00795a",
  "#a3467f",
  "#7d6400",
  "#0a7685",
] as const;

/** The same in both themes: cells that are filled more or less, and text on the darkest. */
export const FILL = { correct: "#0b5cab", wrong: "#a84300", text: "#fffffe" } as const;

/** Without a canvas Vega's own estimate is too wide by half. Its types leave this object out. */
declare module "vega" {
  const textMetrics: { width: (item: TextItem, text: unknown) => number };
}

interface TextItem {
  fontSize?: number;
  fontWeight?: string | number;
}

const FONT = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Helvetica, Arial, sans-serif";

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

/** Text that describes a figure. */
export interface FigureText {
  /** What it shows, for the SVG's `<title>`. */
  title: string;
  /** What can be seen in it, for the SVG's `<desc>`. */
  alt: string;
}

/**
 * Renders a figure. The same input gives the same bytes.
 *
 * @param spec What to draw; data are inside it, nothing is loaded.
 * @returns A whole SVG document that refers to nothing outside itself.
 */
export async function renderSvg(spec: TopLevelSpec, text: FigureText): Promise<string> {
  const compiled = compile(spec, { config: CONFIG, logger: logger(Warn) });
  // Ids count up over all figures of a process unless they are set back.
  resetSVGDefIds();
  textMetrics.width = estimatedWidth;
  const view = new View(parse(compiled.spec), { renderer: "none" });
  try {
    return withHead(await view.toSVG(), text);
  } finally {
    view.finalize();
  }
}

/**
 * Text that is safe in a figure: one line, without control, direction or unassigned characters, cut
 * where it is too long. XML cannot hold some of them even escaped.
 */
export function figureText(text: string, limit = 40): string {
  return printable(text, limit);
}

/** Puts title, description and style sheet at the start of the document. */
function withHead(svg: string, { title, alt }: FigureText): string {
  const dark = Object.entries(DARK).map(([light, dark]) =>
    `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`
  ).join("");
  const head = `<title>${escapeXml(figureText(title, Infinity))}</title>` +
    `<desc>${escapeXml(figureText(alt, Infinity))}</desc>` +
    `<style>@media (prefers-color-scheme: dark){${dark}}</style>`;
  return svg.replace(/^<svg [^>]*>/, (root) => `${root.slice(0, -1)} role="img">${head}`) + "\n";
}

function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
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
