/** What the tests of the page share: trained models, the page with a server and without, a browser. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { withBrowser } from "../browser.ts";
import { draw, open, serveFolder, startDrawing, trainModels, type Visit } from "./drawn_page.ts";

/** Width and height of the tab. */
export const DESKTOP = { width: 1280, height: 860 };

/** Where a page without a server lies: below the top of its site. */
const SUBPATH = "/some/where/";

/** All that is there while the tests run. */
export interface Stage extends AsyncDisposable {
  browser: Browser;
  /** A tab with the served page; of all that happens on it what went wrong and what was asked for. */
  page: Page;
  visit: Visit;
  address: string;
  /** Folder of the page without a server, and where a plain web server has it. */
  site: string;
  siteAddress: string;
}

/** Makes it, once for all tests, as training and starting take a while. */
export async function setStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const results = await trainModels(folder);
  const site = join(folder, "site");
  const { code, stdout, stderr } = await draw(["--results", results, "--static", site]).end();
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /index\.html/);
  const { program, address } = await startDrawing(results);
  stack.defer(async () => {
    program.kill("SIGINT");
    const ended = await program.end();
    assertEquals([ended.code, ended.stderr], [0, ""]);
  });
  const { server, address: siteAddress } = serveFolder(site, SUBPATH);
  stack.defer(() => server.shutdown());
  const { browser, close } = await startBrowser();
  stack.defer(close);
  const page = await browser.newPage();
  await page.setViewport(DESKTOP);
  const visit = await open(page, address);
  const owned = stack.move();
  const dispose = () => owned.disposeAsync();
  return { browser, page, visit, address, site, siteAddress, [Symbol.asyncDispose]: dispose };
}

/** A browser that stays open until it is closed. */
async function startBrowser(): Promise<{ browser: Browser; close: () => Promise<void> }> {
  const started = Promise.withResolvers<Browser>();
  const closing = Promise.withResolvers<void>();
  const ended = withBrowser((browser) => {
    started.resolve(browser);
    return closing.promise;
  });
  ended.catch(started.reject);
  const close = () => {
    closing.resolve();
    return ended;
  };
  return { browser: await started.promise, close };
}
