/**
 * Every kind of op attribute, by what a real op does with it.
 *
 * Lists of bools are not among them: no op of TensorFlow has one.
 */

import { assertEquals, assertThrows } from "@std/assert";
import type { OpAttribute } from "../../../engine/tensorflow/attributes.ts";
import { TensorFlowError } from "../../../engine/tensorflow/tensorflow.ts";
import { testEngine } from "../engine.ts";
import {
  bool,
  decode,
  encode,
  evaluate,
  float,
  int,
  shape,
  string,
  testHandles,
  type,
} from "./native_ops.ts";

const { binding } = await testEngine();
const { TF_FLOAT, TF_INT32, TF_INT64, TF_STRING } = binding;

testHandles("executeOp() sets type and bool attributes", () => {
  const attributes = [
    type("SrcT", TF_FLOAT),
    type("DstT", TF_INT32),
    bool("Truncate", false),
  ];
  const [cast] = evaluate("Cast", attributes, [[[2], TF_FLOAT, new Float32Array([1.7, -1.7])]]);
  assertEquals(cast, { shape: [2], dtype: TF_INT32, data: new Int32Array([1, -1]) });

  const a = new Float32Array([1, 2, 3, 4]);
  const b = new Float32Array([1, 0, 0, 2]);
  const product = (transpose: boolean) =>
    evaluate("MatMul", [
      type("T", TF_FLOAT),
      bool("transpose_a", transpose),
      bool("transpose_b", false),
    ], [[[2, 2], TF_FLOAT, a], [[2, 2], TF_FLOAT, b]])[0]!.data;
  assertEquals(product(false), new Float32Array([1, 4, 3, 8]));
  assertEquals(product(true), new Float32Array([1, 6, 2, 8]));
});

/** 42 as text of that width. */
function padded(width: number): string[] {
  const [text] = evaluate("AsString", [
    type("T", TF_INT32),
    int("width", width),
    string("fill", "0"),
  ], [[[1], TF_INT32, new Int32Array([42])]]);
  return (text!.data as Uint8Array[]).map(decode);
}

testHandles("executeOp() sets string, int and float attributes", () => {
  assertEquals(padded(5), ["00042"]);
  const [leaky] = evaluate("LeakyRelu", [type("T", TF_FLOAT), float("alpha", 0.25)], [
    [[2], TF_FLOAT, new Float32Array([-4, 4])],
  ]);
  assertEquals(leaky!.data, new Float32Array([-1, 4]));
});

testHandles("executeOp() cuts the fraction off an int attribute, as tfjs' seeds need it", () => {
  assertEquals(padded(5.9), padded(5));
});

testHandles("executeOp() sets lists of ints", () => {
  const image = new Float32Array([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const convolve = (strides: number[]) =>
    evaluate("Conv2D", [
      type("T", TF_FLOAT),
      int("strides", strides),
      string("padding", "VALID"),
      string("data_format", "NHWC"),
      int("dilations", [1, 1, 1, 1]),
    ], [[[1, 3, 3, 1], TF_FLOAT, image], [[1, 1, 1, 1], TF_FLOAT, new Float32Array([10])]])[0]!;
  assertEquals(convolve([1, 2, 2, 1]).data, new Float32Array([10, 30, 70, 90]));
  assertEquals(convolve([1, 2, 1, 1]).shape, [1, 2, 3, 1]);
});

testHandles("executeOp() sets lists of floats", () => {
  const [bucket] = evaluate("Bucketize", [type("T", TF_INT32), float("boundaries", [0, 10.5])], [
    [[3], TF_INT32, new Int32Array([-1, 10, 11])],
  ]);
  assertEquals(bucket!.data, new Int32Array([0, 1, 2]));
});

testHandles("executeOp() sets lists of types", () => {
  const outputs = evaluate("IdentityN", [type("T", [TF_FLOAT, TF_STRING])], [
    [[1], TF_FLOAT, new Float32Array([1])],
    [[], TF_STRING, [encode("a")]],
  ], 2);
  assertEquals(outputs.map(({ dtype }) => dtype), [TF_FLOAT, TF_STRING]);
});

testHandles("executeOp() sets shapes", () => {
  const ensure = (sizes: number[]) =>
    evaluate("EnsureShape", [type("T", TF_FLOAT), shape("shape", sizes)], [
      [[2, 3], TF_FLOAT, new Float32Array(6)],
    ])[0]!.shape;
  assertEquals(ensure([2, 3]), [2, 3]);
  assertEquals(ensure([2, -1]), [2, 3]);
  assertThrows(() => ensure([3, 2]), TensorFlowError, "[3,2]");
});

testHandles("executeOp() sets lists of strings, of types and of shapes", () => {
  const [a, bb] = evaluate(
    "ParseSingleExample",
    [
      int("num_sparse", 0),
      string("sparse_keys", []),
      string("dense_keys", ["a", "bb"]),
      type("sparse_types", []),
      type("Tdense", [TF_FLOAT, TF_INT64]),
      shape("dense_shapes", [[2], []]),
    ],
    [
      [[], TF_STRING, [exampleProto()]],
      [[2], TF_FLOAT, new Float32Array(2)],
      [[], TF_INT64, new BigInt64Array(1)],
    ],
    2,
  );
  assertEquals(a, { shape: [2], dtype: TF_FLOAT, data: new Float32Array([1.5, -2]) });
  assertEquals(bb, { shape: [], dtype: TF_INT64, data: new BigInt64Array([5n]) });
});

/** A serialised `tensorflow.Example`: `a` is the floats 1.5 and -2, `bb` the int64 5. */
function exampleProto(): Uint8Array {
  const field = (number: number, ...content: (Uint8Array | number[])[]) => {
    const bytes = content.flatMap((part) => [...part]);
    return [number * 8 + 2, bytes.length, ...bytes];
  };
  const floats = new Uint8Array(new Float32Array([1.5, -2]).buffer);
  const a = field(1, field(1, encode("a")), field(2, field(2, field(1, floats))));
  const bb = field(1, field(1, encode("bb")), field(2, field(3, field(1, [5]))));
  return new Uint8Array(field(1, a, bb));
}

testHandles("executeOp() refuses an attribute's value that is of another kind", () => {
  const set = (attribute: OpAttribute) => () => evaluate("NoOp", [attribute], [], 0);
  assertThrows(set(int("i", "1")), TypeError, 'NoOp.i: expected an integer, got "1"');
  assertThrows(set(int("i", NaN)), TypeError, "NoOp.i: expected an integer");
  assertThrows(set(int("i", [1, 2.5])), TypeError, "NoOp.i: expected an integer, got [1,2.5]");
  assertThrows(set(float("f", "1")), TypeError, "NoOp.f: expected a number");
  assertThrows(set(string("s", 1)), TypeError, "NoOp.s: expected a string");
  assertThrows(set(shape("s", [1.5])), TypeError, "NoOp.s: expected an integer");
  assertThrows(set(shape("s", 3)), TypeError, "NoOp.s: expected a shape");
  assertThrows(
    set({ name: "x", type: 99, value: 1 }),
    TypeError,
    "NoOp.x: unknown attribute type 99",
  );
});
