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
  return renderPyTorch({ peers: comparisons, peersAlone: alone });
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
