import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { renderSweeps } from "../../../report/page/section_sweeps.ts";
import { comparison } from "../figures/drawn_figures.ts";
import { compareRuns, wrongOneIn } from "../compared_runs.ts";
import { compared } from "../figures/drawn_figures.ts";
import type { Answered } from "../result_rows.ts";

/** A run of so many training images. */
function trained(images: number, seed: number, wrong: number): Answered {
  const run_id = `n${images}-seed${seed}`;
  return { images: 1000, answer: wrongOneIn(wrong), row: { run_id, seed, train_images: images } };
}

const FULL = [1, 2, 3].map((seed) => trained(60_000, seed, 100 + 10 * seed));
const FEW = [1, 2, 3].map((seed) => trained(300, seed, 10 + seed));

Deno.test("the report on many runs has them in a section of their own", () =>
  compareRuns({ a: FULL, b: FEW }, ({ models }, report) => {
    const [, section] = report.match(/\n## What many runs say together\n([^]*?)\n## /)!;
    assertMatch(section!, /\| SimpleCNN, 300 \/ 1,000 images \| 3 \| 91\.60 ± 0\.70 \|/);
    assertMatch(section!, /\| SimpleCNN, 1,000 test images \| 300 \| 3 \|/);
    assertMatch(section!, /\| SimpleCNN, 1,000 test images \| 60,000 \| 3 \|/);
    // Which runs stand on the first page is as it was.
    assertEquals(models[0]!.row!.train_images, 60_000);
    assertEquals(models[0]!.settings[0]!.seeds, 3);
  }));

Deno.test("the first page is the same with runs of other sizes beside those shown", () =>
  compareRuns({ a: FULL }, (_, alone) =>
    compareRuns({ a: FULL, b: FEW }, (_, report) => {
      const firstPage = (text: string) => text.match(/## What was published[^]*?(?=\n## )/)![0];
      assertEquals(firstPage(report), firstPage(alone));
    })));

Deno.test("a report without many runs has no such section", () =>
  compareRuns({ a: [FULL[0]!] }, (_, report) => {
    assert(!report.includes("What many runs say together"));
  }));

Deno.test("which of 12 settings is best is said in a sentence, chance included", () => {
  const runs = Array.from({ length: 12 }, (_, i) =>
    [0, 0.02, -0.02].map((off, seed) => ({
      batch_size: 16 * (i + 1),
      seed,
      accuracy: 99 - (i === 11 ? 3 : 0) + 0.001 * i + off,
    })));
  const text = renderSweeps(comparison([compared("SimpleCNN", runs.flat())]));
  assertMatch(
    text,
    /: SimpleCNN, 10 epochs, batch 176, .* is the best of 12, but its lead over 10 of/,
  );
  assertMatch(text, /batch 192,[^|]*\| 3 \| 96\.01 ± 0\.02 \| −3\.00 \| p < 0\.001 \| yes \|/);
  assertStringIncludes(text, "its accuracy is biased upwards");
});

Deno.test("one more run is expected where accuracies are, and judged as it is printed", () => {
  const lines = (accuracies: readonly number[]) => {
    const rows = accuracies.map((accuracy, i) => ({ accuracy, seed: i + 1 }));
    return renderSweeps(comparison([compared("SimpleCNN", rows)]));
  };
  assertMatch(
    lines([2, 20, 40]),
    /\| 0\.00 to 67\.\d\d \| 0\.00 to 100\.00 \| 99\.27, above 3 of 3/,
  );
  // 98.56 + 4.3027 · 0.14266 · √(4/3) is 99.2688, which is printed as the published value.
  const off = 0.14266;
  const text = lines([98.56 - off, 98.56, 98.56 + off]);
  assertMatch(
    text,
    / to 99\.27 \| 99\.27, above 3 of 3 seeds, inside the interval for one more run/,
  );
});

Deno.test("hostile names and thousands of settings are kept in bounds", () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({
    epochs: 1 + i % 1000,
    train_images: 100 + Math.floor(i / 1000),
    accuracy: 90 + i % 7,
    seed: i,
  }));
  const text = renderSweeps(comparison([compared("a|b <script>", [...rows, ...rows])]));
  assert(text.length < 60_000, String(text.length));
  assert(!text.includes("<script>"));
  assertMatch(text, /And [\d,]+ more, not shown\./);
});
