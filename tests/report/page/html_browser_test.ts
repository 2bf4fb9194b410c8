/** The HTML report as a browser shows it: charts that answer the mouse, and nothing asked of a network. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { pathToFileURL } from "node:url";
import type { Page } from "puppeteer-core";
import { compareResults, writeReport } from "../../../report/compare.ts";
import { drawFigures } from "../../../report/figures/draw_figures.ts";
import { renderHtml } from "../../../report/page/html_page.ts";
import { table } from "../../../report/page/markdown.ts";
import { ProblemList } from "../../../report/record/problems.ts";
import { BROWSER, seriousViolations, withBrowser } from "../../browser.ts";
import { detector, IMAGES, simple } from "../compared_runs.ts";
import { recordRun, withFolder } from "../result_rows.ts";

const SKIPPED = BROWSER === null ? " (skipped: no Chromium is installed)" : "";

const HOSTILE = "<img src=x onerror=alert(1)></script>'\"";

/** Writes the report on three runs, one with a hostile name, and opens it. */
async function withReport(check: (page: Page) => Promise<void>): Promise<void> {
  await withFolder({}, async (folder) => {
    await recordRun(folder, { ...simple, row: { inference_ms_per_image: 0.2 } });
    await recordRun(folder, { ...detector, row: { ...detector.row, inference_ms_per_image: 70 } });
    await recordRun(folder, { ...simple, row: { run_id: "x", model: HOSTILE, seed: 3 } });
    const comparison = await compareResults([folder]);
    const figures = await drawFigures(comparison, {
      testImages: () =>
        Promise.resolve({
          images: new Uint8Array(784 * IMAGES).fill(99),
          labels: Uint8Array.from({ length: IMAGES }, (_, i) => i % 10),
        }),
      problems: new ProblemList(),
    });
    const path = await writeReport(folder, comparison, { format: "html", figures });
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      const odd: string[] = [];
      page.on("console", (message) => odd.push(message.text()));
      page.on("pageerror", (error) => odd.push(String(error)));
      page.on("dialog", (dialog) => odd.push(dialog.message()));
      page.on("request", (request) => {
        const url = request.url();
        if (!url.startsWith("data:") && url !== pathToFileURL(path).href) odd.push(url);
      });
      await page.setViewport({ width: 1200, height: 800 });
      await page.goto(pathToFileURL(path).href);
      await page.waitForFunction("!document.querySelector('[data-chart] img')", {
        timeout: 60_000,
      });
      await check(page);
      assertEquals(odd, []);
    });
    assertEquals([...Deno.readDirSync(folder)].filter(({ name }) => name === "figures"), []);
  });
}

Deno.test({
  name:
    `the HTML report shows values under the mouse, asks no network, and has no barriers${SKIPPED}`,
  ignore: BROWSER === null,
  fn: () =>
    withReport(async (page) => {
      const point = "[data-chart='figures/inference_time.svg'] .mark-symbol.role-mark path";
      assert(await page.$(".values[hidden]") !== null);
      await page.hover(point);
      const shown = await page.$eval(".values:not([hidden])", (note) => note.textContent);
      assertStringIncludes(shown!, "Model: SimpleCNN");
      assertStringIncludes(shown!, "Time per image (ms): 0.2");
      const count = (selector: string) => page.$$eval(selector, ({ length }) => length);
      assertEquals([await count("[data-chart] svg"), await count("figure img")], [7, 3]);
      assertEquals(await count("figcaption"), 10);
      const links = await page.$$eval("nav a", (all) => all.map((a) => a.getAttribute("href")!));
      for (const link of links) assert(await page.$(`[id="${link.slice(1)}"]`) !== null, link);
      assert(links.length >= 9);
      assertEquals(await page.$$eval("th", (all) => all.filter((th) => !th.textContent).length), 0);
      for (const [width, theme] of [[1200, "light"], [390, "light"], [1200, "dark"]] as const) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
        await page.setViewport({ width, height: 800 });
        assertEquals(await seriousViolations(page), [], `${width} pixels wide, ${theme}`);
        const background = "getComputedStyle(document.querySelector('.chart svg')).backgroundColor";
        assertEquals(await page.evaluate(background), "rgba(0, 0, 0, 0)");
        // What is too wide scrolls by itself, not the page with it.
        const room = await page.evaluate("document.documentElement.scrollWidth");
        assert(room as number <= width, `${room} of ${width} pixels`);
      }
    }),
});

/** Opens a page of this Markdown. */
async function withPage(markdown: string, check: (page: Page) => Promise<void>): Promise<void> {
  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    await page.setContent(renderHtml(markdown, { title: "t", images: new Map() }));
    await check(page);
  });
}

/** A sheet of A4 on its side without its margins, in CSS pixels. */
const SHEET = { width: 1047, height: 718 };

Deno.test({
  name: `the HTML report has every column of its tables on paper${SKIPPED}`,
  ignore: BROWSER === null,
  fn: () => {
    const name = "model_".repeat(20);
    const columns = ["Model", ...Array.from({ length: 12 }, (_, i) => `Measured value ${i}`)];
    const cells = [
      `**${name}**`,
      ...columns.slice(1).map(() => "99.1234 ± 0.0567 of 10 seeds, ours"),
    ];
    const wide = table(
      columns.map((title, i) => i === 0 ? { title } : { title, align: "right" }),
      [cells],
    );
    return withPage(`${wide}\n\n\`\`\`sh\n${"word ".repeat(200)}\n\`\`\`\n`, async (page) => {
      await page.setViewport(SHEET);
      const widths = () =>
        page.$$eval(
          "table, pre code",
          (all) => all.map((one) => one.getBoundingClientRect().right),
        );
      assert((await widths()).every((right) => right > SHEET.width));
      await page.emulateMediaType("print");
      for (const right of await widths()) assert(right <= SHEET.width, `${right} pixels`);
      const clipped = await page.$$eval(
        ".table, pre",
        (all) => all.filter((one) => one.scrollWidth > one.clientWidth).length,
      );
      assertEquals(clipped, 0);
    });
  },
});

Deno.test({
  name: `the HTML report breaks a long name in its text on a narrow window${SKIPPED}`,
  ignore: BROWSER === null,
  fn: () =>
    withPage(`Text of **${"model".repeat(20)}**\n`, async (page) => {
      await page.setViewport({ width: 320, height: 800 });
      assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 320);
    }),
});
