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

/** A button for each digit, which hands over the digit's pixels. */
export function misreadButtons(
  digits: readonly MisreadDigit[],
  { models, onPick }: {
    models: readonly PageModel[];
    onPick: (pixels: Uint8Array) => void;
  },
): HTMLElement[] {
  return digits.map((digit) => {
    const pixels = fromBase64(digit.pixels);
    const item = document.createElement("li");
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
    item.append(button);
    return item;
  });
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
