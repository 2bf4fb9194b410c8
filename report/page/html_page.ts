/**
 * A Markdown report as one HTML page that needs nothing outside itself: no program, no style sheet, no
 * picture is loaded from anywhere.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { Marked, type Token, type Tokens } from "marked";
import { CONTENTS, headingAnchor } from "./markdown.ts";

/** Options of {@linkcode renderHtml}. */
export interface HtmlOptions {
  /** Plain text, not escaped. */
  title: string;
  /** The pictures, SVG by the addresses that the Markdown gives them; others become their texts. */
  images: ReadonlyMap<string, Uint8Array>;
  /** Those of them that a program of the page draws anew; without any, the page has no program. */
  charts?: PageCharts | undefined;
}

/** Charts that programs of the page draw. */
export interface PageCharts {
  /** What is drawn in the place of a picture, by the picture's address: plain JSON. */
  specs: ReadonlyMap<string, unknown>;
  /** Run in this order at the end of the page, where `#charts` holds the specs as JSON. */
  scripts: readonly string[];
  /** Rules for what is inside of `.chart`. */
  style: string;
}

/** A picture that stands alone, with the text in italics that follows it. */
interface FigureToken {
  type: "figure";
  raw: string;
  image: Tokens.Image;
  caption: Tokens.Em | undefined;
}

/**
 * Renders GitHub-flavoured Markdown. HTML inside it is shown as text, never passed on; a link is kept
 * only if it leads to the web or to a place beside the page; headings get GitHub's anchors. A picture
 * alone in a paragraph is a figure, a paragraph in italics after it its caption; a paragraph that
 * begins with a bold {@linkcode CONTENTS} is the page's navigation. What may be too wide for the window
 * scrolls by itself and can be reached with the keyboard.
 */
export function renderHtml(markdown: string, options: HtmlOptions): string {
  const { images, charts } = options;
  const anchors = new Map<string, number>();
  let section = "Report";
  let tables = 0;
  let figures = 0;
  const marked: Marked = new Marked({
    gfm: true,
    extensions: [{
      name: "figure",
      renderer(token) {
        const { image, caption } = token as unknown as FigureToken;
        const address = escapeHtml(image.href);
        const live = charts?.specs.has(image.href) ? ` data-chart="${address}"` : "";
        const words = caption && this.parser.parseInline(caption.tokens);
        return `<figure>\n${scrolling(`Figure ${++figures}`, "chart")}<div${live}>${
          this.parser.parseInline([image])
        }</div></div>\n${words ? `<figcaption>${words}</figcaption>\n` : ""}</figure>\n`;
      },
    }],
    renderer: {
      html: ({ text }: Tokens.HTML | Tokens.Tag) => escapeHtml(text),
      heading({ tokens, depth, text }: Tokens.Heading) {
        const id = escapeHtml(uniqueAnchor(text, anchors));
        section = escapeOnce(this.parser.parseInline(tokens, this.parser.textRenderer));
        tables = 0;
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      paragraph({ tokens }: Tokens.Paragraph) {
        const [first] = tokens;
        const content = this.parser.parseInline(tokens);
        return first?.type === "strong" && (first as Tokens.Strong).text === CONTENTS
          ? `<nav aria-label="Contents">${content}</nav>\n`
          : `<p>${content}</p>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        const content = this.parser.parseInline(tokens);
        return isHarmless(href) ? `<a href="${escapeHtml(href)}">${content}</a>` : content;
      },
      image({ href, tokens }: Tokens.Image) {
        const alt = escapeOnce(this.parser.parseInline(tokens, this.parser.textRenderer));
        const svg = images.get(href);
        return svg === undefined
          ? `<em>${alt}</em>`
          : `<img src="data:image/svg+xml;base64,${svg.toBase64()}" alt="${alt}">`;
      },
      code({ text }: Tokens.Code) {
        return `<pre tabindex="0"><code>${escapeHtml(text)}\n</code></pre>\n`;
      },
      table(token: Tokens.Table) {
        const row = (cells: readonly Tokens.TableCell[], tag: "th" | "td") =>
          `<tr>${
            cells.map(({ tokens, align }) =>
              `<${tag}${align ? ` class="${align}"` : ""}>${
                this.parser.parseInline(tokens)
              }</${tag}>`
            ).join("")
          }</tr>\n`;
        return `${scrolling(`${section}, table ${++tables}`, "table")}<table>\n<thead>\n${
          row(token.header, "th")
        }</thead>\n<tbody>\n${
          token.rows.map((cells) => row(cells, "td")).join("")
        }</tbody>\n</table></div>\n`;
      },
    },
  });
  const body = marked.parser(withFigures(marked.lexer(markdown), images));
  const scripts = charts?.scripts ?? [];
  const policy = [
    "default-src 'none'",
    "img-src data:",
    "style-src 'unsafe-inline'",
    ...(scripts.length > 0 ? [`script-src ${scripts.map(hash).join(" ")}`] : []),
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(options.title)}</title>
<style>
${STYLE}${charts === undefined ? "" : `${charts.style}\n`}</style>
</head>
<body>
<main>
${body}</main>
${charts === undefined ? "" : chartScripts(charts)}</body>
</html>
`;
}

/** The start of a part that scrolls where it is too wide; its name is HTML already. */
function scrolling(name: string, kind: string): string {
  return `<div class="${kind}" role="group" aria-label="${name}" tabindex="0">`;
}

/** Takes pictures that stand alone, and what is said under them, together. */
function withFigures(tokens: readonly Token[], images: ReadonlyMap<string, Uint8Array>): Token[] {
  const content = tokens.filter(({ type }) => type !== "space");
  const result: Token[] = [];
  for (let i = 0; i < content.length; i++) {
    const image = onlyInline(content[i], "image") as Tokens.Image | undefined;
    if (image === undefined || !images.has(image.href)) {
      result.push(content[i]!);
      continue;
    }
    const caption = onlyInline(content[i + 1], "em") as Tokens.Em | undefined;
    if (caption !== undefined) i++;
    result.push({ type: "figure", raw: "", image, caption } as unknown as Token);
  }
  return result;
}

/** What a paragraph consists of, if it is one thing of this type. */
function onlyInline(token: Token | undefined, type: string): Token | undefined {
  const tokens = token?.type === "paragraph" ? (token as Tokens.Paragraph).tokens : [];
  return tokens.length === 1 && tokens[0]!.type === type ? tokens[0] : undefined;
}

/** The charts as JSON in which nothing ends a script, and the programs that draw them. */
function chartScripts({ specs, scripts }: PageCharts): string {
  const json = JSON.stringify(Object.fromEntries(specs)).replace(/</g, "\\u003c");
  return [
    `<script type="application/json" id="charts">${json}</script>\n`,
    ...scripts.map((script) => `<script>${script}</script>\n`),
  ].join("");
}

/** How a content security policy names a script that may run. */
function hash(script: string): string {
  return `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
}

const STYLE = `:root {
  color-scheme: light dark;
  --canvas: #ffffff; --ink: #1f2328; --line: #d0d7de; --shade: #f6f8fa; --link: #0969da;
  --quiet: #57606a;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --canvas: #0d1117; --ink: #e6edf3; --line: #30363d; --shade: #151b23; --link: #4493f8;
    --quiet: #9198a1;
  }
}
body {
  margin: 0; background: var(--canvas); color: var(--ink);
  font: 16px/1.5 -apple-system, BlinkMacSystemFont, "Segoe UI", Helvetica, Arial, sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 64px; overflow-wrap: anywhere; }
h1, h2 { border-bottom: 1px solid var(--line); padding-bottom: .3em; }
h1, h2, h3, h4 { line-height: 1.25; margin: 1.5em 0 .75em; }
a { color: var(--link); }
nav { line-height: 1.9; }
figure { margin: 0 0 32px; }
figcaption { margin-top: 8px; color: var(--quiet); font-size: 14px; max-width: 90ch; }
.table, .chart { overflow-x: auto; margin: 0 0 16px; }
.chart { margin: 0; }
.chart img, .chart svg { max-width: 100%; height: auto; display: block; }
.values {
  position: fixed; z-index: 1; pointer-events: none; padding: 6px 10px; font-size: 13px;
  background: var(--canvas); border: 1px solid var(--line); border-radius: 6px;
  box-shadow: 0 2px 8px #0004;
}
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 640px) { .chart img, .chart svg { max-width: none; } }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: 6px 9px; text-align: left; overflow-wrap: normal; }
tbody tr:nth-child(even) { background: var(--shade); }
th.right, td.right { text-align: right; }
td.right { white-space: nowrap; }
th.center, td.center { text-align: center; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 85%; }
code { background: var(--shade); border-radius: 6px; padding: .2em .4em; overflow-wrap: anywhere; }
pre { background: var(--shade); border-radius: 6px; padding: 16px; overflow-x: auto; }
td code { overflow-wrap: normal; }
pre code { background: none; padding: 0; font-size: 100%; }
blockquote { margin: 0 0 16px; padding: 0 1em; border-left: .25em solid var(--line); }
@page { size: A4 landscape; margin: 10mm; }
@media print {
  body, figcaption { font-size: 9pt; }
  main { max-width: none; padding: 0; }
  .table, .chart, pre { overflow: visible; }
  .values { display: none; }
  .chart img, .chart svg { max-width: 100%; max-height: 150mm; }
  pre { white-space: pre-wrap; }
  table { font-size: 7pt; }
  th, td { padding: 1.5pt 2pt; }
  td.right { white-space: normal; }
  /* Names, where they are first in a row or behind its number. */
  td:first-child:not(.right), td.right:first-child + td { overflow-wrap: anywhere; min-width: 11em; }
  h1, h2, h3, h4 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
}
`;

/** Nothing but the web, mail-less, and places beside or on the page. */
function isHarmless(href: string): boolean {
  return /^https?:\/\//i.test(href) || !/^[^/?#]*:/.test(href);
}

/** The anchor that GitHub makes of a heading; a repeated one is numbered. */
function uniqueAnchor(text: string, anchors: Map<string, number>): string {
  const anchor = headingAnchor(text);
  const count = anchors.get(anchor) ?? 0;
  anchors.set(anchor, count + 1);
  return count === 0 ? anchor : `${anchor}-${count}`;
}

function escapeHtml(text: string): string {
  return escapeOnce(text.replace(/&/g, "&amp;"));
}

/** Escapes what is not escaped yet: in alternative text the parser leaves entities as they are. */
function escapeOnce(text: string): string {
  return text.replace(/&(?!(?:\w+|#\d+|#x[\da-f]+);)/gi, "&amp;")
    .replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;").replace(/'/g, "&#39;");
}
