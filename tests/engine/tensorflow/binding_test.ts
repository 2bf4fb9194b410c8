/**
 * The `TFJSBinding` itself: values in and out, checks, errors, handles.
 */

import v8 from "node:v8";
import vm from "node:vm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { HostValues } from "../../../engine/tensorflow/host_tensor.ts";
import { TensorFlowError } from "../../../engine/tensorflow/tensorflow.ts";
import { testEngine } from "../engine.ts";
import { decode, encode, evaluate, shape, string, testHandles, type } from "./native_ops.ts";

const { binding, device, tf } = await testEngine();
const { TF_FLOAT, TF_INT32, TF_INT64, TF_BOOL, TF_COMPLEX64, TF_STRING, TF_UINT8, TF_RESOURCE } =
  binding;

/** Creates a tensor, reads it and frees it. */
function roundTrip(shape: number[], dtype: number, values: HostValues) {
  const id = binding.createTensor(shape, dtype, values);
  try {
    return binding.tensorDataSync(id);
  } finally {
    binding.deleteTensor(id);
  }
}

testHandles("createTensor() keeps float32, int32, uint8 and bool values", () => {
  const floats = new Float32Array([0, -0, 1.5, NaN, Infinity, 1e-45]);
  assertEquals(roundTrip([2, 3], TF_FLOAT, floats), floats);
  const ints = new Int32Array([-(2 ** 31), -1, 0, 2 ** 31 - 1]);
  assertEquals(roundTrip([4], TF_INT32, ints), ints);
  const bytes = new Uint8Array([0, 127, 128, 255]);
  assertEquals(roundTrip([2, 2], TF_UINT8, bytes), bytes);
  assertEquals(roundTrip([2], TF_BOOL, new Uint8Array([1, 0])), new Uint8Array([1, 0]));
});

testHandles(
  "createTensor() takes scalars, no elements at all, and views into larger buffers",
  () => {
    assertEquals(roundTrip([], TF_FLOAT, new Float32Array([7])), new Float32Array([7]));
    assertEquals(roundTrip([0, 3], TF_FLOAT, new Float32Array(0)), new Float32Array(0));
    const view = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
    assertEquals(roundTrip([2], TF_FLOAT, view), new Float32Array([2, 3]));
  },
);

testHandles("createTensor() takes plain numbers and booleans where they fit", () => {
  assertEquals(roundTrip([2], TF_BOOL, [true, false]), new Uint8Array([1, 0]));
  assertEquals(roundTrip([2], TF_INT32, [-5, 5]), new Int32Array([-5, 5]));
  assertEquals(roundTrip([1], TF_INT64, [2 ** 40]), new BigInt64Array([2n ** 40n]));
  assertThrows(() => binding.createTensor([1], TF_INT32, [0.5]), TypeError, "int32");
  assertThrows(() => binding.createTensor([1], TF_UINT8, [256]), TypeError, "uint8");
});

testHandles("createTensor() takes int64 as BigInt64Array and as low and high words", () => {
  const values = new BigInt64Array([-(2n ** 63n), -1n, 2n ** 53n + 1n]);
  assertEquals(roundTrip([3], TF_INT64, values), values);
  assertEquals(roundTrip([3], TF_INT64, new Int32Array(values.buffer)), values);
});

testHandles("createTensor() keeps complex64 as pairs, which the op Real takes apart", () => {
  const pairs = new Float32Array([1, 2, 3, 4]);
  assertEquals(roundTrip([2], TF_COMPLEX64, pairs), pairs);
  const [real] = evaluate("Real", [type("T", TF_COMPLEX64), type("Tout", TF_FLOAT)], [
    [[2], TF_COMPLEX64, pairs],
  ]);
  assertEquals(real!.data, new Float32Array([1, 3]));
});

testHandles("createTensor() keeps strings: empty, multibyte, any bytes, short and long", () => {
  const strings = ["", "é漢🙂", "x".repeat(22), "y".repeat(23), "z".repeat(100_000)].map(encode);
  strings.push(new Uint8Array([0, 255, 0]));
  assertEquals(roundTrip([2, 3], TF_STRING, strings), strings);
  assertEquals(roundTrip([], TF_STRING, [encode("one")]), [encode("one")]);
  assertEquals(roundTrip([0], TF_STRING, []), []);
  const many = Array.from({ length: 5_000 }, (_, i) => encode(`string number ${i} of many`));
  assertEquals(roundTrip([5_000], TF_STRING, many), many);
});

testHandles("tensorDataSync() gives a resource handle as its bytes", () => {
  const [handle] = evaluate("VarHandleOp", [
    type("dtype", TF_FLOAT),
    shape("shape", [2]),
    string("shared_name", "a_shared_name"),
    string("container", ""),
  ], []);
  assertEquals(handle!.dtype, TF_RESOURCE);
  assert(decode(handle!.data as Uint8Array).includes("a_shared_name"));
});

testHandles("tensorDataSync() gives a copy, which outlives the tensor", () => {
  const id = binding.createTensor([2], TF_FLOAT, new Float32Array([1, 2]));
  const data = binding.tensorDataSync(id) as Float32Array;
  data[0] = 9;
  assertEquals(binding.tensorDataSync(id), new Float32Array([1, 2]));
  binding.deleteTensor(id);
  assertEquals(data, new Float32Array([9, 2]));
});

testHandles("createTensor() refuses values that do not fill the shape", () => {
  const make = (shape: number[], dtype: number, values: HostValues) => () =>
    binding.createTensor(shape, dtype, values);
  assertThrows(make([2, 2], TF_FLOAT, new Float32Array(3)), RangeError, "[2,2]: it has 4 elements");
  assertThrows(make([], TF_FLOAT, new Float32Array(0)), RangeError, "it has 1 elements");
  assertThrows(make([2], TF_COMPLEX64, new Float32Array(2)), RangeError, "complex64");
  assertThrows(make([2], TF_INT64, new Int32Array(2)), RangeError, "int64");
  assertThrows(make([2], TF_STRING, [encode("a")]), RangeError, "1 values were given");
});

testHandles("createTensor() refuses sizes that are no sizes", () => {
  for (const sizes of [[-1], [1.5], [NaN], [Infinity], [2 ** 53, 2], [2 ** 30, 2 ** 30]]) {
    assertThrows(
      () => binding.createTensor(sizes, TF_FLOAT, new Float32Array(1)),
      RangeError,
      "Cannot make a tensor of shape",
    );
  }
});

testHandles("createTensor() refuses a typed array that is not the dtype's", () => {
  const make = (dtype: number, values: HostValues) => () =>
    binding.createTensor([4], dtype, values);
  assertThrows(make(TF_FLOAT, new Int32Array(4)), TypeError, "float32 tensor from a Int32Array");
  assertThrows(make(TF_INT32, new Float32Array(4)), TypeError, "int32");
  assertThrows(make(TF_UINT8, new Float32Array(1)), TypeError, "uint8");
  assertThrows(make(TF_STRING, new Uint8Array(4)), TypeError, "Uint8Array of bytes");
  assertThrows(make(TF_RESOURCE, new Uint8Array(4)), TypeError, "resource");
});

testHandles("a freed or unknown id is refused by every call", () => {
  const id = binding.createTensor([1], TF_FLOAT, new Float32Array(1));
  binding.deleteTensor(id);
  for (const gone of [id, 2 ** 30, -1, 0.5]) {
    const message = `tensor ${gone}: it does not exist or has been freed`;
    assertThrows(() => binding.deleteTensor(gone), Error, `Cannot delete ${message}`);
    assertThrows(() => binding.tensorDataSync(gone), Error, `Cannot read ${message}`);
    assertThrows(() => binding.executeOp("Neg", [], [gone], 1), Error, `run Neg on ${message}`);
  }
});

testHandles("an op's failure names the op, the inputs' shapes and TensorFlow's message", () => {
  const error = assertThrows(
    () =>
      evaluate("MatMul", [type("T", TF_FLOAT)], [
        [[2, 3], TF_FLOAT, new Float32Array(6)],
        [[4, 5], TF_FLOAT, new Float32Array(20)],
      ]),
    TensorFlowError,
    "MatMul(float32[2,3], float32[4,5]): INVALID_ARGUMENT: Matrix size-incompatible",
  );
  assertEquals(error.code, "INVALID_ARGUMENT");
  assertThrows(() => binding.executeOp("NoSuchOp", [], [], 1), TensorFlowError, "NoSuchOp");
  // The next op does not inherit the failure.
  const [negative] = evaluate("Neg", [type("T", TF_INT32)], [[[], TF_INT32, new Int32Array([3])]]);
  assertEquals(negative!.data, new Int32Array([-3]));
});

testHandles("an op gives its own number of outputs where there was room for more", () => {
  assertEquals(evaluate("NoOp", [], [], 3), []);
});

testHandles("100 training steps leave as many tensors as there were", () => {
  const before = { tensors: tf.memory().numTensors, handles: binding.getNumOfTensors() };
  const initial = tf.tensor2d([[0.1], [0.2]]);
  const w = tf.variable(initial);
  initial.dispose();
  const optimizer = tf.train.sgd(0.01);
  const during: number[] = [];
  for (let step = 0; step < 100; step++) {
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 2], [3, 4]]);
      optimizer.minimize(() => x.matMul(w as unknown as typeof x).square().mean());
    });
    during.push(binding.getNumOfTensors());
  }
  assertEquals(new Set(during.slice(1)).size, 1);
  w.dispose();
  optimizer.dispose();
  assertEquals(
    { tensors: tf.memory().numTensors, handles: binding.getNumOfTensors() },
    before,
  );
});

testHandles("saved-model calls are refused as unsupported", () => {
  assertThrows(() => binding.loadSavedModel(), Error, "unsupported");
  assertThrows(() => binding.runSavedModel(), Error, "unsupported");
  assertThrows(() => binding.deleteSavedModel(), Error, "unsupported");
  assertEquals(binding.getNumOfSavedModels(), 0);
});

testHandles("isUsingGpuDevice() is true exactly where the engine's device is a GPU", () => {
  assertEquals(binding.isUsingGpuDevice(), device === "GPU");
});

Deno.test("a tensor that was collected without dispose() is freed", async () => {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  assert(typeof collect === "function");
  const before = binding.getNumOfTensors();
  (() => {
    for (let i = 0; i < 50; i++) tf.square(tf.scalar(i));
  })();
  assert(binding.getNumOfTensors() >= before + 50);
  for (let round = 0; round < 20 && binding.getNumOfTensors() > before; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(binding.getNumOfTensors(), before);
});
