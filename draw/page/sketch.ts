/// <reference lib="dom" />
/**
 * What has been drawn, as steps that can be undone. Knows no page: it is painted onto any 2D canvas.
 *
 * @module
 */

/** Width and height of the paper, in the units of all points. */
export const PAPER_SIDE = 560;

/** Width of the pen's line: about that of MNIST's digits where one fills the middle of the paper. */
export const PEN_WIDTH = 42;

/** Width of the eraser's line. */
export const ERASER_WIDTH = 72;

/** Pixels on a side of MNIST's digits. */
const DIGIT_SIDE = 28;

export interface Point {
  /** From the left, 0..{@linkcode PAPER_SIDE}. */
  x: number;
  /** From the top, 0..{@linkcode PAPER_SIDE}. */
  y: number;
  /** Width of the line here. */
  width: number;
}

export type Tool = "pen" | "eraser";

type Step =
  | { kind: "stroke"; tool: Tool; points: Point[] }
  | { kind: "digit"; pixels: Uint8Array }
  | { kind: "clear" };

/** What painting needs of a canvas. */
export type Paint = Pick<
  CanvasRenderingContext2D,
  | "arc"
  | "beginPath"
  | "clearRect"
  | "fill"
  | "fillRect"
  | "fillStyle"
  | "globalCompositeOperation"
  | "lineCap"
  | "lineTo"
  | "lineWidth"
  | "moveTo"
  | "stroke"
>;

/** Steps of drawing; ink is opaque black, paper is transparent. */
export class Sketch {
  #steps: Step[] = [];
  #paint: Paint;

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  /** Whether there is anything to undo. */
  get canUndo(): boolean {
    return this.#steps.length > 0;
  }

  /** Whether nothing has been drawn since the paper was last empty. Erased ink counts as drawn. */
  get isEmpty(): boolean {
    const last = this.#steps.at(-1);
    return last === undefined || last.kind === "clear";
  }

  /** [784] grey values of the digit that is shown, if nothing was drawn on it. */
  get digit(): Uint8Array | undefined {
    const last = this.#steps.at(-1);
    return last?.kind === "digit" ? last.pixels : undefined;
  }

  /** Begins a stroke with a dot. */
  begin(tool: Tool, point: Point): void {
    this.#steps.push({ kind: "stroke", tool, points: [point] });
    this.#line(tool, point, point);
  }

  /** Takes the newest stroke further. */
  extend(points: readonly Point[]): void {
    const stroke = this.#steps.at(-1);
    if (stroke?.kind !== "stroke") return;
    for (const point of points) {
      this.#line(stroke.tool, stroke.points.at(-1)!, point);
      stroke.points.push(point);
    }
  }

  /** Shows a digit in place of all that was drawn: [784] grey values, light on dark. */
  show(pixels: Uint8Array): void {
    this.#steps.push({ kind: "digit", pixels });
    this.#repaint();
  }

  /** Empties the paper, which can be undone. */
  clear(): void {
    if (this.isEmpty) return;
    this.#steps.push({ kind: "clear" });
    this.#repaint();
  }

  /** Takes the last step back. */
  undo(): void {
    this.#steps.pop();
    this.#repaint();
  }

  #repaint(): void {
    this.#paint.clearRect(0, 0, PAPER_SIDE, PAPER_SIDE);
    const start = this.#steps.findLastIndex(({ kind }) => kind !== "stroke");
    for (const step of this.#steps.slice(Math.max(0, start))) {
      if (step.kind === "digit") this.#digit(step.pixels);
      if (step.kind !== "stroke") continue;
      for (const [i, point] of step.points.entries()) {
        this.#line(step.tool, step.points[i - 1] ?? point, point);
      }
    }
  }

  #line(tool: Tool, from: Point, to: Point): void {
    const paint = this.#paint;
    paint.globalCompositeOperation = tool === "pen" ? "source-over" : "destination-out";
    if (from.x === to.x && from.y === to.y) {
      // A line without length is none, by HTML's rules and in some versions of Chromium.
      paint.fillStyle = "black";
      paint.beginPath();
      paint.arc(to.x, to.y, to.width / 2, 0, 2 * Math.PI);
      paint.fill();
      return;
    }
    paint.lineCap = "round";
    paint.lineWidth = to.width;
    paint.beginPath();
    paint.moveTo(from.x, from.y);
    paint.lineTo(to.x, to.y);
    paint.stroke();
  }

  #digit(pixels: Uint8Array): void {
    const paint = this.#paint;
    const size = PAPER_SIDE / DIGIT_SIDE;
    paint.globalCompositeOperation = "source-over";
    for (const [place, grey] of pixels.entries()) {
      if (grey === 0) continue;
      paint.fillStyle = `rgb(0 0 0 / ${grey / 255})`;
      paint.fillRect(place % DIGIT_SIDE * size, Math.floor(place / DIGIT_SIDE) * size, size, size);
    }
  }
}
