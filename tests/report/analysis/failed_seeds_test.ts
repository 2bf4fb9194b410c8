import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeFailedSeeds, findFailedSeeds } from "../../../report/analysis/failed_seeds.ts";
import { whatDoesNotHold } from "../../../report/analysis/gate.ts";
import { renderResults } from "../../../report/page/section_results.ts";
import { renderReview } from "../../../report/page/section_review.ts";
import type { ResultRow } from "../../../report/record/result_row.ts";
import { compareResults } from "../../../report/compare.ts";
import { appendRow } from "../../../report/record/results.ts";
import { resultRow, withFolder } from "../result_rows.ts";

const FAILED = { status: "error", epochs: 0, accuracy: NaN, error: "The loss became NaN" } as const;
const STUDY = { learning_rate: 0.001 };
const HIGH = { learning_rate: 0.02 };

/** Rows of SimpleCNN, each of its own run. */
function rowsOf(...changes: Partial<ResultRow>[]): ResultRow[] {
  return changes.map((change, i) => resultRow({ run_id: `run-${i}`, ...change }));
}

/** What is said of the seeds that failed, the settings being those of the ok rows, the first one first. */
function describe(...changes: Partial<ResultRow>[]): string[] {
  const rows = rowsOf(...changes);
  const settings = new Map<string, ResultRow>();
  for (const row of rows.filter(({ status }) => status === "ok")) {
    settings.set(`${row.learning_rate} ${row.epochs}`, row);
  }
  return findFailedSeeds(rows, [...settings.values()]).map((failed) =>
    `${failed.setting.learning_rate}: ${describeFailedSeeds(failed)}`
  );
}

Deno.test("findFailedSeeds() names each seed whose newest run failed, by its setting", () => {
  assertEquals(
    describe(
      { seed: 1 },
      { ...FAILED, seed: 4 },
      { ...FAILED, seed: 3 },
      { ...FAILED, seed: 2, error: "no memory" },
      { ...HIGH, seed: 1 },
      { ...FAILED, ...HIGH, seed: 1 },
      { ...FAILED, seed: 2, learning_rate: 0.5 },
    ),
    [
      "0.001: 3 of 4 seeds failed: 2 (no memory); 3, 4 (The loss became NaN)",
      "0.02: 1 of 1 seed failed: 1 (The loss became NaN; an older run counts)",
      "0.5: 1 of 1 seed failed: 2 (The loss became NaN)",
    ],
  );
});

Deno.test("findFailedSeeds() leaves out a seed with a later run that came as far", () => {
  assertEquals(describe({ ...FAILED, seed: 4 }, { seed: 4 }), []);
  assertEquals(describe({ seed: 1 }, { ...FAILED, seed: 4 }, { seed: 4, epochs: 1 }), []);
  assertEquals(
    describe({ seed: 1 }, { ...FAILED, seed: 4, epochs: 5 }, { seed: 4, epochs: 1 }).length,
    1,
  );
});

Deno.test("findFailedSeeds() has interrupted runs and failed starts only where nothing else is known", () => {
  const interrupted = { status: "interrupted", accuracy: null } as const;
  const start = {
    ...FAILED,
    ...{ dataset: "", dataset_sha256: "", test_images: null, train_images: null, backend: "" },
    error: "no engine",
  };
  for (const row of [interrupted, start]) {
    assertEquals(describe({ seed: 4 }, { ...row, seed: 4 }), []);
    assertEquals(describe({ ...row, seed: 4 }, { seed: 4 }), []);
    assertEquals(describe({ seed: 1 }, { ...FAILED, seed: 4 }, { ...row, seed: 4 }), [
      "0.001: 1 of 2 seeds failed: 4 (The loss became NaN)",
    ]);
  }
  assertEquals(describe({ seed: 1 }, { ...interrupted, seed: 4 }, { ...start, seed: 5 }), [
    "0.001: 2 of 3 seeds failed or did not finish: 4 (interrupted); 5 (no engine)",
  ]);
});

Deno.test("a seed that diverged is named by the report and by the gate, also among those that did not", async () => {
  await withFolder({}, async (folder) => {
    const ok = [1, 2, 3, 5].map((seed) => ({ seed, ...STUDY }));
    for (const row of rowsOf(...ok.slice(0, 3), { ...FAILED, ...STUDY, seed: 4 }, ok[3]!)) {
      await appendRow(folder, row);
    }
    const comparison = await compareResults([folder]);
    const told = "SimpleCNN: 1 of 5 seeds failed: 4 (The loss became NaN)";
    assertStringIncludes(
      renderReview(comparison),
      `the newest ok run counts, whatever its scores. ${told}. `,
    );
    assertStringIncludes(renderResults(comparison), `What is missing or failed:\n\n- ${told}.\n`);
    const { models } = comparison;
    const failures = whatDoesNotHold({ models, problems: [] }, { required: ["simplecnn"] });
    assertEquals(failures.filter((failure) => failure.includes("seeds failed")), [told]);
    // Told once, also where it is the newest run.
    for (const row of rowsOf({ ...FAILED, ...STUDY, run_id: "run-9", seed: 6 })) {
      await appendRow(folder, row);
    }
    assertStringIncludes(
      renderResults(await compareResults([folder])),
      "What is missing or failed:\n\n- SimpleCNN: 2 of 6 seeds failed: 4, 6 (The loss became NaN).\n",
    );
  });
});
