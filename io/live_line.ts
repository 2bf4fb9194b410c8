/**
 * The live line of work that goes on: what is known of it, and a bar, in the width that there is.
 *
 * @module
 */

// @ts-types="npm:@types/cli-progress@3.11.6"
import cliProgress from "cli-progress";
import type { Reporter } from "./reporter.ts";

/** Something that is known, and what stands for it where there is less room; nothing if `""`. */
export type LiveField = string | readonly [text: string, brief: string];

/** What a live line shows. */
export interface LiveLine {
  /** In the order in which they are read; the bar comes before the last one. */
  fields: readonly LiveField[];
  /**
   * What stands between them.
   *
   * @default {"  "}
   */
  separator?: string;
  /** How much is done, 0..1; without it there is no bar. */
  share?: number | undefined;
}

/** Characters of a bar: of one that is of use, and of the longest. */
const BAR = { least: 8, most: 30 } as const;
/** What stands between a bar and the last field. */
const GAP = "  ";
/** What a bar is made of: blocks and shades. */
const { barCompleteChar, barIncompleteChar } = cliProgress.Presets.shades_classic;

/** Redraws a reporter's live line, where it has one. */
export function showLive(reporter: Reporter, line: LiveLine): void {
  reporter.live(liveText(line, reporter.columns));
}

/**
 * A live line in a terminal of so many columns. Where not all of it has room, fields are shortened,
 * from the last, those first that may be left out; then the bar goes.
 *
 * @param columns Without them the line is whole and has no bar.
 */
export function liveText(line: LiveLine, columns?: number): string {
  const { fields, separator = "  ", share } = line;
  const texts = fields.map(textOf);
  const joined = () => texts.filter((text) => text !== "").join(separator);
  if (columns === undefined) return joined();
  // The last column stays free: some terminals begin a new line after it.
  const room = columns - 1;
  const barWidth = share === undefined ? 0 : BAR.least + GAP.length;
  for (const index of shortenedFirst(fields)) {
    if (joined().length + barWidth <= room) break;
    texts[index] = briefOf(fields[index]!);
  }
  const free = room - joined().length - GAP.length;
  if (share !== undefined && free >= BAR.least) {
    texts.push([bar(share, Math.min(free, BAR.most)), texts.pop()].join(GAP).trimEnd());
  }
  return joined().slice(0, room);
}

/** Indices of the fields that have a brief form, in the order in which they take it. */
function shortenedFirst(fields: readonly LiveField[]): number[] {
  const indices = [...fields.keys()].filter((index) => typeof fields[index] !== "string")
    .reverse();
  const mayGo = (index: number) => briefOf(fields[index]!) === "";
  return [...indices.filter(mayGo), ...indices.filter((index) => !mayGo(index))];
}

function textOf(field: LiveField): string {
  return typeof field === "string" ? field : field[0];
}

function briefOf(field: LiveField): string {
  return typeof field === "string" ? field : field[1];
}

function bar(share: number, width: number): string {
  const progress = Math.min(1, Math.max(0, share));
  return cliProgress.Format.BarFormat(progress, {
    barsize: width,
    barGlue: "",
    barCompleteString: barCompleteChar!.repeat(width),
    barIncompleteString: barIncompleteChar!.repeat(width),
  });
}
