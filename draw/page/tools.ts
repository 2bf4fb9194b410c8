/// <reference lib="dom" />
/**
 * Buttons and keys beside the paper.
 *
 * @module
 */

import type { Pad } from "./pad.ts";
import type { Tool } from "./sketch.ts";

/** What the tools do, by the ids of their buttons. */
type Action = "pen" | "eraser" | "undo" | "clear";

/** Keys that work wherever on the page they are pressed. */
const KEYS: Readonly<Record<string, Action>> = {
  p: "pen",
  e: "eraser",
  u: "undo",
  Delete: "clear",
  Backspace: "clear",
};

/**
 * Makes buttons and keys work on the paper.
 *
 * @returns Shows on the buttons what can be done now; to be called after every change.
 */
export function connectTools(pad: Pad): () => void {
  const button = (id: string) => document.getElementById(id) as HTMLButtonElement;
  const hint = document.getElementById("hint")!;
  const penState = document.getElementById("pen-state")!;
  const enable = (id: Action, canBeUsed: boolean) => {
    // What is disabled loses the focus, and a keyboard would begin at the page's top again.
    if (!canBeUsed && document.activeElement === button(id)) pad.focus();
    button(id).disabled = !canBeUsed;
  };
  const show = () => {
    for (const tool of ["pen", "eraser"] satisfies Tool[]) {
      button(tool).setAttribute("aria-pressed", `${pad.tool === tool}`);
    }
    enable("undo", pad.sketch.canUndo);
    enable("clear", !pad.sketch.isEmpty);
    hint.hidden = !pad.sketch.isEmpty;
    penState.textContent = pad.keyPenIsDown ? "pen down" : "";
  };
  const choose = (tool: Tool) => {
    pad.choose(tool);
    show();
  };
  const actions: Record<Action, () => void> = {
    pen: () => choose("pen"),
    eraser: () => choose("eraser"),
    undo: () => pad.change((sketch) => sketch.undo()),
    clear: () => pad.change((sketch) => sketch.clear()),
  };
  for (const [id, act] of Object.entries(actions)) button(id).addEventListener("click", act);
  document.addEventListener("keydown", (event) => {
    const action = actionOf(event);
    if (action === undefined) return;
    event.preventDefault();
    actions[action]();
  });
  return show;
}

function actionOf(
  { key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent,
): Action | undefined {
  if (altKey) return undefined;
  // With Caps Lock or Shift a letter is a capital.
  const name = key.length === 1 ? key.toLowerCase() : key;
  // With Shift it is what redoes elsewhere.
  if (ctrlKey || metaKey) return name === "z" && !shiftKey ? "undo" : undefined;
  return KEYS[name];
}
