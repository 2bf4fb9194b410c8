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

Deno.test("renderPyTorch() says on what PyTorch trained, and how", () => {
  const unnamed = render({ seed: 1 }, { seed: 2, device_name: null });
  assert(unnamed.includes("| 200.0 ± 0.0, on a machine that is not named |"), unnamed);
  const machine = { processor: "A|B", cores: 2 };
  const named = render({ seed: 1 }, { seed: 2, machine });
  assert(named.includes("| 200.0 (1 of 2 seeds), on A\\|B, 2 cores |"), named);
  const onCard = { device_name: "Abacus|9000", cached_features: true };
  const page = render({ seed: 1, ...onCard }, { seed: 2, ...onCard });
  assert(page.includes("| 200.0 ± 0.0, on Abacus\\|9000, features computed once |"), page);
});

Deno.test("renderPyTorch() names no machine where nothing was timed", () => {
  const { training_time_s: _, ...untrained } = PEER;
  const { comparisons: peers } = comparePeers(aggregateSeeds([resultRow({ weights: "" })]), [
    untrained,
  ]);
  const page = renderPyTorch({ peers, answers: [], peersAlone: [] });
  assert(!page.includes("not named"), page);
});

Deno.test("renderPyTorch() is nothing without PyTorch's runs", () => {
  assertEquals(render(), "");
});

Deno.test("renderPyTorch() says of how many images both have the same answer", () => {
  const row = resultRow({ model: "FasterRCNN_Adapted", precision: "bfloat16", seed: 3 });
  const line = (images: number, same: number, device: string | null) => {
    const answers = [{ row, images, same, device }];
    const page = renderPyTorch({ peers: [], answers, peersAlone: [] });
    return page.trimEnd().split("\n").at(-1);
  };
  assertEquals(
    line(200, 197, null),
    "| FasterRCNN_Adapted, seed 3 | bfloat16 | float32 | 197 of the first 200 (98.50 %) |",
  );
  assertEquals(
    line(row.test_images!, row.test_images!, "A|card"),
    "| FasterRCNN_Adapted, seed 3 | bfloat16 | float32, on A\\|card | " +
      "10,000 of all 10,000 (100.00 %) |",
  );
});
