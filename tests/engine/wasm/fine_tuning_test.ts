/**
 * Fine-tuning on WebAssembly, beside PyTorch's: in a memory of its own, as AlexNet's classifier takes
 * most of what there can be, and other tests leave theirs in pieces.
 */

import { testsOnWasm } from "./tests_on_wasm.ts";

await testsOnWasm(async () => {
  await import("../../training/fine_tuning_parity_test.ts");
});
