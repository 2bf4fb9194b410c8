/**
 * Where a side was not equally fast: two rows of the same work whose ranges have a gap between them. A
 * ratio is of a pair, which this says nothing against; but ratios of two such rows are of two machines.
 *
 * @module
 */

import { formatPace, rate } from "../report/analysis/paired_timings.ts";
import type { PairedTiming, SideResult, Timing } from "../report/record/bench_results.ts";
import { joinNotes } from "./pairs.ts";

/** The smallest gap that is worth a remark, as a share of the pace. */
const LEAST_GAP = 0.05;

/** A remark on each side of a timing that was faster, or slower, each time in another one. */
export function paceGaps(timing: PairedTiming, comparisons: readonly PairedTiming[]): string {
  return joinNotes(...[timing.ours, timing.theirs].map((side) => {
    const work = workOf(timing, side);
    const others = comparisons.flatMap((other) =>
      [other.ours, other.theirs].filter((its) => workOf(other, its) === work)
    );
    const [gap] = others.flatMap((other) => gapBetween(side, other) ?? [])
      .filter((one) => widthOf(one) > Math.log1p(LEAST_GAP))
      .toSorted((a, b) => widthOf(b) - widthOf(a));
    if (gap === undefined) return undefined;
    const [here, there] = [gap.here, gap.there].map((one) => formatPace([one], timing.unit));
    const [best, worst] = gap.isSlower ? ["best", "worst"] : ["worst", "best"];
    return `${side.label}: ${here} at ${best} here, ${there} at ${worst} in another row`;
  }));
}

/** The same in every row in which a side does the same. */
function workOf(
  { title, unit, gflopPerUnit, gbytePerUnit }: PairedTiming,
  side: SideResult,
): string {
  return JSON.stringify([gflopPerUnit ?? gbytePerUnit ?? title, unit, side.label, side.precision]);
}

/** The timings on either side of a gap. */
interface Gap {
  here: Timing;
  there: Timing;
  /** Whether that is so of all timings here. */
  isSlower: boolean;
}

function widthOf({ here, there }: Gap): number {
  return Math.abs(Math.log(rate(here) / rate(there)));
}

/** Of a single timing nobody knows how much it varies. */
function gapBetween(side: SideResult, other: SideResult): Gap | undefined {
  if (side.timings.length < 2 || other.timings.length < 2) return undefined;
  const [own, others] = [side, other].map(({ timings }) =>
    timings.toSorted((a, b) => rate(a) - rate(b))
  ) as [Timing[], Timing[]];
  const [slowest, fastest] = [own[0]!, own.at(-1)!];
  const [itsSlowest, itsFastest] = [others[0]!, others.at(-1)!];
  if (rate(fastest) < rate(itsSlowest)) return { here: fastest, there: itsSlowest, isSlower: true };
  if (rate(slowest) > rate(itsFastest)) {
    return { here: slowest, there: itsFastest, isSlower: false };
  }
  return undefined;
}
