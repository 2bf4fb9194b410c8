/** Box arithmetic against torchvision (tests/reference/faster_rcnn.py). */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { noise } from "../../../bench/faster_rcnn_formulas.ts";
import { ANCHOR_SIZES, anchorBoxes, cellAnchors } from "../../../models/detection/anchors.ts";
import {
  batchedNms,
  BOX_WEIGHTS,
  clipBoxes,
  decodeBoxes,
  descendingOrder,
  encodeBoxes,
  type ImageSize,
  largeBoxes,
  takeBoxes,
} from "../../../models/detection/boxes.ts";
import { resizedSize } from "../../../models/detection/detection_transform.ts";
import { filterProposals } from "../../../models/detection/region_proposals.ts";
import { boxesIn, uniform } from "../faster_rcnn_samples.ts";

const golden = JSON.parse(
  await Deno.readTextFile(`${import.meta.dirname}/../../fixtures/faster_rcnn/boxes.json`),
);

/** Differences of up to `tolerance` of a value's size, or of 1 where that is less. */
function assertClose(actual: ArrayLike<number>, expected: number[], tolerance: number): void {
  assertEquals(actual.length, expected.length);
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(actual[i]! - value);
    assert(
      difference <= tolerance * Math.max(1, Math.abs(value)),
      `[${i}]: ${actual[i]}, ${value}`,
    );
  }
}

const range = (length: number) => Array.from({ length }, (_, i) => i);
const area = { height: 100, width: 150, most: 60 };

Deno.test("decodeBoxes() and encodeBoxes() equal torchvision's BoxCoder", () => {
  const codes = uniform(1, [-3, 6], 160);
  const boxes = boxesIn(2, 40, area);
  const reference = boxesIn(3, 40, area);
  assertClose(decodeBoxes(codes, boxes), golden.rpn.decoded, 1e-6);
  assertClose(encodeBoxes(reference, boxes), golden.rpn.encoded, 1e-6);
  assertClose(decodeBoxes(codes, boxes, BOX_WEIGHTS), golden.head.decoded, 1e-6);
  assertClose(encodeBoxes(reference, boxes, BOX_WEIGHTS), golden.head.encoded, 1e-6);
});

Deno.test("clipBoxes() and largeBoxes() equal torchvision's", () => {
  const outside = uniform(4, [-50, 250], 160);
  clipBoxes(outside, [120, 170]);
  assertClose(outside, golden.clipped, 1e-7);
  assertEquals([...largeBoxes(boxesIn(2, 40, area), 20.25)], golden.large);
});

Deno.test("descendingOrder() is stable over signs, zeros and infinities", () => {
  const scores = Float32Array.of(-1, 0, 2, -0, Infinity, 2, -1e-45, 1e-45, -Infinity, -1, -3);
  assertEquals([...descendingOrder(scores)], [4, 2, 5, 7, 1, 3, 6, 0, 9, 10, 8]);
  assertEquals(descendingOrder(new Float32Array(0)).length, 0);
  const random = uniform(5, [-1, 1], 5000);
  const expected = range(5000).sort((a, b) => random[b]! - random[a]! || a - b);
  assertEquals([...descendingOrder(random)], expected);
  assertThrows(() => descendingOrder(new Float32Array(2 ** 20 + 1)), RangeError, "1048577");
});

Deno.test("batchedNms() keeps what torchvision keeps, ties and equal overlaps included", () => {
  for (const { seed, count, steps, groups, threshold, kept } of golden.nms) {
    const boxes = boxesIn(seed, count, { height: 60, width: 80, most: 40 });
    const scores = new Float32Array(
      noise(seed + 100, count).map((u) => Math.floor(u * steps) / steps),
    );
    const ids = noise(seed + 200, count).map((u) => Math.floor(u * groups));
    assertEquals([...batchedNms(boxes, scores, ids, { threshold })], kept, `case ${seed}`);
    const limited = batchedNms(boxes, scores, ids, { threshold, limit: 20 });
    assertEquals([...limited], kept.slice(0, 20), `case ${seed} with a limit`);
  }
});

Deno.test("batchedNms() keeps boxes that overlap by exactly the threshold, and empty ones", () => {
  const boxes = Float32Array.of(0, 0, 4, 4, 0, 0, 4, 2, 8, 8, 8, 8, 8, 8, 8, 8);
  const scores = Float32Array.of(0.9, 0.8, 0.7, 0.6);
  const kept = batchedNms(boxes, scores, new Uint8Array(4), { threshold: 0.5 });
  assertEquals([...kept], golden.exact);
  assertEquals([...kept], [0, 1, 2, 3]);
  const none = new Float32Array(0);
  assertEquals(batchedNms(none, none, [], { threshold: 0.5 }).length, 0);
});

Deno.test("anchorBoxes() equals torchvision's AnchorGenerator, also where maps do not divide images", () => {
  assertEquals(ANCHOR_SIZES.map((size) => [...cellAnchors(size)]), golden.cells);
  const { batch, grids, boxes } = golden.anchors;
  const anchors = ANCHOR_SIZES.flatMap((size, level) => {
    const map: ImageSize = grids[level];
    return [...anchorBoxes(range(3 * map[0] * map[1]), { map, batch, size })];
  });
  assertEquals(anchors, boxes);
});

Deno.test("filterProposals() equals torchvision's RegionProposalNetwork on two images", () => {
  const { grids, sizes, images } = golden.proposals;
  const counts: number[] = grids.map(([h, w]: ImageSize) => 3 * h * w);
  const total = counts.reduce((a, b) => a + b);
  const objectness = uniform(20, [-6, 6], 2 * total);
  const codes = uniform(21, [-1, 1], 8 * total);
  for (const [image, expected] of images.entries()) {
    let start = image * total;
    const levels = counts.map((count, level) => {
      const logits = objectness.subarray(start, start + count);
      const best = descendingOrder(logits).subarray(0, 1000);
      const ofLevel = codes.subarray(4 * start, 4 * (start + count));
      start += count;
      const grid = { map: grids[level], batch: [192, 256] as const, size: ANCHOR_SIZES[level]! };
      return {
        objectness: Float32Array.from(best, (i) => logits[i]!),
        anchors: anchorBoxes(best, grid),
        codes: takeBoxes(ofLevel, best),
      };
    });
    const { boxes, scores } = filterProposals(levels, sizes[image]);
    assertEquals(scores.length, expected.count);
    const shown = range(Math.ceil(expected.count / 25)).map((i) => 25 * i);
    assertClose(takeBoxes(boxes, shown), expected.boxes, 1e-5);
    assertClose(shown.map((i) => scores[i]!), expected.scores, 1e-6);
  }
});

Deno.test("resizedSize() is torchvision's, the longer side's limit included", () => {
  const sizes = { minSize: 800, maxSize: 1333 };
  assertEquals(resizedSize([224, 224], sizes), [800, 800]);
  assertEquals(resizedSize([480, 640], sizes), [800, 1066]);
  assertEquals(resizedSize([30, 100], sizes), [399, 1333]);
});
