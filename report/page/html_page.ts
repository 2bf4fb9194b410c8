/**
 * A Markdown report as one HTML page that needs nothing outside itself: no script, no style sheet, no
 * picture is loaded from anywhere.
 *
 * @module
 */

import { Marked, type Tokens } from "marked";

/** Options of {@linkcode renderHtml}. */
export interface HtmlOptions {
  /** Plain text, not escaped. */
  title: string;
  /** The pictures, by the addresses that the Markdown gives them; others become their texts. */
  images: ReadonlyMap<string, Uint8Array>;
}

const IMAGE_TYPES: Readonly<Record<string, string>> = {
  svg: "image/svg+xml",
  png: "image/png",
};

/**
 * Renders GitHub-flavoured Markdown. HTML inside it is shown as text, never passed on; a link is kept
 * only if it leads to the web or to a place beside the page; headings get GitHub's anchors.
 */
export function renderHtml(markdown: string, options: HtmlOptions): string {
  const anchors = new Map<string, number>();
  const marked = new Marked({
    gfm: true,
    renderer: {
      html: ({ text }: Tokens.HTML | Tokens.Tag) => escapeHtml(text),
      heading({ tokens, depth, text }: Tokens.Heading) {
        const id = escapeHtml(uniqueAnchor(text, anchors));
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        const content = this.parser.parseInline(tokens);
        return isHarmless(href) ? `<a href="${escapeHtml(href)}">${content}</a>` : content;
      },
      image({ href, tokens }: Tokens.Image) {
        const alt = escapeOnce(this.parser.parseInline(tokens, this.parser.textRenderer));
        const bytes = options.images.get(href);
        const type = IMAGE_TYPES[href.split(".").at(-1)!];
        if (bytes === undefined || type === undefined) return `<em>${alt}</em>`;
        return `<img src="data:${type};base64,${bytes.toBase64()}" alt="${alt}">`;
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
        return `<div class="table"><table>\n<thead>\n${row(token.header, "th")}</thead>\n<tbody>\n${
          token.rows.map((cells) => row(cells, "td")).join("")
        }</tbody>\n</table></div>\n`;
      },
    },
  });
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(options.title)}</title>
<style>
${STYLE}</style>
</head>
<body>
<main>
${marked.parse(markdown, { async: false })}</main>
</body>
</html>
`;
}

const STYLE = `:root {
  color-scheme: light dark;
  --canvas: #ffffff; --ink: #1f2328; --line: #d0d7de; --shade: #f6f8fa; --link: #0969da;
}
@media (prefers-color-scheme: dark) {
  :root {
    --canvas: #0d1117; --ink: #e6edf3; --line: #30363d; --shade: #151b23; --link: #4493f8;
  }
}
body {
  margin: 0; background: var(--canvas); color: var(--ink);
  font: 16px/1.5 -apple-system, BlinkMacSystemFont, "Segoe UI", Helvetica, Arial, sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 64px; }
h1, h2 { border-bottom: 1px solid var(--line); padding-bottom: .3em; }
h1, h2, h3, h4 { line-height: 1.25; margin: 1.5em 0 .75em; }
a { color: var(--link); }
img { max-width: 100%; height: auto; display: block; }
.table { overflow-x: auto; margin: 0 0 16px; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: 6px 9px; text-align: left; }
tbody tr:nth-child(even) { background: var(--shade); }
th.right, td.right { text-align: right; }
td.right { white-space: nowrap; }
th.center, td.center { text-align: center; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 85%; }
code { background: var(--shade); border-radius: 6px; padding: .2em .4em; overflow-wrap: anywhere; }
pre { background: var(--shade); border-radius: 6px; padding: 16px; overflow-x: auto; }
pre code { background: none; padding: 0; font-size: 100%; }
blockquote { margin: 0 0 16px; padding: 0 1em; border-left: .25em solid var(--line); }
`;

/** Nothing but the web, mail-less, and places beside or on the page. */
function isHarmless(href: string): boolean {
  return /^https?:\/\//i.test(href) || !/^[^/?#]*:/.test(href);
}

/** The anchor that GitHub makes of a heading; a repeated one is numbered. */
function uniqueAnchor(text: string, anchors: Map<string, number>): string {
  const anchor = text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");
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
