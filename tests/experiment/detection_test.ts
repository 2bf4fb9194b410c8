/** What decides the features of a detector's boxes; no engine is started. */

import { assertEquals } from "@std/assert";
import { boxIdentity } from "../../experiment/detection.ts";
import type { Run } from "../../experiment/run.ts";
import { FeatureCache } from "../../training/features/feature_cache.ts";

Deno.test("boxIdentity() gives features a folder of their own for each thing that decides them", () => {
  const engine = { backend: "tensorflow", version: "2.21.0", device: "CPU", precision: "float32" };
  const usual = {
    ...{ engine, dataset: { sha256: "ab12" }, weights: { sha256: "cd34" } },
    ...{ settings: { normalise: "twice" }, plan: { seed: 1 } },
  };
  const engines = [
    { backend: "webgpu" },
    { version: "2.20.0" },
    { device: "GPU:0" },
    { precision: "bfloat16" },
    { convolutions: "winograd" },
  ];
  const random = { weights: { sha256: "" } };
  const changes: object[] = [
    {},
    { dataset: { sha256: "ab" } },
    { weights: { sha256: "cd" } },
    { settings: { normalise: "once" } },
    // The seed decides boxes, and random weights.
    { plan: { seed: 2 } },
    ...[random, { ...random, plan: { seed: 2 } }],
    ...engines.map((other) => ({ engine: { ...engine, ...other } })),
  ];
  const folderOf = (change: object, batchSize: number) => {
    const identity = boxIdentity({ ...usual, ...change } as unknown as Run, batchSize);
    return new FeatureCache({ identity, title: "", count: 1, columns: 1, cache: "/nowhere" })
      .folder;
  };
  const folders = [...changes.map((change) => folderOf(change, 2)), folderOf({}, 4)];
  assertEquals(new Set(folders).size, folders.length);
});
