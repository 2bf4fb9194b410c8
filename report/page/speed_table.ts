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
 * median among PyTorch's settings in the same number format. Where PyTorch's defaults are in
 * another one than ours, the cell says in which.
 */
export function renderSpeedTable(timings: readonly PairedTiming[]): string {
  const rows = [...besidePyTorch(timings)].map(([title, peers]) => {
    const { unit, ours, theirs } = peers[0]!;
    const sameFormat = peers.filter((peer) => peer.theirs.precision === ours.precision);
    const least = Math.min(...sameFormat.map((peer) => medianAndRange(ratios(peer))!.median));
    return [
      escapeMarkdown(title),
      formatPace(ours.timings, unit),
      formatPace(theirs.timings, unit) +
      (theirs.precision === ours.precision ? "" : `, in ${formatName(theirs.precision)}`),
      formatMedianAndRange(medianAndRange(ratios(peers[0]!))!),
      sameFormat.length > 1 ? least.toFixed(2) : "",
    ];
  });
  return alignedTable(SPEED_COLUMNS, rows);
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
    .toSorted((a, b) => CASES.indexOf(a.case) - CASES.indexOf(b.case));
  const rows = [...new Set(timed.map(({ title }) => title))]
    .map((title) => [
      escapeMarkdown(title),
      ...found.map((of) => {
        const byDefault = of.get(title)?.[0];
        return byDefault === undefined
          ? ""
          : formatMedianAndRange(medianAndRange(ratios(byDefault))!);
      }),
    ]);
  return alignedTable(
    [{ title: "what" }, ...machines.map(({ title }) => ({ title, align: "right" } as const))],
    rows,
  );
}

/** Timings of the study's work that have a peer, by title; the first of each is of its defaults. */
function besidePyTorch(timings: readonly PairedTiming[]): Map<string, PairedTiming[]> {
  const paired = timings.filter((timing) =>
    timing.case !== "limit" && timing.theirs.timings.length > 0
  );
  return Map.groupBy(paired, ({ title }) => title);
}
