/** A browser for the tests of pages: any Chromium that is installed. */

import axe from "axe-core";
import puppeteer, { type Browser, type Page } from "puppeteer-core";

/** Where the usual packages put one, by its name in PATH or by its place. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const PLACES = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** Path of the executable; `null` if there is none, and tests that need one are to be skipped. */
export const BROWSER: string | null = findBrowser();

function findBrowser(): string | null {
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  const paths = NAMES.flatMap((name) => folders.map((folder) => `${folder}/${name}`));
  return [...paths, ...PLACES].find(isFile) ?? null;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Starts the browser without a window and closes it afterwards. */
export async function withBrowser(action: (browser: Browser) => Promise<void>): Promise<void> {
  const browser = await puppeteer.launch({
    executablePath: BROWSER!,
    timeout: 60_000,
    // Root has no sandbox to start a page in, as in most containers.
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    await action(browser);
  } finally {
    await browser.close();
  }
}

/** What axe finds serious or critical on a page, a line for each. */
export async function seriousViolations(page: Page): Promise<string[]> {
  // A page's policy may forbid scripts; what the driver evaluates is not bound by it.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run()") as axe.AxeResults;
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ html }) => html).join("; ")})`);
}
