/** `bench.json` while more than one run of the bench writes it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { ResultsFile } from "../../bench/results_file.ts";
import { silentReporter } from "../../io/reporter.ts";
import {
  type BenchResults,
  type CaseName,
  readBenchResults,
} from "../../report/record/bench_results.ts";
import { withFolder } from "../report/result_rows.ts";

/** A run that has found nothing yet. */
function run(day: number, cases: readonly CaseName[], processor = "abacus"): BenchResults {
  const started_at = `2026-01-0${day}T00:00:00.000Z`;
  return {
    ...{ started_at, finished_at: started_at, machine: { processor }, threads: 2 },
    settings: { cases, full: false, pairs: 1, seconds: 2, epochs: 10, data: "mnist" },
    ...{ versions: {}, git: null, load_average: 0, comparisons: [], measures: [] },
  };
}

const found = (name: CaseName, value: number, title = "all") =>
  ({ case: name, title, unit: "s", value }) as const;

async function measuresIn(folder: string): Promise<(string | number | null | undefined)[][]> {
  const { measures } = (await readBenchResults(join(folder, "bench.json")))!;
  return measures.map(({ case: name, title, value, of }) => [name, title, value, of]);
}

Deno.test("two runs of the bench at once keep each other's findings", () =>
  withFolder({}, async (folder) => {
    const first = new ResultsFile(run(1, ["memory", "mapping"]), folder, silentReporter);
    const second = new ResultsFile(run(2, ["growth"]), folder, silentReporter);
    for (const file of [first, second]) await file.read();
    await first.record(found("memory", 1), { isLast: false });
    await second.record(found("growth", 2));
    await first.record(found("memory", 3, "more"));
    await first.record(found("mapping", 4));
    const other = "2026-01-02T00:00:00.000Z";
    assertEquals(await measuresIn(folder), [
      ["memory", "all", 1, undefined],
      ["memory", "more", 3, undefined],
      ["growth", "all", 2, other],
      ["mapping", "all", 4, undefined],
    ]);
    const { started_at, earlier } = first.results;
    assertEquals([started_at, earlier?.map((one) => one.started_at)], [
      "2026-01-01T00:00:00.000Z",
      [other],
    ]);
  }));

Deno.test("what another machine writes meanwhile is put aside, and nothing of this one is lost", () =>
  withFolder({}, async (folder) => {
    const warnings: string[] = [];
    const reporter = { ...silentReporter, warn: (text: string) => void warnings.push(text) };
    const ours = new ResultsFile(run(1, ["memory", "mapping"]), folder, reporter);
    await ours.record(found("memory", 1));
    const other = new ResultsFile(run(2, ["growth"], "slide rule"), folder, reporter);
    await other.record(found("growth", 2));
    await ours.record(found("mapping", 4));
    assertEquals(await measuresIn(folder), [
      ["memory", "all", 1, undefined],
      ["mapping", "all", 4, undefined],
    ]);
    assertEquals(warnings.length, 2);
    assertStringIncludes(warnings[1]!, "bench-20260102T000000Z.json");
    assertEquals((await readBenchResults(join(folder, "bench-20260102T000000Z.json")))!.measures, [
      found("growth", 2),
    ]);
  }));
