import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { bfloat16Problem } from "../../../engine/tensorflow/bfloat16_support.ts";
import { tensorflowBackend, testEngine } from "../engine.ts";

const engine = await testEngine();
const missing = bfloat16Problem("CPU");
if (missing !== undefined) console.log(`bfloat16 is not tested: ${missing}`);

Deno.test("bfloat16Problem() goes by the processor's flags", () => {
  assertEquals(bfloat16Problem("CPU", "flags\t\t: fpu avx512_bf16 sse"), undefined);
  assertEquals(bfloat16Problem("CPU", "flags : fpu amx_bf16"), undefined);
  assertEquals(bfloat16Problem("CPU", "Features\t: fp asimd bf16"), undefined);
  assertStringIncludes(bfloat16Problem("CPU", "flags : fpu avx512f")!, "--precision fp32");
  assertStringIncludes(bfloat16Problem("CPU", "model name : avx512_bf16")!, "no bfloat16");
  assertStringIncludes(bfloat16Problem("GPU", "flags : avx512_bf16")!, "GPU");
});

Deno.test({
  name: "bfloat16 rounds products of compiled functions, and those alone",
  ignore: missing !== undefined,
  fn() {
    const a = tf.randomNormal([64, 256], 0, 1, "float32", 1);
    const b = tf.randomNormal([256, 32], 0, 1, "float32", 2);
    const bias = tf.randomNormal([32], 0, 1, "float32", 3);
    const layer = (a: tf.Tensor, b: tf.Tensor, bias: tf.Tensor) =>
      tf.relu(tf.relu(tf.matMul(a, b)).add(bias)).mul(0.5).exp().add(1).log().mean(1);
    const difference = (precision: "float32" | "bfloat16", own?: "float32") => {
      const backend = tensorflowBackend();
      backend.precision = precision;
      const compiled = engine.compile(layer, { precision: own });
      try {
        const ours = compiled(a, b, bias).dataSync();
        const exact = layer(a, b, bias).dataSync();
        return Math.max(...ours.map((value, i) => Math.abs(value - exact[i]!)));
      } finally {
        compiled.dispose();
        backend.precision = "float32";
      }
    };
    assertLess(difference("float32"), 1e-5);
    assertLess(difference("bfloat16", "float32"), 1e-5);
    // bfloat16 has 8 bits of significand; values are about 5 here.
    const rounded = difference("bfloat16");
    assert(rounded > 1e-5 && rounded < 0.05, `difference ${rounded}`);
    assertEquals(layer(a, b, bias).dtype, "float32");
  },
});
