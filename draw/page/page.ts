/// <reference lib="dom" />
/**
 * The page: paper, tools, cards and the row of misread digits, joined up.
 *
 * @module
 */

import { type Card, makeCard } from "./cards.ts";
import { drawnDigit } from "./drawn_digit.ts";
import { ModelQueue } from "./model_queue.ts";
import { misreadRow } from "./misread_row.ts";
import { Pad } from "./pad.ts";
import type { DigitReader, PageData } from "./protocol.ts";
import { PAPER_SIDE } from "./sketch.ts";
import { connectTools } from "./tools.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** Makes the page of its data and of what answers it. */
export function startPage(data: PageData, reader: DigitReader): void {
  const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
  const template = byId<HTMLTemplateElement>("card");
  const cards = data.models.map((model) => makeCard(template, model));
  byId("cards").append(...cards.map(({ element }) => element));
  byId("place").textContent = `Computed in ${reader.place}.`;
  const verdict = byId("verdict");

  let drawing = 0;
  const answered = (card: Card, number: number, changedAt: number) => {
    card.wait(number < drawing);
    card.element.dataset["answered"] = `${number}`;
    card.element.dataset["latency"] = `${performance.now() - changedAt}`;
    document.body.dataset["tensors"] = `${reader.tensors?.() ?? ""}`;
    showVerdict(cards, data, verdict);
  };
  const queues = cards.map((card, model) =>
    new ModelQueue({
      ask: (pixels) => reader.read(model, pixels),
      milliseconds: data.models[model]!.milliseconds ?? 0,
      onAnswer(answer, { number, changedAt }) {
        card.show(answer);
        answered(card, number, changedAt);
      },
      onFailure(reason, { number, changedAt }) {
        card.fail(reason);
        answered(card, number, changedAt);
      },
    })
  );

  const submit = (changedAt: number) => {
    const number = ++drawing;
    document.body.dataset["drawing"] = `${number}`;
    const { sketch } = pad;
    row.mark(sketch.digit);
    const pixels = sketch.isEmpty
      ? undefined
      : sketch.digit ?? drawnDigit(pad.image().data, PAPER_SIDE);
    for (const card of cards) card.wait(pixels !== undefined);
    if (pixels !== undefined) {
      for (const queue of queues) queue.push({ pixels, number, changedAt });
    } else {
      for (const queue of queues) queue.forgetBefore(number);
      for (const card of cards) card.clear();
    }
    showVerdict(cards, data, verdict);
  };

  // Changes that come at once, such as the points that a slow page missed, are one.
  let submitting = false;
  const onChange = () => {
    showTools();
    if (submitting) return;
    submitting = true;
    const changedAt = performance.now();
    setTimeout(() => {
      submitting = false;
      submit(changedAt);
    });
  };
  const pad = new Pad({ canvas: byId<HTMLCanvasElement>("pad"), cursor: byId("cursor"), onChange });
  const showTools = connectTools(pad);

  const misread = byId("misread");
  misread.hidden = data.misread.length === 0;
  const row = misreadRow(data.misread, {
    models: data.models,
    onPick(pixels) {
      pad.change((sketch) => sketch.show(pixels));
      byId("pad").scrollIntoView({ block: "nearest" });
    },
  });
  byId("misread-digits").append(...row.items);
  submit(performance.now());
  showTools();
  document.body.dataset["ready"] = "";
}

/** Says on the page why it cannot start. */
export function showFailure(error: unknown): void {
  const line = document.getElementById("verdict")!;
  line.textContent = `The page cannot start: ${error instanceof Error ? error.message : error}`;
  line.dataset["agree"] = "false";
  document.body.dataset["failed"] = "";
}

/** Says whether the models agree on what is drawn now, and marks those that do not. */
function showVerdict(cards: readonly Card[], { models }: PageData, line: HTMLElement): void {
  // What is busy is not read out before all have answered.
  line.setAttribute("aria-busy", `${cards.some(({ isWaiting }) => isWaiting)}`);
  // Until the first has, the line is about the drawing before, and so are all cards.
  if (cards.every(({ isWaiting }) => isWaiting)) return;
  const readings = cards.flatMap(({ digit, isWaiting }, i) =>
    digit === undefined || isWaiting ? [] : [{ title: models[i]!.title, digit }]
  );
  const verdict: Verdict | undefined = verdictOf(readings);
  const text = verdict?.text ?? "";
  if (line.textContent !== text) line.textContent = text;
  line.title = verdict?.detail ?? "";
  line.dataset["agree"] = `${verdict?.agree ?? true}`;
  for (const card of cards) {
    const isAlone = !card.isWaiting && card.digit !== undefined &&
      card.digit !== verdict?.majority;
    card.dissent(verdict !== undefined && !verdict.agree && isAlone);
  }
}
