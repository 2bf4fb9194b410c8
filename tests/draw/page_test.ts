/// <reference lib="dom" />
/** The page in a browser: drawn on by a hand, a pen and keys, with a server and without. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "puppeteer-core";
import type { PageData } from "../../draw/page/protocol.ts";
import { SIMPLE_CNN, SIMPLE_CNN_FAST } from "../../study.ts";
import { BROWSER, seriousViolations } from "../browser.ts";
import { cardOf, clear, DIGITS, dispatchStrokes, drawStrokes, open, settle } from "./drawn_page.ts";
import { DESKTOP, setStage, type Stage } from "./page_stage.ts";

const GOOD = SIMPLE_CNN_FAST.name;
const POOR = SIMPLE_CNN.name;

const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true };

/** What the good model takes each of the written digits for. */
async function readAll(
  page: Page,
  digits: readonly number[],
): Promise<{ digit: number; probabilities: number[] }[]> {
  const read = [];
  for (const digit of digits) {
    await clear(page);
    await drawStrokes(page, DIGITS[digit]!);
    await settle(page);
    read.push(await cardOf(page, GOOD));
  }
  return read;
}

const answers = (read: { digit: number }[]) => read.map(({ digit }) => digit);
const WRITTEN = Object.keys(DIGITS).map(Number);

/** What the good model says of the digits on the served page, for the page without a server. */
const served = new Map<number, number[]>();

let stage: Stage | undefined;

Deno.test.beforeAll(async () => {
  if (BROWSER !== null) stage = await setStage();
});

Deno.test.afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const missing = BROWSER === null ? " (skipped: no Chromium is installed)" : "";

/** A test on the shared stage; skipped, and called so, where there is no browser. */
function pageTest(name: string, test: (stage: Stage) => Promise<void> | void): void {
  // The browser's own messages come when they come.
  const lenient = { sanitizeOps: false, sanitizeResources: false, ignore: BROWSER === null };
  Deno.test({ name: `the page to draw on: ${name}${missing}`, ...lenient, fn: () => test(stage!) });
}

pageTest("digits that a hand draws get the right answer", async ({ page }) => {
  const read = await readAll(page, WRITTEN);
  assertEquals(answers(read), WRITTEN);
  for (const [i, { probabilities }] of read.entries()) {
    served.set(WRITTEN[i]!, probabilities);
    const sum = probabilities.reduce((sum, probability) => sum + probability, 0);
    assert(Math.abs(sum - 1) < 1e-5, `${sum}`);
  }
});

pageTest("so do those of a pen and a finger", async ({ page }) => {
  for (const pointerType of ["pen", "touch"] as const) {
    await clear(page);
    await dispatchStrokes(page, DIGITS[7]!, pointerType);
    await settle(page);
    assertEquals((await cardOf(page, GOOD)).digit, 7, pointerType);
  }
});

pageTest("it knows from its start how long each model takes", async ({ page, address }) => {
  const data = await page.evaluate(
    async (url) => await (await fetch(url)).json(),
    address + "data.json",
  );
  for (const { milliseconds } of (data as PageData).models) assert(milliseconds! > 0);
});

pageTest("eraser, undo and clear", async ({ page }) => {
  await clear(page);
  await drawStrokes(page, DIGITS[4]!);
  await settle(page);
  const drawn = await inkOf(page);
  await page.click("#eraser");
  await drawStrokes(page, [[[0.64, 0.22], [0.6, 0.85]]]);
  assert(await inkOf(page) < 0.7 * drawn);
  await page.click("#pen");
  await page.click("#undo");
  assertEquals(await inkOf(page), drawn);
  await settle(page);
  assertEquals((await cardOf(page, GOOD)).digit, 4);
  await page.click("#clear");
  assertEquals(await inkOf(page), 0);
  assertEquals(await page.$eval("#verdict", ({ textContent }) => textContent), "");
  await page.keyboard.press("u");
  assertEquals(await inkOf(page), drawn);
});

pageTest("a tap leaves a dot", async ({ page }) => {
  await clear(page);
  await drawStrokes(page, [[[0.5, 0.5]]]);
  assert(await inkOf(page) > 0);
  await settle(page);
});

pageTest("keys alone draw a digit", async ({ page }) => {
  await page.reload();
  await page.waitForSelector("body[data-ready]");
  await page.keyboard.press("Tab");
  assertEquals(await page.evaluate(() => document.activeElement?.id), "pad");
  const go = async (key: "ArrowLeft" | "ArrowRight" | "ArrowDown", times: number) => {
    for (let i = 0; i < times; i++) await page.keyboard.press(key);
  };
  await go("ArrowLeft", 6);
  await page.keyboard.press("Space");
  assertMatch(await page.$eval("#pen-state", (state) => state.textContent!), /down/);
  await go("ArrowRight", 12);
  await page.keyboard.press("Space");
  await page.keyboard.down("Space");
  for (let i = 0; i < 15; i++) {
    await go("ArrowDown", 1);
    if (i % 2 === 0) await go("ArrowLeft", 1);
  }
  await page.keyboard.up("Space");
  const drawn = await inkOf(page);
  await go("ArrowLeft", 3);
  assertEquals(await inkOf(page), drawn, "a pen that is up draws");
  await settle(page);
  assertEquals((await cardOf(page, GOOD)).digit, 7);
  await page.keyboard.press("Delete");
  assertEquals(await inkOf(page), 0);
});

pageTest("a misread digit is shown as the models get it, and who differs", async ({ page }) => {
  // In a small window the paper must not lie over the row.
  await page.setViewport({ width: 800, height: 600 });
  const buttons = await page.$$("#misread-digits button");
  assert(buttons.length > 0);
  await buttons[0]!.click();
  await settle(page);
  // The row begins with digits that all models misread.
  const [good, poor] = [await cardOf(page, GOOD), await cardOf(page, POOR)];
  const caption = await buttons[0]!.evaluate((button) => button.textContent!);
  const [label, wrong] = caption.split("→").map((part) => part.trim());
  assert(wrong!.split(", ").includes(`${good.digit}`), `${caption}: ${good.digit}`);
  assert(good.digit !== Number(label) && poor.digit !== Number(label));
  for (const button of await page.$$("#misread-digits button")) {
    await button.click();
    await settle(page);
    const cards = [await cardOf(page, GOOD), await cardOf(page, POOR)];
    if (cards[0]!.digit === cards[1]!.digit) continue;
    assert(cards.every(({ differs }) => differs));
    const verdict = await page.$eval("#verdict", ({ textContent }) => textContent!);
    assertMatch(verdict, /^They disagree: /);
    return;
  }
  throw new Error("no digit in the row is one that the models disagree on");
});

pageTest(
  "axe finds nothing serious, light and dark, on a desktop and a phone",
  async ({ page }) => {
    for (const [value, viewport] of [["light", DESKTOP], ["dark", PHONE]] as const) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
      await page.setViewport(viewport);
      await page.reload();
      await page.waitForSelector("body[data-ready]");
      await page.click("#misread-digits button");
      await settle(page);
      assertEquals(await seriousViolations(page), [], value);
    }
  },
);

pageTest("nothing is wider than a phone, and a finger draws there", async ({ page }) => {
  await page.setViewport(PHONE);
  await clear(page);
  await page.evaluate(() => scrollTo(0, 0));
  const box = (await (await page.$("#pad"))!.boundingBox())!;
  const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
  const finger = await page.touchscreen.touchStart(...at(0.5, 0.2));
  for (let y = 0.25; y <= 0.8; y += 0.05) await finger.move(...at(0.49, y));
  await finger.end();
  await settle(page);
  assertEquals((await cardOf(page, GOOD)).digit, 1);
  const { scrolled, width } = await page.evaluate(() => ({
    scrolled: scrollY,
    width: document.documentElement.scrollWidth,
  }));
  assertEquals(width, PHONE.width);
  const after = (await (await page.$("#pad"))!.boundingBox())!;
  assertEquals(after, box, "the paper moves when the models answer");
  assertEquals(scrolled, 0, "drawing scrolls the page");
});

pageTest(
  "of a thousand rapid strokes the last is answered, most never asked about",
  async (stage) => {
    const { page, visit: { urls } } = stage;
    await page.setViewport(DESKTOP);
    await clear(page);
    const before = urls.length;
    await page.$eval("#pad", async (pad) => {
      const { left, top, width, height } = pad.getBoundingClientRect();
      for (let i = 0; i < 1000; i++) {
        const place = {
          clientX: left + width * (0.2 + 0.6 * i / 1000),
          clientY: top + height * (0.2 + 0.06 * (i % 10)),
        };
        pad.dispatchEvent(new PointerEvent("pointerdown", { ...place, pointerId: 9 }));
        pad.dispatchEvent(new PointerEvent("pointerup", { ...place, pointerId: 9 }));
        if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve));
      }
    });
    await settle(page);
    const requests = urls.length - before;
    assert(requests >= 2 && requests <= 200, `${requests} requests`);
  },
);

pageTest("nothing was asked of anyone else, and nothing went wrong", (stage) => {
  const { visit: { urls, errors }, address } = stage;
  assertEquals(urls.filter((url) => !url.startsWith(address)), []);
  assertEquals(errors, []);
});

pageTest("the page without a server gives the same probabilities", async (stage) => {
  const { browser, siteAddress } = stage;
  const digits = { "": WRITTEN, "?backend=webgl": [2, 7], "?backend=cpu": [4] };
  for (const [backend, written] of Object.entries(digits)) {
    const other = await browser.newPage();
    await other.setViewport(DESKTOP);
    const { urls, errors } = await open(other, `${siteAddress}${backend}`);
    for (const [i, { probabilities }] of (await readAll(other, written)).entries()) {
      const expected = served.get(written[i]!)!;
      const furthest = Math.max(...probabilities.map((value, k) => Math.abs(value - expected[k]!)));
      assert(furthest < 1e-3, `${written[i]} ${backend}: ${furthest}`);
    }
    assertEquals(urls.filter((url) => !url.startsWith(siteAddress)), []);
    assertEquals(errors, []);
    assertEquals(await seriousViolations(other), []);
    await other.close();
  }
});

pageTest("it names the backends that there are if asked for another", async (stage) => {
  const { browser, siteAddress } = stage;
  const other = await browser.newPage();
  await other.goto(`${siteAddress}?backend=foo`);
  await other.waitForFunction("document.getElementById('verdict').textContent !== ''");
  assertEquals(
    await other.$eval("#verdict", (line) => line.textContent),
    'The page cannot start: "foo" is no backend: it is one of webgpu, webgl, wasm, cpu',
  );
  await other.close();
});

pageTest(
  "it holds no more after a thousand answers than after a hundred",
  async ({ browser, siteAddress }) => {
    const other = await browser.newPage();
    await open(other, siteAddress);
    const session = await other.createCDPSession();
    const held = async (times: number) => {
      await clickThrough(other, times);
      await session.send("HeapProfiler.collectGarbage");
      const { JSHeapUsedSize } = await other.metrics();
      const tensors = await other.evaluate(() => Number(document.body.dataset["tensors"]));
      return { heap: JSHeapUsedSize!, tensors };
    };
    const [first, last] = [await held(100), await held(1000)];
    assertEquals(last.tensors, first.tensors);
    assert(last.heap - first.heap < 2e6, `${last.heap - first.heap} bytes more`);
    await other.close();
  },
);

pageTest(
  "it is under 20 MB, and works as files without any web server",
  async ({ browser, site }) => {
    const sizes = [...Deno.readDirSync(site)].map(({ name }) =>
      Deno.statSync(join(site, name)).size
    );
    assert(sizes.reduce((sum, size) => sum + size, 0) < 20e6, `${sizes}`);
    const other = await browser.newPage();
    await other.setViewport(DESKTOP);
    const { errors } = await open(other, pathToFileURL(join(site, "index.html")).href);
    await drawStrokes(other, DIGITS[2]!);
    await settle(other);
    assertEquals((await cardOf(other, GOOD)).digit, 2);
    assertEquals(errors, []);
  },
);

/** How much ink is on the paper, in opaque pixels. */
function inkOf(page: Page): Promise<number> {
  return page.$eval("#pad", (pad) => {
    const { width, height } = pad as HTMLCanvasElement;
    const context = (pad as HTMLCanvasElement).getContext("2d")!;
    const { data } = context.getImageData(0, 0, width, height);
    return data.reduce((sum, value, i) => sum + (i % 4 === 3 && value > 127 ? 1 : 0), 0);
  });
}

/** Shows one misread digit after the other, each when the one before is answered. */
async function clickThrough(page: Page, times: number): Promise<void> {
  await page.evaluate(async (times) => {
    const buttons = [...document.querySelectorAll<HTMLElement>("#misread-digits button")];
    const card = document.querySelector<HTMLElement>(".card")!;
    for (let i = 0; i < times; i++) {
      const { answered } = card.dataset;
      const next = new Promise<void>((resolve) => {
        const observer = new MutationObserver(() => {
          if (card.dataset["answered"] === answered) return;
          observer.disconnect();
          resolve();
        });
        observer.observe(card, { attributes: true });
      });
      buttons[i % 2]!.click();
      await next;
      if (i % 50 === 49) { for (const id of ["clear"]) document.getElementById(id)!.click(); }
    }
  }, times);
}
