import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { renderHtml } from "../../../report/page/html_page.ts";
import { CONTENTS, escapeMarkdown, table } from "../../../report/page/markdown.ts";

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

Deno.test("renderHtml() makes a figure of a picture alone, with the italics after it as caption", () => {
  const svg = new Map([["a.svg", new TextEncoder().encode("<svg/>")]]);
  const html = body("![what](a.svg)\n\n*Figure 1. How to **read** it*\n\nText\n", svg);
  assertMatch(
    html,
    /^<figure>\n<div class="chart" role="group" aria-label="Figure 1" tabindex="0">/,
  );
  assertStringIncludes(
    html,
    "</div>\n<figcaption>Figure 1. How to <strong>read</strong> it</figcaption>\n</figure>\n<p>Text",
  );
  assert(!body("![what](a.svg)\n\nText\n", svg).includes("figcaption"));
  assert(!body("![what](a.svg) and\n\n*more*\n", svg).includes("<figure"));
});

Deno.test("renderHtml() makes what scrolls reachable with the keyboard, by a name of its own", () => {
  const one = table([{ title: "Model" }], [["a"]]);
  const html = body(`## Runs & <more>\n\n${one}\n${one}\n\`\`\`sh\na < b\n\`\`\`\n`);
  const names = [...html.matchAll(/role="group" aria-label="([^"]*)" tabindex="0"/g)];
  assertEquals(names.map(([, name]) => name), [
    "Runs &amp; &lt;more&gt;, table 1",
    "Runs &amp; &lt;more&gt;, table 2",
  ]);
  assertStringIncludes(html, '<pre tabindex="0"><code>a &lt; b\n</code></pre>');
});

Deno.test("renderHtml() makes navigation of the contents", () => {
  const html = body(`**${CONTENTS}** [One](#one) · [Two](#two)\n\n**Other:** text\n`);
  assertMatch(html, /^<nav aria-label="Contents"><strong>Contents:<\/strong> <a href="#one">/);
  assertStringIncludes(html, "<p><strong>Other:</strong> text</p>");
});

Deno.test("renderHtml() allows the charts' programs by their hashes, and ends none within its data", () => {
  const charts = {
    specs: new Map([["a.svg", { title: "</script><script>alert(1)</script>" }]]),
    scripts: ["first()", "second()"],
    style: ".chart { color: red }",
  };
  const images = new Map(["a.svg", "b.svg"].map((file) => [file, new Uint8Array()]));
  const page = renderHtml("![a](a.svg)\n\n![b](b.svg)\n", { title: "t", images, charts });
  // echo -n 'first()' | openssl dgst -sha256 -binary | base64
  assertStringIncludes(
    page,
    "script-src 'sha256-fDYmfWjvur9AxjhDbjHe6RvExc05MbXhhrbgz2vvy/A=' 'sha256-VRcK3v7WYQJL3yHheBe4dsvLYjAYwFTyoPi2odncRio='\">",
  );
  const data = page.match(/<script type="application\/json" id="charts">(.*?)<\/script>/)![1]!;
  assertEquals(JSON.parse(data), Object.fromEntries(charts.specs));
  assertEquals(page.match(/<script/g)!.length, 3);
  assertEquals([...page.matchAll(/data-chart="([^"]*)"/g)].map(([, file]) => file), ["a.svg"]);
  assertStringIncludes(page, charts.style);
  assert(!page.includes("unsafe-eval"));
});
