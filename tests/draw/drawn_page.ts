/// <reference lib="dom" />
/** The page in a browser, for its tests: trained models, who serves them, and a hand that draws. */

import { assertEquals } from "@std/assert";
import { extname, join } from "node:path";
import type { Page } from "puppeteer-core";
import { part1, Program } from "../scripts/part1_process.ts";
import { taskArgs } from "../task.ts";

/** A stroke as the places that it goes through, 0..1 of the paper from its left and top. */
type Stroke = readonly (readonly [x: number, y: number])[];

/** Points on an arc of an ellipse, angles in turns from its right end clockwise. */
export function arc(
  [x, y]: readonly [number, number],
  [width, height]: readonly [number, number],
  [from, to]: readonly [number, number],
): Stroke {
  return Array.from({ length: 25 }, (_, i) => {
    const angle = 2 * Math.PI * (from + (to - from) * i / 24);
    return [x + width * Math.cos(angle), y + height * Math.sin(angle)] as const;
  });
}

/** Digits as a person may write them. */
export const DIGITS: Readonly<Record<number, readonly Stroke[]>> = {
  0: [arc([0.5, 0.5], [0.2, 0.3], [-0.25, 0.75])],
  1: [[[0.52, 0.18], [0.48, 0.82]]],
  2: [[...arc([0.5, 0.34], [0.18, 0.16], [-0.45, 0.08]), [0.32, 0.8], [0.72, 0.8]]],
  3: [[
    ...arc([0.47, 0.34], [0.17, 0.15], [-0.42, 0.22]),
    ...arc([0.47, 0.65], [0.2, 0.17], [-0.22, 0.4]),
  ]],
  4: [[[0.4, 0.2], [0.3, 0.52], [0.7, 0.52]], [[0.64, 0.22], [0.6, 0.85]]],
  7: [[[0.28, 0.22], [0.72, 0.22], [0.45, 0.84]]],
};

/** Trains a model that knows its digits and one that hardly does, and returns their results folder. */
export async function trainModels(folder: string): Promise<string> {
  const out = join(folder, "results");
  const common = ["--epochs=1", "--test-limit=2000", "--out", out, "--quiet"];
  for (const args of [["--recipe=fast", "--limit=6000"], ["--limit=512"]]) {
    const { code, stderr } = await part1([...args, ...common]);
    assertEquals(code, 0, stderr);
  }
  return out;
}

/** `deno task draw` with some arguments. */
export function draw(args: readonly string[], env: Record<string, string> = {}): Program {
  return new Program(Deno.execPath(), [...taskArgs("draw"), ...args], env);
}

/** `deno task draw`, and the address of its page. */
export async function startDrawing(
  results: string,
): Promise<{ program: Program; address: string }> {
  const program = draw(["--results", results, "--port=0", "--no-open"]);
  await program.until(/Draw at \S+/);
  return { program, address: /Draw at (\S+)/.exec(program.stdout)![1]! };
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** A plain web server that has a folder's files below a path. */
export function serveFolder(folder: string, path: string) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const name = pathname.slice(path.length) || "index.html";
    if (!pathname.startsWith(path) || name.includes("..")) return new Response("", { status: 404 });
    try {
      const type = TYPES[extname(name)] ?? "text/plain";
      const bytes = await Deno.readFile(join(folder, name));
      return new Response(bytes, { headers: { "content-type": type } });
    } catch {
      return new Response("", { status: 404 });
    }
  });
  return { server, address: `http://127.0.0.1:${server.addr.port}${path}` };
}

/** What happens on a page. */
export interface Visit {
  /** All that it asked for. */
  urls: string[];
  /** What went wrong: failed requests, exceptions, what the console has as errors. */
  errors: string[];
}

/** Opens a page and waits until one can draw on it. */
export async function open(page: Page, address: string): Promise<Visit> {
  const [urls, errors]: [string[], string[]] = [[], []];
  page.on("request", (request) => urls.push(request.url()));
  page.on("requestfailed", (request) => errors.push(`${request.url()} failed`));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(address);
  await page.waitForSelector("body[data-ready]");
  return { urls, errors };
}

/** Draws strokes with the mouse. */
export async function drawStrokes(page: Page, strokes: readonly Stroke[]): Promise<void> {
  const box = (await (await page.$("#pad"))!.boundingBox())!;
  const place = ([x, y]: readonly [number, number]) =>
    [box.x + x * box.width, box.y + y * box.height] as const;
  for (const [first, ...rest] of strokes) {
    await page.mouse.move(...place(first!));
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...place(point), { steps: 2 });
    await page.mouse.up();
  }
}

/** Draws strokes with events that a script makes up, as those of a pen or a finger. */
export async function dispatchStrokes(
  page: Page,
  strokes: readonly Stroke[],
  pointerType: "pen" | "touch",
): Promise<void> {
  await page.$eval(
    "#pad",
    (pad, strokes, pointerType) => {
      const { left, top, width, height } = pad.getBoundingClientRect();
      const send = (type: string, [x, y]: readonly [number, number]) =>
        pad.dispatchEvent(
          new PointerEvent(type, {
            ...{ pointerId: 7, pointerType, bubbles: true, isPrimary: true, pressure: 0.5 },
            clientX: left + x * width,
            clientY: top + y * height,
          }),
        );
      for (const stroke of strokes) {
        send("pointerdown", stroke[0]!);
        for (const point of stroke) send("pointermove", point);
        send("pointerup", stroke.at(-1)!);
      }
    },
    strokes,
    pointerType,
  );
}

/** Where the row in the paper's middle has ink, 0..1 from its left; `undefined` where it has none. */
export function inkAcross(page: Page): Promise<{ from: number; to: number } | undefined> {
  return page.$eval("#pad", (pad) => {
    const { width, height } = pad as HTMLCanvasElement;
    const { data } = (pad as HTMLCanvasElement).getContext("2d")!
      .getImageData(0, height / 2, width, 1);
    const row = data.filter((_, place) => place % 4 === 3);
    if (!row.some(Boolean)) return undefined;
    return { from: row.findIndex(Boolean) / width, to: row.findLastIndex(Boolean) / width };
  });
}

/** Waits until every model has answered what is on the paper now. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 20)));
  await page.waitForFunction(() => {
    const { drawing } = document.body.dataset;
    const cards = [...document.querySelectorAll<HTMLElement>(".card")];
    return cards.every(({ dataset }) => dataset["answered"] === drawing);
  });
}

/** Empties the paper. */
export async function clear(page: Page): Promise<void> {
  const isEmpty = await page.$eval("#clear", (button) => (button as HTMLButtonElement).disabled);
  if (!isEmpty) await page.click("#clear");
}

/** What a model's card says. */
export function cardOf(page: Page, model: string) {
  return page.$eval(`.card[data-model="${model}"]`, (card) => ({
    digit: Number((card as HTMLElement).dataset["digit"]),
    differs: "differs" in (card as HTMLElement).dataset,
    latency: Number((card as HTMLElement).dataset["latency"]),
    probabilities: [...card.querySelectorAll<HTMLElement>(".value")]
      .map(({ dataset }) => Number(dataset["value"])),
  }));
}
