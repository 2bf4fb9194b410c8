/** What holds of operations, models and training on every backend, tested on WebGPU. */

import { isSoftwareAdapter, testEngine, testOn } from "../engine.ts";
import { ON_WEBGPU, onAdapter } from "./adapter.ts";

testOn(ON_WEBGPU);
await onAdapter("operations, models and training on WebGPU", async () => {
  await testEngine();
  await import("../ops_test.ts");
  await import("../../models/simple_cnn_parity_test.ts");
  await import("../../training/adam_test.ts");
  if (isSoftwareAdapter()) {
    const name = "skipped: large models on WebGPU (a software adapter takes minutes for them)";
    Deno.test({ name, ignore: true, fn() {} });
  } else {
    await import("../../models/vgg16_alexnet_test.ts");
    await import("../../models/faster_rcnn_test.ts");
    await import("../../training/fine_tuning_parity_test.ts");
  }
});
