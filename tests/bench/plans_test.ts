/** What is timed side by side, and the peer's ways of doing it. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { PLANS } from "../../bench/plans.ts";
import { TRANSFER_PLANS } from "../../bench/transfer_plans.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { DETECTION } from "../../study.ts";

const ALL = [...PLANS, ...TRANSFER_PLANS];

Deno.test("where ours chooses how many images it takes in a call, a peer takes as many", () => {
  const several = ALL.filter(({ imagesPerCall }) => imagesPerCall !== undefined);
  assertEquals(several.map((plan) => plan.case), ["inference", "detector-batch"]);
  for (const { imagesPerCall, precision, peers } of several) {
    const alike = peers.filter((peer) =>
      peer.imagesPerCall === imagesPerCall && peer.precision === precision
    );
    assertEquals(alike.length, 1);
  }
});

Deno.test("the peer's small calls have as many images as ours", async () => {
  const peer = await Deno.readTextFile(join(repositoryRoot(), "bench/reference/peer.py"));
  assertMatch(peer, new RegExp(`^DETECTOR_CALL = ${DETECTION.batchSize}$`, "m"));
  assertMatch(peer, /^ {4}"small_calls": \{"batch": DETECTOR_CALL\},$/m);
});

Deno.test("every peer is one of the variants that peer.py knows", async () => {
  const peer = await Deno.readTextFile(join(repositoryRoot(), "bench/reference/peer.py"));
  const [, variants = ""] = /^VARIANTS = \{\n(.*?)^\}/ms.exec(peer) ?? [];
  const known = [...variants.matchAll(/^ {4}"(\w+)": \{/gm)].map(([, name]) => name!);
  const asked = ALL.flatMap(({ peers }) => peers.map(({ variant }) => variant));
  assertEquals(asked.filter((variant) => !known.includes(variant)), []);
});
