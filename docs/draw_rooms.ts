/**
 * Draws the suite's rooms and what they import from each other into `docs/rooms.svg`:
 * `deno task drawing`.
 *
 * A room stands above all those that it imports from. An arrow that follows from others is left out:
 * where a imports from b and c, and b from c, it is drawn from a to b and from b to c.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { repositoryRoot } from "../io/cache.ts";
import { StudyError } from "../io/errors.ts";
import { helpText } from "../io/help_text.ts";
import { type FlagTable, parseFlags } from "../io/parse_flags.ts";
import { createReporter, print } from "../io/reporter.ts";
import { runScript } from "../io/run_script.ts";
import { type Imports, readImports, roomOf } from "./imports.ts";

const FLAGS = {
  check: { kind: "boolean", help: "write nothing; fail if the drawing is not up to date" },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

/** Rooms that may import from all others, or that others use through the import map alone. */
const NOT_DRAWN: readonly string[] = ["tests", "docs", "std"];

/** A room, or a point in a layer that a long arrow passes through. */
interface Place {
  /** `null` for a point. */
  room: Room | null;
  /** The places right below that an arrow goes to. */
  below: Place[];
  /** Middle, in pixels. */
  x: number;
  width: number;
}

interface Room {
  name: string;
  /** Its file count and those of its folders. */
  lines: string[];
  /** For each room that it imports from, how many of its imports. */
  imports: Map<string, number>;
}

const [BOX_HEIGHT, LAYER_GAP, PLACE_GAP, MARGIN] = [88, 44, 28, 12];
const [LETTER, LETTERS_PER_LINE, POINT_WIDTH] = [6.4, 34, 12];

/** The drawing of a suite's rooms, an SVG for light and dark pages. */
export function drawRooms(imports: ReadonlyMap<string, Imports>): string {
  const rooms = findRooms(imports);
  const layers = arrange(placeInLayers(rooms));
  const rowWidths = layers.map((layer) => rowWidth(layer));
  const width = Math.max(...rowWidths) + 2 * MARGIN;
  for (const layer of layers) {
    let x = (width - rowWidth(layer)) / 2;
    for (const place of layer) {
      place.x = x + place.width / 2;
      x += place.width + PLACE_GAP;
    }
  }
  const height = layers.length * (BOX_HEIGHT + LAYER_GAP) - LAYER_GAP + 2 * MARGIN;
  const top = (layer: number) => MARGIN + (layers.length - 1 - layer) * (BOX_HEIGHT + LAYER_GAP);
  const arrows: string[] = [];
  const boxes: string[] = [];
  for (const [number, layer] of layers.entries()) {
    for (const place of layer) {
      for (const end of place.below) arrows.push(arrow(place, end, top(number)));
      boxes.push(place.room ? box(place, place.room, top(number)) : line(place, top(number)));
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" \
height="${height}" role="img" aria-label="The suite's rooms and what they import from each other">
${STYLE}
${arrows.join("\n")}
${boxes.join("\n")}
</svg>
`;
}

function findRooms(imports: ReadonlyMap<string, Imports>): Map<string, Room> {
  const files = [...imports.keys()].filter((path) => !NOT_DRAWN.includes(roomOf(path)));
  const rooms = new Map<string, Room>();
  for (const [name, paths] of Map.groupBy(files, roomOf)) {
    const targets = paths.flatMap((path) => imports.get(path)!.files).map(roomOf)
      .filter((target) => target !== name && !NOT_DRAWN.includes(target));
    const counts = [...Map.groupBy(targets, (target) => target)]
      .map(([target, { length }]) => [target, length] as const);
    rooms.set(name, { name, lines: fileCounts(name, paths), imports: new Map(counts.sort()) });
  }
  return rooms;
}

/** `9 files`, and a line or two with the room's folders: `record 9 · analysis 12`. */
function fileCounts(room: string, paths: readonly string[]): string[] {
  if (paths[0] === room) return [];
  const folders = Map.groupBy(paths, (path) => path.split("/").slice(1, -1).join("/"));
  folders.delete("");
  const lines = [`${paths.length} files`];
  for (const [folder, { length }] of folders) {
    const text = `${folder} ${length}`;
    const last = lines.at(-1)!;
    if (lines.length === 1 || last.length + text.length > LETTERS_PER_LINE) lines.push(text);
    else lines[lines.length - 1] = `${last} · ${text}`;
  }
  return lines;
}

/** Each room one layer above the highest that it imports from; the lowest layer first. */
function placeInLayers(rooms: ReadonlyMap<string, Room>): Place[][] {
  const heights = new Map<string, number>();
  const heightOf = (name: string, above: readonly string[] = []): number => {
    if (above.includes(name)) {
      throw new StudyError(
        `Rooms import from each other in a circle: ${[...above, name].join(" → ")}`,
      );
    }
    const known = heights.get(name);
    if (known !== undefined) return known;
    const below = [...rooms.get(name)!.imports.keys()].map((to) => heightOf(to, [...above, name]));
    const height = 1 + Math.max(-1, ...below);
    heights.set(name, height);
    return height;
  };
  const layers: Place[][] = [];
  const places = new Map<string, Place>();
  for (const room of rooms.values()) {
    const letters = Math.max(room.name.length * 1.3, ...room.lines.map(({ length }) => length));
    const place = { room, below: [], x: 0, width: Math.max(96, Math.ceil(letters * LETTER) + 24) };
    places.set(room.name, place);
    (layers[heightOf(room.name)] ??= []).push(place);
  }
  for (const { name, imports } of rooms.values()) {
    for (const target of imports.keys()) {
      if (isImplied(name, target, rooms)) continue;
      let from = places.get(name)!;
      for (let layer = heightOf(name) - 1; layer > heightOf(target); layer--) {
        const point: Place = { room: null, below: [], x: 0, width: POINT_WIDTH };
        layers[layer]!.push(point);
        from.below.push(point);
        from = point;
      }
      from.below.push(places.get(target)!);
    }
  }
  return layers;
}

/** Whether another room that `from` imports from leads to `to` as well. */
function isImplied(from: string, to: string, rooms: ReadonlyMap<string, Room>): boolean {
  const leadsTo = (name: string): boolean =>
    rooms.get(name)!.imports.has(to) || [...rooms.get(name)!.imports.keys()].some(leadsTo);
  return [...rooms.get(from)!.imports.keys()].some((via) => via !== to && leadsTo(via));
}

/**
 * Orders each layer so that few arrows cross: places are put near the middle of those they are joined
 * with, up and down some times, and the best order on the way is taken.
 */
function arrange(layers: Place[][]): Place[][] {
  const rank = new Map<Place, number>();
  const note = (layer: readonly Place[]) =>
    layer.forEach((place, i) => rank.set(place, (i + 0.5) / layer.length));
  const mean = (places: readonly Place[], otherwise: number) =>
    places.length === 0
      ? otherwise
      : places.reduce((sum, place) => sum + rank.get(place)!, 0) / places.length;
  const sort = (layer: Place[], joined: (place: Place) => readonly Place[]) => {
    const wanted = new Map(layer.map((place) => [place, mean(joined(place), rank.get(place)!)]));
    layer.sort((a, b) => wanted.get(a)! - wanted.get(b)!);
    note(layer);
  };
  layers.forEach(note);
  let best = layers.map((layer) => [...layer]);
  for (let sweep = 0; sweep < 8; sweep++) {
    for (let i = layers.length - 2; i >= 0; i--) {
      sort(layers[i]!, (place) => layers[i + 1]!.filter(({ below }) => below.includes(place)));
    }
    for (let i = 1; i < layers.length; i++) sort(layers[i]!, ({ below }) => below);
    if (crossings(layers) < crossings(best)) best = layers.map((layer) => [...layer]);
  }
  return best;
}

/** How many pairs of arrows cross. */
function crossings(layers: readonly Place[][]): number {
  let count = 0;
  for (const [number, layer] of layers.entries()) {
    const arrows = layer.flatMap(({ below }, from) =>
      below.map((end) => [from, layers[number - 1]!.indexOf(end)] as const)
    );
    for (const [a, b] of arrows) {
      count += arrows.filter(([c, d]) => a < c && b > d).length;
    }
  }
  return count;
}

function rowWidth(layer: readonly Place[]): number {
  return layer.reduce((sum, { width }) => sum + width, (layer.length - 1) * PLACE_GAP);
}

function box({ x, width }: Place, { name, lines, imports }: Room, y: number): string {
  const total = [...imports].map(([target, count]) => `${target} ${count}`).join(", ");
  const text = [name, ...lines].map((words, i, { length }) => {
    const baseline = y + BOX_HEIGHT / 2 + 4 + (i - (length - 1) / 2) * 15;
    return `<text x="${x}" y="${baseline}"${i === 0 ? ' class="name"' : ""}>${words}</text>`;
  });
  return `<g><title>${name} imports ${total || "nothing"}</title>` +
    `<rect x="${x - width / 2}" y="${y}" width="${width}" height="${BOX_HEIGHT}" rx="6"/>` +
    `${text.join("")}</g>`;
}

/** A long arrow's way through a layer. */
function line({ x }: Place, y: number): string {
  return `<path d="M${x} ${y}V${y + BOX_HEIGHT}"/>`;
}

function arrow(from: Place, to: Place, top: number): string {
  const [y, end] = [top + BOX_HEIGHT, top + BOX_HEIGHT + LAYER_GAP];
  const middle = (y + end) / 2;
  const head = to.room ? `<path class="head" d="M${to.x} ${end}l-4 -8h8z"/>` : "";
  return `<path d="M${from.x} ${y}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${
    to.room ? end - 7 : end
  }"/>${head}`;
}

const STYLE = `<style>
svg { --ink: #1f2328; --soft: #59636e; --line: #818b98; --box: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #f0f6fc; --soft: #9198a1; --line: #656c76; --box: #151b23; }
}
text { font: 11px system-ui, sans-serif; fill: var(--soft); text-anchor: middle; }
.name { font-size: 14px; font-weight: 600; fill: var(--ink); }
rect { fill: var(--box); stroke: var(--line); }
path { fill: none; stroke: var(--line); stroke-width: 1.5; }
.head { fill: var(--line); stroke: none; }
</style>`;

async function main(): Promise<void> {
  const flags = parseFlags(Deno.args, FLAGS);
  if (flags.help) {
    print(helpText({
      usage: "deno task drawing [flags]",
      description: "Draws the suite's rooms and what they import from each other.",
      table: FLAGS,
      examples: ["deno task drawing", "deno task drawing --check"],
    }));
    return;
  }
  const path = join(repositoryRoot(), "docs", "rooms.svg");
  const drawing = drawRooms(await readImports(repositoryRoot()));
  const present = await Deno.readTextFile(path).catch(() => "");
  if (present === drawing) return createReporter().line("docs/rooms.svg is up to date");
  if (flags.check) {
    throw new StudyError(`docs/rooms.svg does not show these imports: run "deno task drawing"`);
  }
  await writeFileAtomic(path, drawing);
  createReporter().line("docs/rooms.svg is drawn");
}

if (import.meta.main) await runScript(main);
