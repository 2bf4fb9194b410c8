/// <reference lib="dom" />
/**
 * The page: paper, tools, cards and the row of misread digits, joined up.
 *
 * @module
 */

import { greyPicture } from "../../data/grey_picture.ts";
import { prepareDigit } from "../../data/handwritten_digit.ts";
import { type Card, makeCard } from "./cards.ts";
import { LatestOnly } from "./latest_only.ts";
import { misreadButtons } from "./misread_row.ts";
import { Pad } from "./pad.ts";
import type { DigitReader, PageData } from "./protocol.ts";
import { PAPER_SIDE } from "./sketch.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** A drawing on its way to the models. */
interface Drawing {
  pixels: Uint8Array;
  /** Counted up with every drawing. */
  number: number;
  /** When it was last changed, as `performance.now()`. */
  changedAt: number;
}

/** Starts the page. */
export function startPage(data: PageData, reader: DigitReader): void {
  const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
  const template = byId<HTMLTemplateElement>("card");
  const cards = data.models.map((model) => makeCard(template, model));
  byId("cards").append(...cards.map(({ element }) => element));
  byId("place").textContent = `Computed in ${reader.place}.`;
  const verdict = byId("verdict");

  let newest = 0;
  const queues = cards.map((card, model) =>
    new LatestOnly<Drawing>(async ({ pixels, number, changedAt }) => {
      // What was drawn before the paper was cleared has no answer any more.
      const isStale = () => number < firstValid;
      try {
        const answer = await reader.read(model, pixels);
        if (isStale()) return;
        card.show(answer, performance.now() - changedAt);
      } catch (error) {
        if (isStale()) return;
        card.fail(error instanceof Error ? error.message : String(error));
      }
      card.element.dataset["answered"] = `${number}`;
      showVerdict(cards, data, verdict);
    })
  );
  let firstValid = 0;
  const submit = (changedAt: number) => {
    newest++;
    document.body.dataset["drawing"] = `${newest}`;
    const pixels = pad.sketch.isEmpty ? undefined : pad.sketch.digit ?? digitOf(pad.image());
    if (pixels !== undefined) {
      for (const queue of queues) queue.push({ pixels, number: newest, changedAt });
      return;
    }
    firstValid = newest;
    for (const queue of queues) queue.clear();
    for (const card of cards) card.clear();
    showVerdict(cards, data, verdict);
  };

  let frame: number | undefined;
  const onChange = () => {
    showTools();
    const changedAt = performance.now();
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      submit(changedAt);
    });
  };
  const pad = new Pad({ canvas: byId<HTMLCanvasElement>("pad"), cursor: byId("cursor"), onChange });
  const showTools = () => {
    byId("pen").setAttribute("aria-pressed", `${pad.tool === "pen"}`);
    byId("eraser").setAttribute("aria-pressed", `${pad.tool === "eraser"}`);
    byId<HTMLButtonElement>("undo").disabled = !pad.sketch.canUndo;
    byId<HTMLButtonElement>("clear").disabled = pad.sketch.isEmpty;
    byId("hint").hidden = !pad.sketch.isEmpty;
    byId("pen-state").textContent = pad.keyPenIsDown ? "pen down" : "";
  };
  const choose = (tool: typeof pad.tool) => {
    pad.tool = tool;
    showTools();
  };
  const actions: Record<string, () => void> = {
    pen: () => choose("pen"),
    eraser: () => choose("eraser"),
    undo: () => pad.change((sketch) => sketch.undo()),
    clear: () => pad.change((sketch) => sketch.clear()),
  };
  for (const [id, act] of Object.entries(actions)) byId(id).addEventListener("click", act);
  document.addEventListener("keydown", (event) => {
    const action = actionOf(event);
    if (action === undefined) return;
    event.preventDefault();
    actions[action]!();
  });

  const misread = byId("misread");
  misread.hidden = data.misread.length === 0;
  byId("misread-digits").append(...misreadButtons(data.misread, {
    models: data.models,
    onPick(pixels) {
      pad.change((sketch) => sketch.show(pixels));
      byId("pad").scrollIntoView({ block: "nearest" });
    },
  }));
  for (const card of cards) card.clear();
  showTools();
  document.body.dataset["ready"] = "";
}

/** What a key does, wherever on the page it is pressed. */
function actionOf(event: KeyboardEvent): string | undefined {
  const { key, ctrlKey, metaKey, altKey } = event;
  if (altKey) return undefined;
  if (ctrlKey || metaKey) return key === "z" ? "undo" : undefined;
  const keys: Record<string, string> = {
    p: "pen",
    e: "eraser",
    u: "undo",
    Delete: "clear",
    Backspace: "clear",
  };
  return keys[key];
}

/** A drawing as MNIST's digits are; `undefined` where there is no ink. */
function digitOf({ data }: ImageData): Uint8Array | undefined {
  // Of black on nothing, the ink is how opaque it is.
  const ink = data.filter((_, i) => i % 4 === 3);
  if (!ink.some((grey) => grey > 0)) return undefined;
  const [width, height] = [PAPER_SIDE, PAPER_SIDE];
  const picture = greyPicture({ width, height, channels: 1, data: ink });
  return prepareDigit(picture, { ink: "light" })?.pixels;
}

/** Says whether the models agree, and marks those that do not. */
function showVerdict(cards: readonly Card[], { models }: PageData, line: HTMLElement): void {
  const readings = cards.flatMap(({ digit }, i) =>
    digit === undefined ? [] : [{ title: models[i]!.title, digit }]
  );
  const verdict: Verdict | undefined = verdictOf(readings);
  const text = verdict?.text ?? "";
  if (line.textContent !== text) line.textContent = text;
  line.dataset["agree"] = `${verdict?.agree ?? true}`;
  for (const card of cards) {
    const isAlone = card.digit !== undefined && card.digit !== verdict?.majority;
    card.dissent(verdict !== undefined && !verdict.agree && isAlone);
  }
}
