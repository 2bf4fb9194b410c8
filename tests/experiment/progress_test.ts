/** What a terminal of 40 and of 120 columns, a pipe, and nobody sees of work that goes on. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { EvaluationProgress, ImageProgress, showBatch } from "../../experiment/progress.ts";
import { type Reporter, silentReporter } from "../../io/reporter.ts";
import { FeatureCache } from "../../training/features/feature_cache.ts";
import { EXTRACTION_BATCH } from "../../training/features/feature_extractor.ts";
import { withFolder } from "../report/result_rows.ts";

/** A reporter that keeps what it is given; of a terminal where there are columns. */
function recorder(columns?: number) {
  const live: string[] = [];
  const lines: string[] = [];
  const reporter: Reporter = {
    ...silentReporter,
    terminal: columns !== undefined,
    columns,
    line: (text) => lines.push(text),
    live: (text) => text === "" ? 0 : live.push(text),
  };
  return { reporter, live, lines };
}

const BATCH = {
  epoch: 2,
  batch: 100,
  batches: 469,
  seen: 12_800,
  total: 60_000,
  loss: 0.0423,
  seconds: 8,
  outcomes: [],
};

for (const columns of [40, 120]) {
  Deno.test(`the live line of each kind of work has a bar in ${columns} columns`, () =>
    withFolder({}, async (cache) => {
      const { reporter, live } = recorder(columns);
      showBatch(reporter, BATCH, { epochs: 10 });
      new EvaluationProgress(reporter).show(500, 10_000);
      const images = new ImageProgress(reporter, "Inference", 10_000);
      for (const done of [0, 2, 4]) images.show(done);
      using features = new FeatureCache({
        identity: { model: "test" },
        title: "the training images",
        count: 3 * EXTRACTION_BATCH,
        columns: 2,
        shardRows: EXTRACTION_BATCH,
        cache,
      });
      const extract = (_: number, rows: number, { onProgress = (_: number) => {} } = {}) => {
        onProgress(rows);
        return Promise.resolve(new Float32Array(2 * rows));
      };
      await features.fill({ extract }, { reporter });
      assertEquals(live.length, 1 + 1 + 3 + 3);
      for (const text of live) {
        assert(text.length < columns, text);
        assertMatch(text, /[█░]{8,}/);
      }
      assertMatch(live[0]!, columns === 40 ? /^2\/10 {2}loss 0\.0423 {2}/ : /1615 images\/s {2}█/);
    }));
}

Deno.test("the live line of a predictor's training has the pace of boxes", () => {
  const { reporter, live } = recorder(120);
  showBatch(reporter, BATCH, { epochs: 10, epochsOnly: true, unit: "boxes" });
  assertMatch(live[0]!, / 1615 boxes\/s /);
});

Deno.test("a pipe gets the lines of the study, and the log lines of images", () => {
  const { reporter, live, lines } = recorder();
  showBatch(reporter, BATCH, { epochs: 10 });
  showBatch(reporter, { ...BATCH, batch: 101 }, { epochs: 10 });
  showBatch(reporter, BATCH, { epochs: 10, epochsOnly: true });
  assertEquals(lines, ["Train Epoch: 2 [12800/60000 (21%)]  Loss: 0.042300"]);
  assertEquals(live, []);
});
