/**
 * Takes the pictures of the page in README and the guide: `deno task screenshots`.
 *
 *     deno task screenshots --results DIR
 *
 * They show the models in that folder at a digit that they do not agree on, if there is one among
 * those below.
 *
 * @module
 */

import { join } from "node:path";
import type { Page } from "puppeteer-core";
import { repositoryRoot } from "../../io/cache.ts";
import { StudyError } from "../../io/errors.ts";
import { readCommandLine } from "../../io/help_text.ts";
import type { FlagTable } from "../../io/parse_flags.ts";
import { createReporter } from "../../io/reporter.ts";
import { runScript } from "../../io/run_script.ts";
import { BROWSER, withBrowser } from "../browser.ts";
import { arc, clear, drawStrokes, open, settle, startDrawing } from "./drawn_page.ts";

const FLAGS = {
  results: {
    kind: "path",
    default: "results",
    help: "folder of the results with the models' runs",
  },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

/** Digits between two: a 3 that is nearly an 8, a 5 that is nearly a 6, a 4 that is nearly a 9. */
const AMBIGUOUS = [
  [[
    [0.64, 0.18] as const,
    [0.42, 0.22] as const,
    [0.37, 0.46] as const,
    ...arc([0.48, 0.62], [0.17, 0.17], [-0.35, 0.56]),
  ]],
  [[
    ...arc([0.5, 0.35], [0.15, 0.14], [-0.62, 0.22]),
    ...arc([0.49, 0.65], [0.18, 0.17], [-0.22, 0.62]),
  ]],
  [[[0.62, 0.2], [0.5, 0.26], [0.36, 0.42], [0.36, 0.5], [0.66, 0.46]], [[0.66, 0.26], [
    0.6,
    0.84,
  ]]],
] as const;

const PICTURES = [
  { name: "draw-light", theme: "light", viewport: { width: 1240, height: 850 } },
  { name: "draw-dark", theme: "dark", viewport: { width: 1240, height: 850 } },
  {
    name: "draw-phone",
    theme: "light",
    viewport: { width: 390, height: 780, isMobile: true, hasTouch: true },
  },
] as const;

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task screenshots [flags]",
    description:
      "Takes pictures of the page of deno task draw, for README and the guide, into docs/.",
    table: FLAGS,
    examples: ["deno task screenshots"],
  });
  if (flags === undefined) return;
  if (BROWSER === null) throw new StudyError("There is no Chromium: install the package chromium");
  const reporter = createReporter();
  const { program, address } = await startDrawing(flags.results);
  try {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      for (const { name, theme, viewport } of PICTURES) {
        await page.setViewport(viewport);
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
        await open(page, address);
        await drawAmbiguous(page);
        const path = join(repositoryRoot(), "docs", `${name}.png`);
        await Deno.writeFile(path, await page.screenshot());
        reporter.line(path);
      }
    });
  } finally {
    program.kill("SIGINT");
    await program.end();
  }
}

/** Draws the first digit that the models disagree on, or else the last. */
async function drawAmbiguous(page: Page): Promise<void> {
  for (const strokes of AMBIGUOUS) {
    await clear(page);
    await drawStrokes(page, strokes);
    await settle(page);
    const agree = await page.$eval("#verdict", (line) => line.getAttribute("data-agree"));
    if (agree === "false") break;
  }
  // Bars take a moment to get where they belong.
  await new Promise((resolve) => setTimeout(resolve, 300));
}

if (import.meta.main) await runScript(main);
