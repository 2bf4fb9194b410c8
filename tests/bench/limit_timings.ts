/** What shows a machine's limit, for tests. */

import { PLANS } from "../../bench/plans.ts";
import type { PairedTiming } from "../../report/record/bench_results.ts";

/** A timing of each that is planned to show a limit, of memory or in our number format, all of them alike. */
export function limitTimings(one: Omit<PairedTiming, "case" | "title">): PairedTiming[] {
  const isOfMemory = one.gbytePerUnit !== undefined;
  return PLANS.filter(({ case: name, bytes, precision }) =>
    name === "limit" && precision === one.ours.precision && isOfMemory === (bytes !== undefined)
  ).map(({ title }) => ({ ...one, case: "limit", title }));
}
