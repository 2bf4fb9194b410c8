/**
 * What all figures have in common: their colours in a light and in a dark theme, and the head of an
 * SVG document, which describes the figure and lets it follow the reader's theme.
 *
 * Colours of ink and canvas are written as those of the light theme, and a style sheet inside the SVG
 * replaces them where the reader prefers dark. A viewer that knows no style sheets shows the light
 * figure.
 *
 * @module
 */

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

/** What any reader is likely to have, the system's own first. */
export const FONT = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Helvetica, Arial, sans-serif";

/** Text that describes a figure. */
export interface FigureText {
  /** What it shows, for the SVG's `<title>`. */
  title: string;
  /** What can be seen in it, for the SVG's `<desc>`. */
  alt: string;
}

/**
 * CSS that gives what is drawn the colours of the dark theme where the reader prefers it.
 *
 * @param within Selector of what it is to be confined to, for pages that have more than one figure.
 */
export function darkRules(within = ""): string {
  const place = within === "" ? "" : `${within} `;
  const rules = Object.entries(DARK).map(([light, dark]) =>
    `${place}[fill="${light}"]{fill:${dark}}${place}[stroke="${light}"]{stroke:${dark}}`
  ).join("");
  return `@media (prefers-color-scheme: dark){${rules}}`;
}

/** Puts title, description and style sheet at the start of an SVG document. */
export function withHead(svg: string, { title, alt }: FigureText): string {
  const head = `<title>${escapeXml(figureText(title, Infinity))}</title>` +
    `<desc>${escapeXml(figureText(alt, Infinity))}</desc><style>${darkRules()}</style>`;
  return svg.replace(/^<svg [^>]*>/, (root) => `${root.slice(0, -1)} role="img">${head}`) + "\n";
}

/**
 * Text that is safe in a figure: one line, without control, direction or unassigned characters, cut
 * where it is too long. XML cannot hold some of them even escaped.
 */
export function figureText(text: string, limit = 40): string {
  return printable(text, limit);
}

function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
