/// <reference lib="dom" />
/** What the page shows beside the paper, and where. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import type { Answer } from "../../../draw/page/protocol.ts";
import { seriousViolations } from "../../browser.ts";
import { drawStrokes, inkAcross, settle } from "../drawn_page.ts";
import { focusOf, scriptedPageTest, sureOf } from "../scripted_page.ts";

/** How far below the header's bottom an element's top is, in pixels. */
function roomBelowHeader(page: Page, selector: string): Promise<number> {
  return page.$eval(selector, (element) => {
    const { bottom } = document.querySelector("header")!.getBoundingClientRect();
    return element.getBoundingClientRect().top - bottom;
  });
}

scriptedPageTest("the header does not lie over paper that is scrolled to", async (page) => {
  for (const [width, height] of [[390, 600], [800, 600], [1280, 800], [320, 480]] as const) {
    await page.setViewport({ width, height });
    const size = `${width} x ${height}`;
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.click("#misread-digits li:nth-child(2) button");
    await settle(page);
    const picked = await roomBelowHeader(page, "#paper");
    assert(picked >= 0, `${size}: ${picked} px after a digit was picked`);
    // Back to the paper from what comes after it.
    await page.focus("#pen");
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    await page.keyboard.up("Shift");
    assertEquals(await focusOf(page), "pad");
    const focused = await roomBelowHeader(page, "#paper");
    assert(focused >= 0, `${size}: ${focused} px once it has the focus`);
  }
});

scriptedPageTest("the header does not lie over a button that gets the focus", async (page) => {
  await page.setViewport({ width: 390, height: 300 });
  for (const id of ["pen", "eraser"]) {
    await page.$eval(`#${id}`, (button) => scrollBy(0, button.getBoundingClientRect().top - 4));
    await page.focus(`#${id}`);
    const room = await roomBelowHeader(page, `#${id}`);
    assert(room >= 0, `${id}: ${room} px`);
  }
});

/** What is said of the models, and of each what it shows and whether it is about an older drawing. */
function shownOf(page: Page) {
  return page.evaluate(() => {
    const verdict = document.getElementById("verdict")!;
    const cards = [...document.querySelectorAll<HTMLElement>(".card")].map((card) => ({
      digit: card.dataset["digit"],
      waits: card.ariaBusy === "true",
      differs: "differs" in card.dataset,
      colour: getComputedStyle(card.querySelector(".digit")!).color,
    }));
    return { text: verdict.textContent, waits: verdict.ariaBusy === "true", cards };
  });
}

/** A model that answers when it is told to: its digits one after the other. */
function heldModel(digits: readonly number[]) {
  const asked: (() => void)[] = [];
  let answered = 0;
  let isReleased = false;
  const read = () =>
    new Promise<Answer>((resolve) => {
      const digit = digits[asked.length]!;
      asked.push(() => resolve(sureOf(digit)));
      if (isReleased) asked.at(-1)!();
    });
  /** Answers the oldest question, once it has been asked. */
  const answer = async () => {
    while (asked.length === answered) await new Promise((resolve) => setTimeout(resolve, 5));
    asked[answered++]!();
  };
  /** Holds nothing back any more: the server ends when all is answered. */
  const release = () => {
    isReleased = true;
    for (const give of asked) give();
  };
  return { read, answer, [Symbol.dispose]: release };
}

/** Waits until the cards show these digits. */
async function untilCardsShow(page: Page, ...digits: string[]): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const cards = [...document.querySelectorAll<HTMLElement>(".card")];
      return cards.map(({ dataset }) => dataset["digit"] ?? "").join() === wanted;
    },
    { timeout: 5000 },
    digits.join(),
  );
}

const quickDigits = [4, 2, 7];
const slow = heldModel([4, 2, 7]);

scriptedPageTest("the verdict is of answers to what is drawn now; others wait", async (page) => {
  using held = slow;
  await page.click("#pad");
  await untilCardsShow(page, "4", "");
  const first = await shownOf(page);
  assertEquals([first.text, first.waits], ["Quick reads 4", true]);
  assertEquals(first.cards.map(({ waits }) => waits), [false, true]);
  // The slow model answers the first drawing, then the quick one the second.
  await page.click("#pad");
  await page.waitForFunction(() => document.querySelectorAll("[aria-busy=true]").length === 3);
  assertEquals((await shownOf(page)).text, "Quick reads 4");
  await held.answer();
  await untilCardsShow(page, "2", "4");
  // It takes a moment to be seen, for those that are quick.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const second = await shownOf(page);
  assertEquals([second.text, second.waits], ["Quick reads 2", true]);
  assertEquals(second.cards.map(({ waits }) => waits), [false, true]);
  assertEquals(second.cards.map(({ differs }) => differs), [false, false]);
  assertNotEquals(second.cards[0]!.colour, second.cards[1]!.colour);
  assertEquals(await seriousViolations(page), []);
  await held.answer();
  await untilCardsShow(page, "2", "2");
  const last = await shownOf(page);
  assertEquals([last.text, last.waits], ["Both read 2", false]);
  assertEquals(last.cards[0], last.cards[1]);
  // Nothing waits for an answer about empty paper.
  await page.click("#pad");
  await untilCardsShow(page, "7", "2");
  await page.click("#clear");
  await untilCardsShow(page, "", "");
  await held.answer();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const empty = await shownOf(page);
  assertEquals([empty.text, empty.waits], ["", false]);
  assertEquals(empty.cards.map(({ waits }) => waits), [false, false]);
}, {
  Quick: () => Promise.resolve(sureOf(quickDigits.shift()!)),
  Slow: slow.read,
});

/** Whether all of the line above the paper can be seen. */
function verdictIsWhole(page: Page): Promise<boolean> {
  return page.$eval("#verdict", (line) => {
    const { top, bottom } = line.getBoundingClientRect();
    const header = line.parentElement!.getBoundingClientRect();
    return line.scrollWidth <= line.clientWidth && line.scrollHeight <= line.clientHeight &&
      top >= header.top && bottom <= header.bottom;
  });
}

const FIVE_DIGITS = Object.fromEntries(
  [4, 2, 0, 7, 9].map((digit) => [`Model ${digit}`, () => Promise.resolve(sureOf(digit))]),
);

scriptedPageTest("the verdict is not cut on a phone, where it has two lines", async (page) => {
  await page.click("#pad");
  await settle(page);
  const heights = [];
  for (const width of [320, 360, 390, 640, 760]) {
    await page.setViewport({ width, height: 700 });
    const text = await page.$eval("#verdict", ({ textContent }) => textContent);
    assertEquals(text, "They disagree: 4 or 2 or 0 or 7 or 9");
    assert(await verdictIsWhole(page), `${width} px`);
    heights.push(await page.$eval("header", (header) => header.getBoundingClientRect().height));
  }
  assertEquals(new Set(heights).size, 1, "the paper moves");
}, FIVE_DIGITS);

scriptedPageTest("why the page cannot start is said in full", async (page) => {
  await page.setViewport({ width: 320, height: 700 });
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    const isData = request.url().endsWith("data.json");
    const body = "{ what is not JSON, and is no page's data";
    if (isData) request.respond({ status: 200, contentType: "application/json", body });
    else request.continue();
  });
  await page.reload();
  await page.waitForFunction(() =>
    document.getElementById("verdict")!.textContent!.startsWith("The page cannot start: ")
  );
  assert(await verdictIsWhole(page));
});

scriptedPageTest("bars and what is pressed are seen where colours are forced", async (page) => {
  const session = await page.createCDPSession();
  for (const value of ["light", "dark"]) {
    const features = [{ name: "forced-colors", value: "active" }, {
      name: "prefers-color-scheme",
      value,
    }];
    await session.send("Emulation.setEmulatedMedia", { features });
    await page.click("#misread-digits button");
    await settle(page);
    const backgroundOf = (selector: string) =>
      page.$eval(selector, (element) => getComputedStyle(element).backgroundColor);
    for (
      const [marked, plain] of [
        [".bars li:not(.best) .fill", ".track"],
        [".best .fill", ".track"],
        ["#pen", "#eraser"],
        ["#misread-digits button", "#misread-digits li:last-child button"],
      ] as const
    ) {
      assertNotEquals(await backgroundOf(marked), await backgroundOf(plain), `${value}: ${marked}`);
    }
  }
});

scriptedPageTest("an older browser draws lines too and says who reads what", async (page) => {
  await page.evaluate(() => {
    delete (PointerEvent.prototype as Partial<PointerEvent>).getCoalescedEvents;
    delete (Map as Partial<MapConstructor>).groupBy;
    // As where the property is none of the browser's, and to set it leaves the attribute alone.
    Object.defineProperty(Element.prototype, "ariaBusy", { value: null, writable: true });
    for (const line of document.querySelectorAll("[aria-busy]")) line.removeAttribute("aria-busy");
  });
  await drawStrokes(page, [[[0.2, 0.5], [0.8, 0.5]]]);
  await settle(page);
  const { from, to } = (await inkAcross(page))!;
  assert(to - from > 0.6, `the stroke goes from ${from} to ${to}`);
  assertEquals(await page.$eval("#verdict", ({ textContent }) => textContent), "Both read 7");
  assertEquals((await page.$$("[aria-busy=false]")).length, 3);
});

scriptedPageTest("what the server has no time for is asked about again", async (page) => {
  let refused = 0;
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    const isAnswer = request.url().includes("/answer");
    if (isAnswer && refused++ < 3) request.respond({ status: 503, body: "later" });
    else request.continue();
  });
  await page.click("#pad");
  await settle(page);
  assertEquals(await page.$eval("#verdict", ({ textContent }) => textContent), "Both read 7");
});
