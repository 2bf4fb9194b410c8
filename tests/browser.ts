/** A browser for tests of pages: Chromium as it is installed, driven from here. */

import axe from "axe-core";
import { type Browser, launch, type Page } from "puppeteer-core";

/** Where Chromium may be installed, by the names of its program. */
const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The browser's program, named by `CHROMIUM` or found; `null` where there is none. */
export const BROWSER: string | null = findBrowser();

if (BROWSER === null) {
  console.log("Tests of pages are skipped: no Chromium is installed (apt-get install chromium)");
}

function findBrowser(): string | null {
  const named = Deno.env.get("CHROMIUM");
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  const paths = named
    ? [named]
    : folders.flatMap((folder) => NAMES.map((name) => `${folder}/${name}`));
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }) ?? null;
}

/** Starts a browser, hands it over and closes it. */
export async function withBrowser<T>(action: (browser: Browser) => Promise<T>): Promise<T> {
  const browser = await launch({
    executablePath: BROWSER!,
    // Chromium refuses to put a sandbox around itself for root, as in containers.
    args: Deno.uid() === 0 ? ["--no-sandbox"] : [],
  });
  try {
    return await action(browser);
  } finally {
    await browser.close();
  }
}

/** What axe finds on a page that keeps people out: serious and critical, as `rule: element`. */
export async function seriousViolations(page: Page): Promise<string[]> {
  // By the driver, not as a script of the page, whose policy allows none but its own.
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: Violation[] }> };
    };
    return (await axe.run()).violations;
  });
  return found.filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

interface Violation {
  id: string;
  impact: string | null;
  nodes: { html: string }[];
}
