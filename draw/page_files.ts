/**
 * The files that a page is made of.
 *
 * @module
 */

/** A file of a page. */
export interface PageFile {
  /** Its media type, for the header `content-type`. */
  type: string;
  content: string | Uint8Array<ArrayBuffer>;
}

/** What a page's document is made with. */
export interface DocumentOptions {
  /** Its scripts, by address, in the order in which they run. */
  scripts: readonly string[];
  /**
   * A content security policy, for pages that come without headers.
   *
   * @default {none}
   */
  policy?: string;
  /**
   * The command that wrote it, for pages that are files.
   *
   * @default {none}
   */
  generator?: string;
}

/** The page's document, its style and its icon, by their addresses. */
export async function pageFiles(
  document: string,
  { scripts, policy, generator }: DocumentOptions,
): Promise<Map<string, PageFile>> {
  const [html, css, icon] = await Promise.all(
    ["page.html", "page.css", "icon.svg"].map((name) =>
      Deno.readTextFile(new URL(`./page/${name}`, import.meta.url))
    ),
  );
  const metas = [
    ...(policy === undefined
      ? []
      : [`<meta http-equiv="content-security-policy" content="${policy}">`]),
    ...(generator === undefined ? [] : [generatorTag(generator)]),
  ];
  const tags = scripts.map((address) => `<script src="${address}" defer></script>`);
  const content = html!.replace("<!-- metas -->", () => metas.join("\n    "))
    .replace("<!-- scripts -->", () => tags.join("\n    "));
  return new Map<string, PageFile>([
    [document, { type: "text/html; charset=utf-8", content }],
    ["page.css", { type: "text/css; charset=utf-8", content: css! }],
    ["icon.svg", { type: "image/svg+xml", content: icon! }],
  ]);
}

/** Whether a document says that a command wrote it. */
export function isWrittenBy(generator: string, document: string): boolean {
  return document.includes(generatorTag(generator));
}

function generatorTag(generator: string): string {
  return `<meta name="generator" content="${generator}">`;
}
