/// <reference lib="dom" />
/** What keys do, and where the focus is after them. */

import { assert, assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { inkAcross } from "../drawn_page.ts";
import { focusOf, scriptedPageTest } from "../scripted_page.ts";

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

scriptedPageTest("a button that has done all it can hands the focus to the paper", async (page) => {
  for (const id of ["clear", "undo"]) {
    for (const key of ["Enter", "Space"] as const) {
      await page.click("#pad");
      await page.focus(`#${id}`);
      // As often as there are steps, of which the last time leaves nothing to do.
      while (await focusOf(page) === id) await page.keyboard.press(key);
      assertEquals(await focusOf(page), "pad", `${id} by ${key}`);
      assert(!(await toolsOf(page)).includes(id));
    }
  }
});

scriptedPageTest("the focus stays where it is while a button can still be used", async (page) => {
  for (let i = 0; i < 2; i++) await page.click("#pad");
  await page.focus("#undo");
  await page.keyboard.press("Enter");
  assertEquals(await focusOf(page), "undo");
  await page.focus("#pen");
  await page.keyboard.press("Delete");
  assertEquals(await focusOf(page), "pen");
});

scriptedPageTest("a stroke ends where another tool is taken", async (page) => {
  const box = (await (await page.$("#pad"))!.boundingBox())!;
  const moveTo = (x: number) => page.mouse.move(box.x + x * box.width, box.y + box.height / 2);
  await moveTo(0.2);
  await page.mouse.down();
  await moveTo(0.3);
  await press(page, "p");
  await moveTo(0.5);
  const before = await inkAcross(page);
  assert(before!.to > 0.5, `${before!.to}`);
  await press(page, "e");
  await moveTo(0.9);
  assertEquals(await inkAcross(page), before);
  await page.mouse.up();
  await page.mouse.down();
  await moveTo(0.1);
  assertEquals(await inkAcross(page), undefined);
  // So it does where the keyboard draws, from above the paper's middle down.
  await press(page, "p");
  await page.focus("#pad");
  await page.keyboard.press("Space");
  assertEquals(await page.$eval("#pen-state", ({ textContent }) => textContent), "pen down");
  await press(page, "e");
  assertEquals(await page.$eval("#pen-state", ({ textContent }) => textContent), "");
});
