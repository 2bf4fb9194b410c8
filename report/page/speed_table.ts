/**
 * README's table of speeds: ours beside PyTorch, out of `bench.json`.
 *
 * @module
 */

import { alignedTable } from "./aligned_table.ts";
import { type Column, escapeMarkdown } from "./markdown.ts";
import type { BenchResults, Comparison } from "../analysis/bench_results.ts";
import { formatPace, formatSpread, median, ratios, spread } from "../analysis/bench_statistics.ts";

const COLUMNS = [
  { title: "what" },
  { title: "ours", align: "right" },
  { title: "PyTorch, its defaults", align: "right" },
  { title: "ours / PyTorch", align: "right" },
  { title: "its best settings", align: "right" },
] as const satisfies readonly Column[];

/**
 * The table, formatted as `deno fmt` does: a line for all that was timed beside PyTorch. A ratio is
 * the median over pairs, with the lowest and the highest; beside the settings that are PyTorch's best
 * in the same number format it is the lowest median.
 */
export function renderSpeedTable({ comparisons }: Pick<BenchResults, "comparisons">): string {
  const byTitle = new Map<string, Comparison[]>();
  for (const comparison of comparisons) {
    if (comparison.case === "limit" || comparison.theirs.timings.length === 0) continue;
    byTitle.set(comparison.title, [...byTitle.get(comparison.title) ?? [], comparison]);
  }
  const rows = [...byTitle].map(([title, peers]) => {
    const [{ unit, ours, theirs }] = peers as [Comparison];
    const sameFormat = peers.filter((peer) => peer.theirs.precision === ours.precision);
    const best = Math.min(...sameFormat.map((peer) => median(ratios(peer))));
    return [
      escapeMarkdown(title),
      formatPace(ours.timings, unit),
      formatPace(theirs.timings, unit),
      formatSpread(spread(ratios(peers[0]!))!),
      sameFormat.length > 1 ? best.toFixed(2) : "",
    ];
  });
  return alignedTable(COLUMNS, rows);
}
