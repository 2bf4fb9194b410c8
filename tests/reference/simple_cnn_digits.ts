/**
 * Writes tests/fixtures/simple_cnn/digits.bin.gz for simple_cnn.py: pixels of MNIST's first 100
 * test digits, 78,400 bytes, then their 100 labels.
 *
 *     deno run -A tests/reference/simple_cnn_digits.ts
 */

import { gzipSync } from "node:zlib";
import { firstTestDigits } from "../data/mnist.ts";

const { images, labels } = await firstTestDigits(100);
const bytes = new Uint8Array(78_500);
bytes.set(images);
bytes.set(labels, 78_400);
const path = `${import.meta.dirname}/../fixtures/simple_cnn/digits.bin.gz`;
Deno.writeFileSync(path, gzipSync(bytes, { level: 9 }));
