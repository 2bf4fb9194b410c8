/// <reference lib="dom" />
/**
 * What the models answer: a card for each.
 *
 * @module
 */

import { fromBase64 } from "./base64.ts";
import { drawGrey } from "./grey_canvas.ts";
import type { Answer, PageModel } from "./protocol.ts";

/** A model's card on the page. */
export interface Card {
  readonly element: HTMLElement;
  /** What the model takes the digit for; `undefined` before its answer and where it sees none. */
  readonly digit: number | undefined;
  /** The probability of that, 0..1. */
  readonly probability: number;
  /** Whether it shows what became of an older drawing. */
  readonly isWaiting: boolean;
  show(answer: Answer): void;
  /** Says why there is no answer. */
  fail(reason: string): void;
  /** Shows that nothing is drawn. */
  clear(): void;
  /** Shows whether the answer to what is drawn now is still to come. */
  wait(waits: boolean): void;
  /** Marks that others take the digit for another. */
  dissent(differs: boolean): void;
}

/** Makes a card from the page's template. */
export function makeCard(template: HTMLTemplateElement, model: PageModel): Card {
  const element = (template.content.cloneNode(true) as DocumentFragment)
    .firstElementChild as HTMLElement;
  const part = <E extends HTMLElement>(name: string) => element.querySelector<E>(`.${name}`)!;
  const [digit, probability, time, view] = [
    part("digit"),
    part("probability"),
    part("time"),
    part<HTMLCanvasElement>("view"),
  ];
  const heading = part("name");
  heading.textContent = model.title;
  heading.id = `model-${model.name}`;
  element.setAttribute("aria-labelledby", heading.id);
  element.dataset["model"] = model.name;
  part("origin").textContent = describeOrigin(model);
  view.setAttribute("aria-label", `The digit as ${model.title} sees it`);
  part("size").textContent = `${model.side} × ${model.side}`;
  const bars = Array.from({ length: 10 }, (_, label) => makeBar(label));
  part("bars").append(...bars.map(({ row }) => row));

  let answered: { digit: number; probability: number } | undefined;
  const reset = () => {
    answered = undefined;
    delete element.dataset["digit"];
    delete element.dataset["differs"];
    digit.textContent = "–";
    probability.textContent = "";
    time.textContent = "";
    for (const bar of bars) bar.show(0, { best: false });
  };
  reset();
  return {
    element,
    get digit() {
      return answered?.digit;
    },
    get probability() {
      return answered?.probability ?? 0;
    },
    get isWaiting() {
      return element.getAttribute("aria-busy") === "true";
    },
    show({ probabilities, view: pixels, milliseconds }) {
      const highest = Math.max(...probabilities);
      const best = highest > 0 ? probabilities.indexOf(highest) : undefined;
      answered = best === undefined ? undefined : { digit: best, probability: highest };
      element.dataset["digit"] = `${best ?? "none"}`;
      digit.textContent = `${best ?? "–"}`;
      probability.textContent = best === undefined ? "sees no digit" : percent(highest);
      time.textContent = `${Math.round(milliseconds)} ms`;
      for (const [label, bar] of bars.entries()) {
        bar.show(probabilities[label]!, { best: label === best });
      }
      drawGrey(view, fromBase64(pixels), model.side);
    },
    fail(reason) {
      reset();
      probability.textContent = reason;
    },
    clear() {
      reset();
      drawGrey(view, new Uint8Array(model.side ** 2), model.side);
    },
    wait(waits) {
      element.setAttribute("aria-busy", `${waits}`);
    },
    dissent(differs) {
      if (differs) element.dataset["differs"] = "";
      else delete element.dataset["differs"];
    },
  };
}

function describeOrigin({ accuracy, testImages }: PageModel): string {
  if (accuracy === null) return "its accuracy is not known";
  const images = testImages === null ? "test digits" : `${testImages.toLocaleString("en")} digits`;
  return `${accuracy.toFixed(2)} % of ${images}`;
}

function makeBar(label: number) {
  const row = document.createElement("li");
  const [name, track, value] = [span("label"), span("track"), span("value")];
  const fill = span("fill");
  track.append(fill);
  track.setAttribute("aria-hidden", "true");
  name.textContent = `${label}`;
  row.append(name, track, value);
  return {
    row,
    show(probability: number, { best }: { best: boolean }) {
      fill.style.width = `${100 * Math.min(1, probability)}%`;
      value.textContent = percent(probability);
      value.dataset["value"] = `${probability}`;
      row.classList.toggle("best", best);
    },
  };
}

function span(name: string): HTMLSpanElement {
  const element = document.createElement("span");
  element.className = name;
  return element;
}

/** `98.2 %`; what is not quite 100 % does not round to it. */
function percent(probability: number): string {
  const text = (100 * probability).toFixed(1);
  return `${text === "100.0" && probability < 0.9999 ? "99.9" : text} %`;
}
