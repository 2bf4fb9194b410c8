/// <reference lib="dom" />
/** What keys do. */

import { assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { scriptedPageTest } from "../scripted_page.ts";

/** Which of the tools are pressed or, of the others, can be used. */
function toolsOf(page: Page): Promise<string[]> {
  return page.$$eval(
    "#tools button",
    (buttons) =>
      buttons.filter((button) =>
        (button.getAttribute("aria-pressed") ?? `${!button.disabled}`) === "true"
      ).map(({ id }) => id),
  );
}

/** Presses a key as a keyboard does that writes capitals. */
function press(page: Page, key: string, modifiers: KeyboardEventInit = {}): Promise<void> {
  return page.evaluate(
    (key, modifiers) => {
      const target = document.activeElement!;
      target.dispatchEvent(new KeyboardEvent("keydown", { ...modifiers, key, bubbles: true }));
    },
    key,
    modifiers,
  );
}

scriptedPageTest("keys of tools work with Caps Lock and Shift too", async (page) => {
  for (const [pen, eraser, undo] of [["p", "e", "u"], ["P", "E", "U"]] as const) {
    for (const shiftKey of [false, true]) {
      await page.click("#pad");
      await press(page, eraser, { shiftKey });
      assertEquals(await toolsOf(page), ["eraser", "undo", "clear"]);
      await press(page, pen, { shiftKey });
      assertEquals(await toolsOf(page), ["pen", "undo", "clear"]);
      await press(page, undo, { shiftKey });
      assertEquals(await toolsOf(page), ["pen"]);
    }
  }
  for (const key of ["z", "Z"]) {
    for (const modifier of ["ctrlKey", "metaKey"]) {
      await page.click("#pad");
      await press(page, key, { [modifier]: true });
      assertEquals(await toolsOf(page), ["pen"], `${modifier} ${key}`);
    }
  }
});

scriptedPageTest("Control+Shift+Z, which redoes elsewhere, does not undo", async (page) => {
  await page.click("#pad");
  for (const key of ["z", "Z"]) await press(page, key, { ctrlKey: true, shiftKey: true });
  assertEquals(await toolsOf(page), ["pen", "undo", "clear"]);
});
