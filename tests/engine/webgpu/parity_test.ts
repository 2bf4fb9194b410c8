/** What holds of operations, models and training on every backend, tested on WebGPU. */

import { testOn } from "../engine.ts";
import { ON_WEBGPU, onAdapter } from "./adapter.ts";

testOn(ON_WEBGPU);
await onAdapter("operations, models and training on WebGPU", async () => {
  await import("../ops_test.ts");
  await import("../../models/simple_cnn_parity_test.ts");
  await import("../../training/adam_test.ts");
  await import("../../training/fine_tuning_parity_test.ts");
});
