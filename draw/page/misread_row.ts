/// <reference lib="dom" />
/**
 * The row of test digits that models misread.
 *
 * @module
 */

import { fromBase64 } from "./base64.ts";
import { drawGrey } from "./grey_canvas.ts";
import type { MisreadDigit, PageModel } from "./protocol.ts";

/** Pixels on a side of a test digit. */
const SIDE = 28;

/** The row: an item with a button for each digit. */
export interface MisreadRow {
  items: HTMLElement[];
  /** Marks the digit that is on the paper, by the array that its button handed over. */
  mark(pixels: Uint8Array | undefined): void;
}

/** Makes the row; its buttons hand over their digits' pixels. */
export function misreadRow(
  digits: readonly MisreadDigit[],
  { models, onPick }: {
    models: readonly PageModel[];
    onPick: (pixels: Uint8Array) => void;
  },
): MisreadRow {
  const buttons = digits.map((digit) => {
    const pixels = fromBase64(digit.pixels);
    const button = document.createElement("button");
    const canvas = document.createElement("canvas");
    const caption = document.createElement("span");
    drawGrey(canvas, pixels, SIDE);
    canvas.setAttribute("aria-hidden", "true");
    caption.textContent = `${digit.label} → ${wrongAnswers(digit).join(", ")}`;
    button.type = "button";
    button.title = describe(digit, models);
    button.setAttribute("aria-label", `${caption.textContent}: ${button.title}`);
    button.append(canvas, caption);
    button.addEventListener("click", () => onPick(pixels));
    return { button, pixels };
  });
  const items = buttons.map(({ button }) => {
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  return {
    items,
    mark(shown) {
      for (const { button, pixels } of buttons) {
        button.setAttribute("aria-current", `${pixels === shown}`);
      }
    },
  };
}

/** What it was taken for, each once. */
function wrongAnswers({ label, readings }: MisreadDigit): string[] {
  const wrong = readings.filter((reading) => reading !== null && reading !== label);
  return [...new Set(wrong.map((reading) => reading === -1 ? "none" : `${reading}`))];
}

function describe({ index, label, readings }: MisreadDigit, models: readonly PageModel[]): string {
  const answers = readings.flatMap((reading, i) =>
    reading === null ? [] : [`${models[i]!.title} read ${reading === -1 ? "nothing" : reading}`]
  );
  return `Test digit ${index}, a ${label}: ${answers.join(", ")}`;
}
