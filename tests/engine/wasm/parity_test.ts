/**
 * What holds of operations, models and training on every backend, tested on WebAssembly: the same
 * tests as on TensorFlow, with the same tolerances.
 */

import { startEngine } from "../../../engine/engine.ts";
import { StudyError } from "../../../io/errors.ts";
import { testOn } from "../engine.ts";

testOn({ backend: "wasm" });
try {
  (await startEngine({ backend: "wasm" })).dispose();
  await import("../ops_test.ts");
  await import("../../models/simple_cnn_parity_test.ts");
  await import("../../models/vgg16_alexnet_test.ts");
  await import("../../models/faster_rcnn_test.ts");
  await import("../../training/adam_test.ts");
  await import("../../training/fine_tuning_parity_test.ts");
} catch (error) {
  if (!(error instanceof StudyError)) throw error;
  Deno.test({ name: `skipped on WebAssembly: ${error.message}`, ignore: true, fn() {} });
}
