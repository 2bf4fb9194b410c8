/// <reference lib="dom" />
/**
 * The paper: drawing with mouse, touch, pen and keyboard.
 *
 * @module
 */

import { ERASER_WIDTH, PAPER_SIDE, PEN_WIDTH, type Point, Sketch, type Tool } from "./sketch.ts";

/** A pixel of the digit as a model sees it, about; an arrow key goes so far. */
const KEY_STEP = PAPER_SIDE / 28;
/** How far an arrow key goes with Shift. */
const FINE_KEY_STEP = KEY_STEP / 4;

/** The eraser's end of a pen, in `PointerEvent.buttons`. */
const ERASER_BUTTON = 32;

const ARROWS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Options of {@linkcode Pad}. */
export interface PadOptions {
  canvas: HTMLCanvasElement;
  /** Shows where the keyboard draws; over the canvas, and of its size. */
  cursor: HTMLElement;
  /** Called after every change of what is drawn, and of what the keyboard's pen does. */
  onChange: () => void;
}

/** A canvas that can be drawn on. */
export class Pad {
  /** What is drawn; {@linkcode Pad.change} changes it. */
  readonly sketch: Sketch;
  #canvas: HTMLCanvasElement;
  #cursor: HTMLElement;
  #context: CanvasRenderingContext2D;
  #onChange: () => void;
  #tool: Tool = "pen";
  /** The pointer that draws, and what with. */
  #pointer: { id: number; tool: Tool } | undefined;
  #keyPoint = { x: PAPER_SIDE / 2, y: PAPER_SIDE / 4 };
  #arrows = new Set<string>();
  /** The keyboard's pen: held down by Space, or left down by a tap of it. */
  #keyPen: "up" | "held" | "down" = "up";
  /** Whether it has moved since Space went down. */
  #moved = false;

  constructor({ canvas, cursor, onChange }: PadOptions) {
    canvas.width = PAPER_SIDE;
    canvas.height = PAPER_SIDE;
    // It is read back after every stroke, which is slow where it lies on a GPU.
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (context === null) throw new Error("This browser has no 2D canvas");
    this.#canvas = canvas;
    this.#cursor = cursor;
    this.#context = context;
    this.#onChange = onChange;
    this.sketch = new Sketch(context);
    const on = <Name extends keyof HTMLElementEventMap>(
      name: Name,
      handle: (event: HTMLElementEventMap[Name]) => void,
    ) => canvas.addEventListener(name, handle);
    on("pointerdown", (event) => this.#pointerDown(event));
    on("pointermove", (event) => this.#pointerMove(event));
    on("pointerup", (event) => this.#pointerEnd(event));
    on("pointercancel", (event) => this.#pointerEnd(event));
    on("keydown", (event) => this.#keyDown(event));
    on("keyup", (event) => this.#keyUp(event));
    on("blur", () => this.#leaveKeyboard());
    on("contextmenu", (event) => event.preventDefault());
    this.#showCursor();
  }

  /** What a pointer or key draws with from its next stroke on. */
  get tool(): Tool {
    return this.#tool;
  }

  /** Takes another tool; a stroke that is being drawn ends here. */
  choose(tool: Tool): void {
    if (tool !== this.#tool) this.#endStroke();
    this.#tool = tool;
  }

  /** Whether the keyboard's pen is on the paper. */
  get keyPenIsDown(): boolean {
    return this.#keyPen !== "up";
  }

  /** Gives the paper the focus. */
  focus(): void {
    this.#canvas.focus();
  }

  /** Changes what is drawn otherwise than by a stroke; one that is being drawn ends here. */
  change(how: (sketch: Sketch) => void): void {
    this.#endStroke();
    how(this.sketch);
    this.#onChange();
  }

  /** What is drawn: RGBA, of which the last says how much ink there is. */
  image(): ImageData {
    return this.#context.getImageData(0, 0, PAPER_SIDE, PAPER_SIDE);
  }

  #pointerDown(event: PointerEvent): void {
    const draws = event.button === 0 || event.buttons === ERASER_BUTTON;
    if (this.#pointer !== undefined || !draws) return;
    const tool = event.buttons === ERASER_BUTTON ? "eraser" : this.#tool;
    this.#pointer = { id: event.pointerId, tool };
    // One that a script made up cannot be captured.
    if (event.isTrusted) this.#canvas.setPointerCapture(event.pointerId);
    this.#liftKeyPen();
    this.sketch.begin(tool, this.#pointOf(event, tool));
    this.#onChange();
  }

  #pointerMove(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer?.id) return;
    const { tool } = this.#pointer;
    // Some browsers have none, and others none where a page came by plain HTTP.
    const all = event.getCoalescedEvents?.() ?? [];
    const events = all.length > 0 ? all : [event];
    this.sketch.extend(events.map((one) => this.#pointOf(one, tool)));
    this.#onChange();
  }

  #pointerEnd({ pointerId }: PointerEvent): void {
    if (pointerId === this.#pointer?.id) this.#pointer = undefined;
  }

  #pointOf({ clientX, clientY, pointerType, pressure }: PointerEvent, tool: Tool): Point {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return {
      x: (clientX - left) / width * PAPER_SIDE,
      y: (clientY - top) / height * PAPER_SIDE,
      width: this.#width(tool) * (pointerType === "pen" ? 0.6 + 0.8 * pressure : 1),
    };
  }

  #width(tool: Tool): number {
    return tool === "pen" ? PEN_WIDTH : ERASER_WIDTH;
  }

  #keyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") {
      event.preventDefault();
      if (event.repeat) return;
      this.#moved = false;
      if (this.#keyPen !== "up") return;
      this.#keyPen = "held";
      this.sketch.begin(this.#tool, { ...this.#keyPoint, width: this.#width(this.#tool) });
    } else if (event.key in ARROWS) {
      event.preventDefault();
      this.#arrows.add(event.key);
      this.#moveKeyPoint(event.shiftKey ? FINE_KEY_STEP : KEY_STEP);
    } else if (event.key === "Escape") {
      this.#liftKeyPen();
    } else return;
    this.#showCursor();
    this.#onChange();
  }

  #keyUp({ key }: KeyboardEvent): void {
    this.#arrows.delete(key);
    if (key !== " " || this.#keyPen === "up") return;
    // A tap puts the pen down or lifts it; a hold that drew ends where the key is let go.
    const stays = this.#keyPen === "held" && !this.#moved;
    this.#keyPen = stays ? "down" : this.#keyPen === "down" && this.#moved ? "down" : "up";
    this.#showCursor();
    this.#onChange();
  }

  /** Goes where the arrows that are held together point to. */
  #moveKeyPoint(step: number): void {
    const pushed = [...this.#arrows].map((key) => ARROWS[key]!);
    const along = (axis: 0 | 1) => step * pushed.reduce((sum, arrow) => sum + arrow[axis], 0);
    const inside = (place: number) => Math.min(PAPER_SIDE, Math.max(0, place));
    this.#moved = true;
    this.#keyPoint = {
      x: inside(this.#keyPoint.x + along(0)),
      y: inside(this.#keyPoint.y + along(1)),
    };
    if (this.#keyPen === "up") return;
    this.sketch.extend([{ ...this.#keyPoint, width: this.#width(this.#tool) }]);
  }

  #endStroke(): void {
    this.#pointer = undefined;
    this.#liftKeyPen();
  }

  #leaveKeyboard(): void {
    this.#arrows.clear();
    this.#liftKeyPen();
    this.#onChange();
  }

  #liftKeyPen(): void {
    this.#keyPen = "up";
    this.#showCursor();
  }

  #showCursor(): void {
    const { x, y } = this.#keyPoint;
    const share = (place: number) => `${place / PAPER_SIDE * 100}%`;
    this.#cursor.style.left = share(x);
    this.#cursor.style.top = share(y);
    this.#cursor.dataset["pen"] = this.#keyPen === "up" ? "up" : "down";
  }
}
