/**
 * Writes tests/fixtures/simple_cnn/digits.bin.gz for simple_cnn.py: pixels of the first 100 embedded
 * test digits, 78,400 bytes, then their 100 labels.
 *
 *     deno run -A tests/reference/simple_cnn_digits.ts
 */

import { gzipSync } from "node:zlib";
import { loadEmbedded } from "../../data/embedded.ts";

const { test } = await loadEmbedded();
const bytes = new Uint8Array(78_500);
bytes.set(test.images.subarray(0, 78_400));
bytes.set(test.labels.subarray(0, 100), 78_400);
const path = `${import.meta.dirname}/../fixtures/simple_cnn/digits.bin.gz`;
Deno.writeFileSync(path, gzipSync(bytes, { level: 9 }));
