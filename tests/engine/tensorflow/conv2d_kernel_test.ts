/** Convolutions as the kernel makes them, against those of the whole and in parts. */

import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Precision } from "../../../engine/backend.ts";
import {
  type ConvolutionAttributes,
  convolveByWinograd,
  convolveInHalves,
  prefersTwoImages,
  takesWinograd,
} from "../../../engine/tensorflow/conv2d_kernel.ts";
import { tensorflowBackend, testEngine } from "../engine.ts";

const engine = await testEngine();

Deno.test("prefersTwoImages() goes by the processor's flags, and by whether oneDNN is in use", () => {
  const avx2 = "flags\t\t: fpu avx avx2 fma\n";
  assert(prefersTwoImages(avx2, "1"));
  assert(!prefersTwoImages(avx2, "0"));
  assert(!prefersTwoImages(avx2, ""));
  assert(!prefersTwoImages("flags\t\t: fpu avx avx2 avx512f\n", "1"));
  assert(!prefersTwoImages("flags\t\t: fpu avx\n", "1"));
  assert(!prefersTwoImages("", "1"));
});

const BASE: ConvolutionAttributes = {
  strides: 1,
  pad: "same",
  dataFormat: "NHWC",
  dilations: 1,
};

/** Convolves both ways; returns how many images at a time the convolution got, too. */
function bothWays(
  shape: [number, number, number, number],
  filterShape: [number, number, number, number],
  attributes: Partial<ConvolutionAttributes>,
) {
  return tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R4>(shape, 0, 1, "float32", 1);
    const filter = tf.randomNormal<tf.Rank.R4>(filterShape, 0, 0.05, "float32", 2);
    const given: number[] = [];
    const convolve = (x: tf.Tensor4D, attributes: ConvolutionAttributes) => {
      given.push(x.shape[0]);
      const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes;
      return tf.conv2d(x, filter, strides, pad, dataFormat, dilations, dimRoundingMode);
    };
    const all = { ...BASE, ...attributes };
    const whole = convolve(tf.concat([x, x], 0) as tf.Tensor4D, all).slice([0], [shape[0]]);
    given.length = 0;
    const halves = convolveInHalves(x, filter, all, convolve);
    assertEquals(halves.shape, whole.shape);
    return { given, worst: tf.max(tf.abs(tf.sub(whole, halves))).dataSync()[0]! };
  });
}

Deno.test("convolveInHalves() convolves a large image as two", () => {
  const cases: [
    image: [number, number],
    channels: [number, number],
    filter: [number, number],
    attributes: Partial<ConvolutionAttributes>,
  ][] = [
    [[40, 30], [128, 128], [3, 3], {}],
    [[42, 32], [128, 128], [3, 3], { pad: "valid" }],
    [[40, 31], [512, 256], [1, 1], {}],
    [[79, 60], [128, 128], [3, 3], { strides: 2, pad: [[0, 0], [1, 1], [1, 1], [0, 0]] }],
    [[80, 61], [512, 256], [1, 1], { strides: 2, pad: "valid" }],
    [[220, 200], [3, 64], [7, 7], { strides: 2, pad: [[0, 0], [3, 2], [3, 2], [0, 0]] }],
    [[100, 90], [16, 64], [5, 5], { strides: [1, 2], pad: [[0, 0], [2, 2], [2, 2], [0, 0]] }],
  ];
  for (const [[height, width], [channels, out], filter, attributes] of cases) {
    const shape = [1, height, width, channels] as [number, number, number, number];
    const { given, worst } = bothWays(shape, [...filter, channels, out], attributes);
    assertEquals(given, [2], JSON.stringify(attributes));
    assert(worst < 1e-4, `${worst} of ${JSON.stringify(attributes)}`);
  }
});

Deno.test("convolveInHalves() leaves alone what is small, several images, odd or dilated", () => {
  for (
    const [shape, filter, attributes] of [
      [[1, 8, 8, 64], [3, 3, 64, 64], {}],
      [[2, 80, 60, 64], [3, 3, 64, 64], {}],
      [[1, 81, 60, 64], [3, 3, 64, 64], {}],
      [[1, 80, 60, 64], [3, 3, 64, 64], { dilations: 2 }],
    ] as const
  ) {
    const { given, worst } = bothWays([...shape], [...filter], attributes);
    assertEquals(given, [shape[0]]);
    assert(worst < 1e-4);
  }
});

Deno.test("convolveByWinograd() leaves alone other filters, strides, dilations and layouts", () => {
  using scope = new DisposableStack();
  const x = scope.adopt(
    tf.randomNormal<tf.Rank.R4>([4, 40, 40, 128], 0, 1, "float32", 1),
    tf.dispose,
  );
  const filter = (height: number, width = height) =>
    scope.adopt(
      tf.randomNormal<tf.Rank.R4>([height, width, 128, 128], 0, 0.1, "float32", 2),
      tf.dispose,
    );
  const taken = (side: number, attributes: Partial<ConvolutionAttributes>, width = side) =>
    tf.tidy(() => {
      const all = { ...BASE, ...attributes };
      return convolveByWinograd(x, filter(side, width), all) !== undefined;
    });
  assert(taken(3, {}));
  assert(taken(3, { pad: "valid" }));
  assert(taken(3, { pad: [[0, 0], [2, 0], [1, 3], [0, 0]] }));
  assert(taken(5, {}));
  assert(taken(5, { pad: "valid" }));
  assert(!taken(1, {}));
  assert(!taken(4, {}));
  assert(!taken(7, {}));
  assert(!taken(3, {}, 5));
  assert(!taken(3, { strides: 2 }));
  assert(!taken(3, { strides: [1, 2] }));
  assert(!taken(3, { dilations: 2 }));
  const turned = tf.tidy(() =>
    convolveByWinograd(
      x.transpose<tf.Tensor4D>([0, 3, 1, 2]),
      filter(3),
      { ...BASE, dataFormat: "NCHW" },
    )
  );
  assertEquals(turned, undefined);
});

type Convolve = (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor;

/** A convolution, the sum of its squares, and the gradients of that. */
function withGradients(convolve: Convolve) {
  return (x: tf.Tensor4D, filter: tf.Tensor4D) => {
    const { value, grads } = tf.valueAndGrads((x, filter) =>
      convolve(x as tf.Tensor4D, filter as tf.Tensor4D).square().sum()
    )([x, filter]);
    return [convolve(x, filter), value, ...grads];
  };
}

Deno.test("a convolution and its gradients are the same where the kernel takes Winograd's", () => {
  using scope = new DisposableStack();
  const x = scope.adopt(
    tf.randomNormal<tf.Rank.R4>([2, 30, 26, 128], 0, 1, "float32", 3),
    tf.dispose,
  );
  const filterOf = (side: number) =>
    scope.adopt(
      tf.randomNormal<tf.Rank.R4>([side, side, 128, 128], 0, 0.05, "float32", 4),
      tf.dispose,
    );
  const cases = [[filterOf(3), 1e-5], [filterOf(5), 2e-5]] as const;
  const whole = withGradients((x, filter) => tf.conv2d(x, filter, 1, "same"));
  // By 8 channels at a time it is not worth while.
  const inParts = withGradients((x, filter) =>
    tf.concat(
      tf.split(filter, 16, 3).map((part) => tf.conv2d(x, part as tf.Tensor4D, 1, "same")),
      3,
    )
  );
  using compiled = engine.compile(whole);
  const before = tf.memory().numTensors;
  for (const [filter, most] of cases) {
    for (const run of [whole, compiled]) {
      tf.tidy(() => {
        const expected = inParts(x, filter);
        for (const [index, actual] of run(x, filter).entries()) {
          const difference = actual.sub(expected[index]!).abs().max();
          const worst = difference.div(expected[index]!.abs().max()).dataSync()[0]!;
          assertEquals(actual.shape, expected[index]!.shape);
          assertLess(worst, most, `result ${index} of ${filter.shape}`);
        }
      });
    }
    tf.conv2d(x, filter, 1, "same").dispose();
  }
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("a fused convolution is a convolution, bias and activation in turn, to the bit", () => {
  using scope = new DisposableStack();
  const random = (shape: number[], seed: number) =>
    scope.adopt(tf.randomNormal(shape, 0, 0.1, "float32", seed), tf.dispose);
  const before = tf.memory().numTensors;
  const cases = [
    ["transformed, 3×3", [2, 30, 26, 128], [3, 3, 128, 128]],
    ["transformed, 5×5", [2, 30, 26, 64], [5, 5, 64, 128]],
    ["in halves", [1, 80, 60, 128], [1, 1, 128, 256]],
    ["as it is", [2, 9, 8, 3], [3, 3, 3, 5]],
  ] as const;
  for (const [name, shape, filterShape] of cases) {
    const x = random([...shape], 5) as tf.Tensor4D;
    const filter = random([...filterShape], 6) as tf.Tensor4D;
    const bias = random([filterShape[3]], 7) as tf.Tensor1D;
    const slope = random([filterShape[3]], 8) as tf.Tensor1D;
    const compare = (expected: (y: tf.Tensor) => tf.Tensor, options: object) =>
      tf.tidy(() => {
        const base = { x, filter, strides: 1, pad: "same" } as const;
        const fused = tf.fused.conv2d({ ...base, ...options });
        const y = tf.conv2d(x, filter, 1, "same");
        assertEquals(fused.dataSync(), expected(y).dataSync(), `${name}: ${Object.keys(options)}`);
      });
    compare((y) => y, {});
    compare((y) => y.relu(), { activation: "relu" });
    compare((y) => y.add(bias), { bias });
    compare((y) => y.add(bias).relu6(), { bias, activation: "relu6" });
    compare((y) => tf.prelu(y.add(bias), slope), {
      ...{ bias, activation: "prelu", preluActivationWeights: slope },
    });
    compare((y) => tf.leakyRelu(y, 0.3), { activation: "leakyrelu", leakyreluAlpha: 0.3 });
  }
  assertEquals(tf.memory().numTensors, before + 4 * cases.length);
});

Deno.test("takesWinograd() on CPUs that it was measured on, in float32, which the engine says", () => {
  const isMeasured = Deno.build.arch === "x86_64";
  assertEquals(takesWinograd("CPU", "float32"), isMeasured);
  assert(!takesWinograd("CPU", "bfloat16"));
  assert(!takesWinograd("GPU", "float32"));
  const { type } = tensorflowBackend().tensorflow.device;
  assertEquals(engine.convolutions, isMeasured && type === "CPU" ? "winograd" : undefined);
});

Deno.test("what is recorded in bfloat16 is not transformed", () => {
  const backend = tensorflowBackend();
  const recording = (precision: Precision, own?: "float32") => {
    backend.precision = precision;
    try {
      let recorded: Precision | undefined;
      const spec = { shape: [1], dtype: "float32" } as const;
      const fn = backend.record([spec], ([x]) => {
        recorded = backend.convolutionPrecision;
        return [x!.add(1)];
      }, own);
      fn.dispose();
      return recorded;
    } finally {
      backend.precision = "float32";
    }
  };
  assertEquals(recording("bfloat16"), "bfloat16");
  assertEquals(recording("bfloat16", "float32"), "float32");
  assertEquals(recording("float32"), "float32");
  assertEquals(backend.convolutionPrecision, "float32");
});
