/**
 * README's tables of speeds, out of `bench.json`.
 *
 * @module
 */

import {
  formatMedianAndRange,
  formatPace,
  medianAndRange,
  ratios,
} from "../analysis/paired_timings.ts";
import { CASES, formatName, type PairedTiming } from "../record/bench_results.ts";
import { alignedTable, type Column, escapeMarkdown } from "./markdown.ts";

const SPEED_COLUMNS = [
  { title: "what" },
  { title: "ours", align: "right" },
  { title: "PyTorch, its defaults", align: "right" },
  { title: "speed-up", align: "right" },
  { title: "lowest over all of PyTorch's settings", align: "right" },
] as const satisfies readonly Column[];

/**
 * The table of speeds, formatted as `deno fmt` does: a line for all that was timed beside PyTorch. A
 * speed-up is the median over pairs, with the lowest and the highest; the last column is the lowest such
 * median among PyTorch's settings in the same number format, or which of them has no timings. Where
 * PyTorch's defaults are in another one than ours, the cell says in which.
 */
export function renderSpeedTable(timings: readonly PairedTiming[]): string {
  const rows = [...besidePyTorch(timings)].map(([title, peers]) => {
    const { unit, ours, theirs } = peers[0]!;
    const { ours: timed } = peers.find(isTimed)!;
    const format = theirs.precision === ours.precision
      ? ""
      : `, in ${formatName(theirs.precision)}`;
    return [
      escapeMarkdown(title),
      formatPace(timed.timings, unit),
      isTimed(peers[0]!) ? formatPace(theirs.timings, unit) + format : "not measured",
      speedUpOf(peers[0]!),
      escapeMarkdown(leastOf(peers)),
    ];
  });
  return alignedTable(SPEED_COLUMNS, rows);
}

/** The lowest speed-up among the peers in the same number format, where there are several. */
function leastOf(peers: readonly PairedTiming[]): string {
  const sameFormat = peers.filter(({ ours, theirs }) => theirs.precision === ours.precision);
  if (sameFormat.length < 2) return "";
  const missing = sameFormat.filter((peer) => !isTimed(peer)).map(({ theirs }) => theirs.label);
  if (missing.length > 0) return `not measured: ${missing.join("; ")}`;
  return Math.min(...sameFormat.map((peer) => medianAndRange(ratios(peer))!.median)).toFixed(2);
}

/** What was timed on a machine. */
export interface MachineTimings {
  /** What the column is called, in Markdown. */
  title: string;
  timings: readonly PairedTiming[];
}

/**
 * Speed-ups over PyTorch's defaults, a column for each machine, formatted as `deno fmt` does: medians
 * over pairs, with the lowest and the highest.
 */
export function renderSpeedUps(machines: readonly MachineTimings[]): string {
  const found = machines.map(({ timings }) => besidePyTorch(timings));
  const timed = found.flatMap((of) => [...of.values()].map(([byDefault]) => byDefault!))
    .filter(isTimed)
    .toSorted((a, b) => CASES.indexOf(a.case) - CASES.indexOf(b.case));
  const rows = [...new Set(timed.map(({ title }) => title))]
    .map((title) => [
      escapeMarkdown(title),
      ...found.map((of) => {
        const byDefault = of.get(title)?.[0];
        return byDefault === undefined ? "" : speedUpOf(byDefault);
      }),
    ]);
  return alignedTable(
    [{ title: "what" }, ...machines.map(({ title }) => ({ title, align: "right" } as const))],
    rows,
  );
}

/**
 * Timings of the study's work of which some have a peer, by title; the first of each is of its defaults,
 * timed or not.
 */
function besidePyTorch(timings: readonly PairedTiming[]): Map<string, PairedTiming[]> {
  const byTitle = Map.groupBy(
    timings.filter((timing) => timing.case !== "limit"),
    ({ title }) => title,
  );
  return new Map([...byTitle].filter(([, peers]) => peers.some(isTimed)));
}

function isTimed({ theirs }: PairedTiming): boolean {
  return theirs.timings.length > 0;
}

/** Empty where there is none. */
function speedUpOf(timing: PairedTiming): string {
  const found = medianAndRange(ratios(timing));
  return found === undefined ? "" : formatMedianAndRange(found);
}
