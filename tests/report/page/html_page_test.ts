import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { renderHtml } from "../../../report/page/html_page.ts";
import { escapeMarkdown, table } from "../../../report/page/markdown.ts";

const none = new Map<string, Uint8Array>();

function body(markdown: string, images: ReadonlyMap<string, Uint8Array> = none): string {
  const page = renderHtml(markdown, { title: "t", images });
  return page.slice(page.indexOf("<main>\n") + 7, page.indexOf("</main>"));
}

/** What a browser would read in the first cell of the first row. */
function firstCell(html: string): string {
  return html.match(/<td>(.*?)<\/td>/s)![1]!
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&");
}

Deno.test("renderHtml() renders tables as GitHub does", () => {
  const html = body(table([{ title: "Model" }, { title: "F1", align: "right" }], [["a", "0.9"]]));
  assertStringIncludes(html, '<tr><th>Model</th><th class="right">F1</th></tr>');
  assertStringIncludes(html, '<tr><td>a</td><td class="right">0.9</td></tr>');
});

Deno.test("renderHtml() puts pictures into the page", () => {
  const svg = new TextEncoder().encode("<svg/>");
  const html = body(
    "![what *it* shows & \\_more\\_ &lt;b&gt;](figures/a.svg)",
    new Map([["figures/a.svg", svg]]),
  );
  assertStringIncludes(
    html,
    `<img src="data:image/svg+xml;base64,${
      btoa("<svg/>")
    }" alt="what it shows &amp; _more_ &lt;b&gt;">`,
  );
});

Deno.test("renderHtml() shows the text of a picture that it does not have", () => {
  for (const address of ["figures/b.svg", "https://example.org/b.png", "/etc/passwd"]) {
    const html = body(`![a chart](${address})`);
    assertEquals(html, "<p><em>a chart</em></p>\n");
  }
});

Deno.test("renderHtml() shows HTML as text", () => {
  const html = body(
    "<script>alert(1)</script>\n\nand <img src=x onerror=alert(1)> inline\n\n<b>bold</b>\n",
  );
  assertEquals(html.match(/<(?!\/?p>)[^>]*>/g), null, html);
  assertStringIncludes(html, "&lt;script&gt;alert(1)&lt;/script&gt;");
});

Deno.test("renderHtml() shows an escaped name as it is", () => {
  const names = [
    'a|b <script>alert("x")</script>',
    "[x](javascript:alert(1)) ![y](z.svg)",
    "a & b &lt; c `code` ~~gone~~ **bold** _low_ $x$",
    "https://example.org/?a=1&b=2",
    "back\\slash \\| pipe",
  ];
  for (const name of names) {
    const html = body(table([{ title: "Model" }], [[escapeMarkdown(name)]]));
    const cell = html.match(/<td>(.*?)<\/td>/s)![1]!.replace(/<\/?a[^>]*>/g, "");
    assert(!/</.test(cell), cell);
    assertEquals(firstCell(html).replace(/<\/?a[^>]*>/g, ""), name);
  }
});

Deno.test("renderHtml() keeps links to the web and beside the page only", () => {
  const links = {
    "https://example.org/a?b=1&c=2": true,
    "#results": true,
    "runs/x/manifest.json": true,
    "javascript:alert(1)": false,
    "JavaScript:alert(1)": false,
    "data:text/html,x": false,
    "file:///etc/passwd": false,
  };
  for (const [href, kept] of Object.entries(links)) {
    const html = body(`[text](${href})`);
    assertEquals(html.includes("<a "), kept, html);
    assertStringIncludes(html, "text");
  }
});

Deno.test("renderHtml() gives headings GitHub's anchors", () => {
  const html = body("# The study's results, and ours\n\n## Model a\\_b\n\n## Same\n\n## Same\n");
  assertStringIncludes(html, '<h1 id="the-studys-results-and-ours">');
  assertStringIncludes(html, '<h2 id="model-a_b">');
  assertStringIncludes(html, '<h2 id="same">');
  assertStringIncludes(html, '<h2 id="same-1">');
});

Deno.test("renderHtml() makes one page without scripts or anything to load", () => {
  const page = renderHtml("# Report\n\n[a](https://example.org)\n", {
    title: "A <title> & more",
    images: none,
  });
  assertMatch(page, /^<!DOCTYPE html>\n<html lang="en">/);
  assertStringIncludes(page, "<title>A &lt;title&gt; &amp; more</title>");
  assertStringIncludes(page, "prefers-color-scheme: dark");
  assert(!/<script|<link|@import|\ssrc="(?!data:)|url\(/i.test(page));
});
