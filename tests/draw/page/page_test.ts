/// <reference lib="dom" />
/** What the page shows beside the paper, and where. */

import { assert, assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { settle } from "../drawn_page.ts";
import { focusOf, scriptedPageTest } from "../scripted_page.ts";

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
