import { assertEquals } from "@std/assert";
import { compareAnswers } from "../../../report/analysis/same_answers.ts";
import type { PeerRun } from "../../../report/record/peer_runs.ts";
import { PEER } from "../peers.ts";
import { resultRow } from "../result_rows.ts";

const row = resultRow({ run_id: "r1", model: "FasterRCNN_Adapted" });
const ours = {
  row,
  predictions: {
    targets: Uint8Array.of(7, 2, 1, 0),
    predictions: Int16Array.of(7, -1, 1, 3),
    scores: Float64Array.of(0.9, NaN, 0.5, 0.4),
  },
};
const peer: PeerRun = {
  ...PEER,
  model: row.model,
  dataset_sha256: row.dataset_sha256,
  run: "r1",
  predictions: [7, -1, 2],
};

Deno.test("compareAnswers() counts the images with the same answer, none among them", () => {
  assertEquals(compareAnswers([ours], [peer]), {
    answers: [{ row, images: 3, same: 2, device: null }],
    rest: [],
  });
  const longer = { ...peer, predictions: [7, 0, 1, 3, 4, 1] };
  const [answer] = compareAnswers([ours], [{ ...longer, device_name: "A card" }]).answers;
  assertEquals(answer, { row, images: 4, same: 3, device: "A card" });
});

Deno.test("compareAnswers() leaves the runs of PyTorch's that took no weights of these", () => {
  const others: PeerRun[] = [
    PEER,
    { ...peer, run: "r2" },
    { ...peer, run: null },
    { ...peer, model: "SimpleCNN" },
    { ...peer, dataset_sha256: "other" },
    { ...peer, predictions: [] },
  ];
  assertEquals(compareAnswers([ours], others), { answers: [], rest: others });
});
