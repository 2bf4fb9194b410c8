/**
 * TensorFlow ops by name on the binding, for tests: attributes, inputs from host values, results.
 *
 * Import it from a test file only: it starts the engine.
 */

import { assertEquals } from "@std/assert";
import type { OpAttribute } from "../../../engine/tensorflow/attributes.ts";
import type { HostValues } from "../../../engine/tensorflow/host_tensor.ts";
import { testEngine } from "../engine.ts";

const { binding } = await testEngine();

export const encode = (text: string) => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Attributes by kind; a list is a value that is an array. */
export const string = attribute(binding.TF_ATTR_STRING);
export const int = attribute(binding.TF_ATTR_INT);
export const float = attribute(binding.TF_ATTR_FLOAT);
export const bool = attribute(binding.TF_ATTR_BOOL);
export const type = attribute(binding.TF_ATTR_TYPE);
export const shape = attribute(binding.TF_ATTR_SHAPE);

function attribute(type: number) {
  return (name: string, value: unknown): OpAttribute => ({ name, type, value });
}

/** Defines a test that also checks that it leaves as many live tensors as it found. */
export function testHandles(name: string, fn: () => void): void {
  Deno.test(name, () => {
    const before = binding.getNumOfTensors();
    fn();
    assertEquals(binding.getNumOfTensors(), before, "live tensors");
  });
}

/** Runs `op` on new tensors and frees them and its results; returns the results' values. */
export function evaluate(
  opName: string,
  attributes: OpAttribute[],
  inputs: [shape: number[], dtype: number, values: HostValues][],
  outputs = 1,
) {
  const ids = inputs.map(([shape, dtype, values]) => binding.createTensor(shape, dtype, values));
  try {
    return binding.executeOp(opName, attributes, ids, outputs).map(({ id, shape, dtype }) => {
      const data = binding.tensorDataSync(id);
      binding.deleteTensor(id);
      return { shape, dtype, data };
    });
  } finally {
    ids.forEach((id) => binding.deleteTensor(id));
  }
}
