/** What holds of operations, models and training on every backend, tested on WebAssembly. */

import { testsOnWasm } from "./tests_on_wasm.ts";

await testsOnWasm(async () => {
  await import("../ops_test.ts");
  await import("../../models/simple_cnn_parity_test.ts");
  await import("../../models/vgg16_alexnet_test.ts");
  await import("../../models/faster_rcnn_test.ts");
  await import("../../training/adam_test.ts");
});
