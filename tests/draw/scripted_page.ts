/// <reference lib="dom" />
/** The page in a browser with models that answer as a test says: nothing is trained. */

import type { Page } from "puppeteer-core";
import { bundlePage } from "../../draw/bundle.ts";
import { toBase64 } from "../../draw/page/base64.ts";
import { type Answer, DATA_PATH, type PageData } from "../../draw/page/protocol.ts";
import { pageFiles } from "../../draw/page_files.ts";
import { servePage } from "../../draw/page_server.ts";
import { BROWSER, withBrowser } from "../browser.ts";
import { open } from "./drawn_page.ts";

/** A model by its name: answers the digit that it takes pixels for, when it likes. */
export type ScriptedModels = Readonly<Record<string, (pixels: Uint8Array) => Promise<Answer>>>;

/** A model's answer that it is sure of. */
export function sureOf(digit: number, milliseconds = 1): Answer {
  const probabilities = Array.from({ length: 10 }, (_, label) => label === digit ? 0.9 : 0.01);
  return { probabilities, view: toBase64(new Uint8Array(784)), milliseconds };
}

/** Two models that agree. */
const AGREED: ScriptedModels = {
  One: () => Promise.resolve(sureOf(7)),
  Two: () => Promise.resolve(sureOf(7)),
};

/** Opens the page with such models and a row of misread digits. */
export async function withScriptedPage(
  action: (page: Page) => Promise<void>,
  models: ScriptedModels = AGREED,
): Promise<void> {
  const names = Object.keys(models);
  const data: PageData = {
    models: names.map((name) => ({
      ...{
        name,
        title: name,
        side: 28,
        runId: "",
        accuracy: 99,
        testImages: 10_000,
        milliseconds: null,
      },
    })),
    misread: Array.from({ length: 12 }, (_, index) => ({
      ...{ index, label: 4, readings: names.map(() => 9) },
      pixels: toBase64(Uint8Array.from({ length: 784 }, (_, i) => i % 28 === 14 ? 255 : 0)),
    })),
  };
  const files = await pageFiles("", { scripts: ["page.js"] });
  const script = await bundlePage("ask_server.ts");
  files.set("page.js", { type: "text/javascript; charset=utf-8", content: script });
  files.set(DATA_PATH.slice(1), { type: "application/json", content: JSON.stringify(data) });
  await using server = servePage({
    ...{ host: "127.0.0.1", port: 0, files },
    models: new Map(Object.entries(models)),
  });
  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    await open(page, server.address);
    await action(page);
  });
}

/** A test on such a page; skipped, and called so, where there is no browser. */
export function scriptedPageTest(
  name: string,
  action: (page: Page) => Promise<void>,
  models: ScriptedModels = AGREED,
): void {
  const missing = BROWSER === null ? " (skipped: no Chromium is installed)" : "";
  // The browser's own messages come when they come.
  const lenient = { sanitizeOps: false, sanitizeResources: false, ignore: BROWSER === null };
  Deno.test({
    name: `${name}${missing}`,
    ...lenient,
    fn: () => withScriptedPage(action, models),
  });
}

/** The id of what has the focus; that of nothing is empty. */
export function focusOf(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.id ?? "");
}
