/** What a case of the bench is given, for tests. */

import type { BenchContext } from "../../bench/context.ts";
import { silentReporter } from "../../io/reporter.ts";
import type { Measurement, PairedTiming } from "../../report/record/bench_results.ts";

/** A context of ours on the CPU, and the timings that a case has recorded. */
export function benchContext(
  images: BenchContext["images"],
): BenchContext & { found: PairedTiming[]; done: (PairedTiming | Measurement)["case"][] } {
  const found: PairedTiming[] = [];
  const done: (PairedTiming | Measurement)["case"][] = [];
  return {
    ...{ cases: [], full: true, pairs: 1, seconds: 1, epochs: 10, data: "digits", images },
    ...{ python: "python3", backend: "auto", threads: 2, engineFlags: [] },
    ours: { backend: "tensorflow", device: "CPU" },
    precisions: ["float32", "bfloat16"],
    peer: { torchDevice: "cpu" },
    reporter: silentReporter,
    signal: new AbortController().signal,
    record(finding, { isLast } = { isLast: true }) {
      if ("ours" in finding) found.push(finding);
      if (isLast) done.push(finding.case);
      return Promise.resolve();
    },
    found,
    done,
  };
}
