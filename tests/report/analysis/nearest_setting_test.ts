import { assertEquals } from "@std/assert";
import { nearestFirst } from "../../../report/analysis/nearest_setting.ts";
import { aggregateSeeds } from "../../../report/analysis/seed_aggregates.ts";
import type { ResultRow } from "../../../report/record/result_row.ts";
import { resultRow } from "../result_rows.ts";

/** The run ids of the settings of these rows, oldest first, in the order of their nearness. */
function order(rows: readonly Partial<ResultRow>[]): string[] {
  return nearestFirst(aggregateSeeds(rows.map(resultRow))).map(({ newest }) => newest.run_id);
}

const alexnet = {
  part: 4,
  model: "alexnet_FineTuned",
  epochs: 8,
  batch_size: 32,
  learning_rate: 0.0005,
  weights: "torchvision:alexnet.pth",
};

Deno.test("nearestFirst() never puts a newer try before the study's own setting", () => {
  assertEquals(
    order([
      { run_id: "study" },
      { run_id: "bf16", precision: "bfloat16" },
      { run_id: "rate", learning_rate: 0.01 },
      { run_id: "short", epochs: 2 },
      { run_id: "half", train_images: 30_000 },
      { run_id: "few", test_images: 2000 },
      { run_id: "clothes", dataset: "fashion-mnist" },
    ]),
    ["study", "bf16", "rate", "short", "half", "few", "clothes"],
  );
});

Deno.test("nearestFirst() goes by images, epochs and weights, in this order", () => {
  assertEquals(
    order([
      { ...alexnet, run_id: "published" },
      { ...alexnet, run_id: "convolutions", weights: "torchvision-convolutions:lpips/alexnet" },
      { ...alexnet, run_id: "random", weights: "random" },
      { ...alexnet, run_id: "short", epochs: 1 },
      { ...alexnet, run_id: "small", train_images: 8000 },
    ]),
    ["published", "convolutions", "random", "short", "small"],
  );
});

Deno.test("nearestFirst() puts no single run by another engine before several seeds", () => {
  assertEquals(
    order([
      { run_id: "one", seed: 1 },
      { run_id: "two", seed: 2 },
      { run_id: "try", seed: 1, backend: "wasm" },
    ]),
    ["two", "try"],
  );
});

Deno.test("nearestFirst() takes the newest of equally near settings", () => {
  assertEquals(order([{ run_id: "old", batch_size: 64 }, { run_id: "new", batch_size: 32 }]), [
    "new",
    "old",
  ]);
});
