import { assert, assertEquals } from "@std/assert";
import { comparePeers } from "../../../report/analysis/equivalence.ts";
import { aggregateSeeds } from "../../../report/analysis/seed_aggregates.ts";
import { renderPyTorch } from "../../../report/page/section_pytorch.ts";
import { PEER } from "../peers.ts";
import { resultRow } from "../result_rows.ts";

function render(...changes: Partial<typeof PEER>[]): string {
  const peers = changes.map((change) => ({ ...PEER, ...change }));
  const { comparisons, alone } = comparePeers(
    aggregateSeeds([resultRow({ weights: "" })]),
    peers,
  );
  return renderPyTorch({ peers: comparisons, answers: [], peersAlone: alone });
}

Deno.test("renderPyTorch() says on which graphics card PyTorch trained, and how", () => {
  assert(render({ seed: 1 }, { seed: 2, device_name: null }).includes("| 200.0 ± 0.0 |"));
  const onCard = { device_name: "Abacus|9000", cached_features: true };
  const page = render({ seed: 1, ...onCard }, { seed: 2, ...onCard });
  assert(page.includes("| 200.0 ± 0.0, on Abacus\\|9000, features computed once |"), page);
});

Deno.test("renderPyTorch() is nothing without PyTorch's runs", () => {
  assertEquals(render(), "");
});

Deno.test("renderPyTorch() says of how many images both have the same answer", () => {
  const row = resultRow({ model: "FasterRCNN_Adapted", precision: "bfloat16", seed: 3 });
  const page = renderPyTorch({
    peers: [],
    answers: [{ row, images: 200, same: 197 }],
    peersAlone: [],
  });
  const expected = "FasterRCNN_Adapted, seed 3: with the same weights, ours in bfloat16, PyTorch " +
    "in float32, both have the same answer for 197 of the first 200 test images (98.5 %).";
  assert(page.includes(expected), page);
});
