/** Rows of the same work at paces that do not meet. */

import { assertEquals } from "@std/assert";
import { paceGaps } from "../../bench/pace_gaps.ts";
import { renderPairedTimings } from "../../bench/page.ts";
import type { BenchResults, PairedTiming } from "../../report/record/bench_results.ts";

const timings = (...seconds: number[]) => seconds.map((each) => ({ units: 1, seconds: each }));

/** Features in a number format of ours, beside PyTorch in float32. */
function features(format: "fp32" | "bf16", ours: number[], theirs: number[]): PairedTiming {
  const label = format === "fp32" ? "ours" : "ours bf16";
  return {
    case: format === "fp32" ? "vgg16" : "vgg16-bf16",
    title: `Features, ${format}`,
    unit: "batch",
    gflopPerUnit: 980,
    ours: {
      label,
      precision: format === "fp32" ? "float32" : "bfloat16",
      timings: timings(...ours),
    },
    theirs: { label: "PyTorch default", precision: "float32", timings: timings(...theirs) },
  };
}

Deno.test("paceGaps() says where a side was faster in every timing of another row", () => {
  const slow = features("fp32", [1.6, 1.7], [4.94, 4.55]);
  const fast = features("bf16", [1, 1.1], [3.77, 3.83]);
  const rows = [slow, fast];
  assertEquals(
    paceGaps(slow, rows),
    "PyTorch default: 4.55 s a batch at best here, 3.83 s a batch at worst in another row",
  );
  assertEquals(
    paceGaps(fast, rows),
    "PyTorch default: 3.83 s a batch at worst here, 4.55 s a batch at best in another row",
  );
  const page = renderPairedTimings({ comparisons: rows } as unknown as BenchResults);
  assertEquals(page.split("\n")[2]!.endsWith(` | ${paceGaps(slow, rows)} |`), true);
});

Deno.test("paceGaps() has nothing to say of paces that meet, of single timings and of other work", () => {
  const one = features("fp32", [1.6, 1.7], [4, 5]);
  const silent = (other: PairedTiming) => assertEquals(paceGaps(one, [one, other]), "");
  silent(features("bf16", [1, 1.1], [3, 4]));
  silent(features("bf16", [1, 1.1], [3]));
  // 4 s a batch at best and 3.9 at worst are less than a twentieth apart.
  silent(features("bf16", [1, 1.1], [3.85, 3.9]));
  silent({ ...features("fp32", [1.6, 1.7], [2, 3]), gflopPerUnit: 45 });
  const compiled = features("fp32", [1.6, 1.7], [2, 3]);
  silent({ ...compiled, theirs: { ...compiled.theirs, label: "PyTorch, torch.compile" } });
  silent({ ...compiled, theirs: { ...compiled.theirs, precision: "bfloat16" } });
});

Deno.test("paceGaps() takes the row with the widest gap", () => {
  const rows = [[4, 5], [3.8, 3.9], [2, 3], [3, 3.5]].map((theirs) =>
    features("fp32", [1, 1], theirs)
  );
  assertEquals(
    paceGaps(rows[0]!, rows),
    "PyTorch default: 4.00 s a batch at best here, 3.00 s a batch at worst in another row",
  );
});

Deno.test("paceGaps() goes by what is done where no operations are counted", () => {
  const { gflopPerUnit: _, ...uncounted } = features("fp32", [1, 1], [4, 5]);
  const other = { ...uncounted, theirs: { ...uncounted.theirs, timings: timings(2, 3) } };
  assertEquals(
    paceGaps(uncounted, [uncounted, other]),
    "PyTorch default: 4.00 s a batch at best here, 3.00 s a batch at worst in another row",
  );
  assertEquals(paceGaps(uncounted, [uncounted, { ...other, title: "Other" }]), "");
});
