/**
 * Compiled functions and what lies outside of them: variables, mistakes, clean-up.
 */

import { assertEquals, assertThrows } from "@std/assert";
import type * as tfjs from "@tensorflow/tfjs";
import { applyAdam, assignSlice, bytesTensor, gatherBytes } from "../../../engine/ops.ts";
import { TensorFlowError } from "../../../engine/tensorflow/tensorflow.ts";
import { tensorflowBackend, testEngine } from "../engine.ts";

const { binding, compile, tf } = await testEngine();

/** A variable whose initial tensor is freed. */
function variable(values: number[]): tfjs.Variable {
  return tf.tidy(() => tf.variable(tf.tensor1d(values)));
}

/** Runs a test in a tidy with these variables, and checks that nothing is left but was there. */
function test(name: string, initial: number[][], fn: (...variables: tfjs.Variable[]) => void) {
  Deno.test(name, () => {
    const count = () => ({ handles: binding.getNumOfTensors(), tensors: tf.memory().numTensors });
    const before = count();
    const variables = initial.map(variable);
    try {
      tf.tidy(() => fn(...variables));
    } finally {
      variables.forEach((variable) => variable.dispose());
    }
    assertEquals(count(), before);
  });
}

const values = (tensor: tfjs.Tensor) => [...tensor.dataSync()];

/** A step of Adam on a parameter, its mean and its square. */
function adam([parameter, m, v]: readonly tfjs.Variable[], gradient: tfjs.Tensor): void {
  applyAdam({ parameter: parameter!, m: m!, v: v! }, gradient, {
    stepSize: tf.scalar(0.1),
    epsilon: tf.scalar(1e-8),
    beta1: tf.scalar(0.9),
    beta2: tf.scalar(0.99),
  });
}

test("a variable is read at each call, not frozen", [[1, 2]], (v) => {
  const fn = compile((x: tfjs.Tensor) => v!.mul(x));
  assertEquals(values(fn(tf.scalar(10))), [10, 20]);
  v!.assign(tf.tensor1d([3, 4]));
  assertEquals(values(fn(tf.scalar(10))), [30, 40]);
  fn.dispose();
});

test("an assignment in the body is kept from call to call and seen outside", [[0, 0]], (v) => {
  const add = compile((x: tfjs.Tensor) => v!.assign(v!.add(x)));
  const x = tf.tensor1d([1, 2]);
  for (let call = 1; call <= 3; call++) {
    add(x);
    assertEquals(values(v!), [call, 2 * call]);
  }
  v!.assign(tf.tensor1d([100, 100]));
  add(x);
  assertEquals(values(v!), [101, 102]);
  assertEquals(values(v!.add(1)), [102, 103]);
  add.dispose();
});

test(
  "reads before and after an assignment see what was there at that point",
  [[1], [5]],
  (v, w) => {
    const fn = compile(() => {
      const before = v!.mul(1);
      v!.assign(w!.add(v!));
      const between = v!.mul(1);
      v!.assign(v!.mul(10));
      w!.assign(v!.neg());
      return [before, between, v!.mul(1), w!.mul(1)];
    });
    assertEquals(fn().map(values), [[1], [6], [60], [-60]]);
    assertEquals([v!, w!].map(values), [[60], [-60]]);
    assertEquals(fn().map(values), [[60], [0], [0], [0]]);
    fn.dispose();
  },
);

test("a result that is a variable's old value survives the update", [[1, 2]], (v) => {
  const fn = compile(() => {
    const old = v!.mul(1);
    v!.assign(v!.mul(0));
    return old;
  });
  const old = fn();
  fn();
  assertEquals([old, v!].map(values), [[1, 2], [0, 0]]);
  fn.dispose();
});

test("a variable returned as it is gives its value", [[1, 2]], (v) => {
  const fn = compile(() => [v!, v!]);
  const [a, b] = fn();
  v!.assign(tf.tensor1d([7, 7]));
  assertEquals([a!, b!].map(values), [[1, 2], [1, 2]]);
  assertEquals(fn().map(values), [[7, 7], [7, 7]]);
  fn.dispose();
});

test(
  "assignments between variables give what they give eagerly, a swap too",
  [[1], [2]],
  (v, w) => {
    const bodies: Record<string, (x: tfjs.Tensor) => void> = {
      "one": () => v!.assign(w!),
      "one, then the other": (x) => (v!.assign(w!), w!.assign(x)),
      "of a copy": () => (v!.assign(w!.clone()), w!.assign(w!.add(1))),
      "swap": () => {
        const old = v!.clone();
        v!.assign(w!);
        w!.assign(old);
      },
    };
    for (const [name, body] of Object.entries(bodies)) {
      const fn = compile((x: tfjs.Tensor) => {
        body(x);
        return [v!.add(0), w!.add(0)];
      });
      const after = (run: (x: tfjs.Tensor) => unknown) => {
        v!.assign(tf.tensor1d([1]));
        w!.assign(tf.tensor1d([2]));
        for (let call = 0; call < 3; call++) tf.tidy(() => void run(tf.tensor1d([7])));
        return [v!, w!].map(values);
      };
      const expected = after(body);
      let results: number[][] = [];
      assertEquals(after((x) => results = fn(x).map(values)), expected, name);
      assertEquals(results, expected, name);
      fn.dispose();
    }
  },
);

test("a value taken before an assignment is there after it", [[1]], (v) => {
  const fn = compile((x: tfjs.Tensor) => {
    const old = v!.clone();
    v!.assign(v!.add(x));
    return [old, v!.add(0)];
  });
  assertEquals(fn(tf.tensor1d([10])).map(values), [[1], [11]]);
  fn.dispose();
});

test("variables that were made of one tensor are trained apart", [], () => {
  const zero = tf.tensor1d([0]);
  const [v, w] = [tf.variable(zero), tf.variable(zero)];
  const fn = compile((x: tfjs.Tensor) => {
    v.assign(v.add(x));
    w.assign(w.sub(x));
    return v.mul(w);
  });
  for (const expected of [[-9], [-36]]) {
    assertEquals(values(fn(tf.tensor1d([3]))), expected);
  }
  assertEquals([v, w, zero].map(values), [[6], [-6], [0]]);
  fn.dispose();
  tf.dispose([v, w]);
});

test("a copy made outside is no variable, though it has the value of one", [[1]], (v) => {
  const copy = v!.clone();
  const fn = compile((x: tfjs.Tensor) => x.mul(copy));
  assertThrows(() => fn(tf.tensor1d([3])), Error, "made outside the compiled function");
  assertEquals([copy, v!].map(values), [[1], [1]]);
});

test("a change in place after an assignment is refused, which would cover it", [[1], [0], [0]], (
  parameter,
  m,
  v,
) => {
  const fn = compile((gradient: tfjs.Tensor) => {
    parameter!.assign(parameter!.mul(2));
    adam([parameter!, m!, v!], gradient);
  });
  const message = `Cannot record ResourceApplyAdam on the variable ${parameter!.name} after`;
  assertThrows(() => fn(tf.tensor1d([1])), Error, message);
  assertEquals(values(parameter!), [1]);
});

test("a value taken before a change in place is there after it, as it is eagerly", [
  [1, -2],
  [0, 0],
  [0, 0],
  [5, 5],
], (w, m, v, previous) => {
  const state = [w!, m!, v!];
  const bodies: Record<string, (gradient: tfjs.Tensor) => tfjs.Tensor[]> = {
    "a copy": (gradient) => {
      const old = w!.clone();
      adam(state, gradient);
      return [w!.sub(old), old];
    },
    "another variable": (gradient) => {
      previous!.assign(w!);
      adam(state, gradient);
      return [w!.sub(previous!), previous!.add(0)];
    },
    "another variable, a step ago": (gradient) => {
      adam(state, gradient);
      previous!.assign(w!);
      adam(state, gradient);
      return [w!.sub(previous!), w!.add(0)];
    },
    "copies between changes": (gradient) => {
      const first = w!.clone();
      adam(state, gradient);
      const second = w!.clone();
      assignSlice(w!, gradient.slice([0], [1]), 1);
      const third = w!.clone();
      adam(state, w!.clone());
      return [first, second, third, w!.clone(), first.add(second).add(third).add(w!)];
    },
    "copies of all": (gradient) => {
      const old = state.map((variable) => variable.clone());
      adam(state, gradient);
      return old.map((tensor, index) => state[index]!.sub(tensor));
    },
    "a copy that is gone by then": (gradient) => {
      const sum = tf.tidy(() => w!.clone().sum());
      adam(state, gradient);
      return [sum, w!.add(0)];
    },
    "the new value, over one that was kept": (gradient) => {
      const old = w!.clone();
      adam(state, gradient);
      previous!.assign(old);
      w!.assign(w!.mul(2));
      return [previous!.add(0), w!.add(0), old];
    },
  };
  const all = [w!, m!, v!, previous!];
  for (const [name, body] of Object.entries(bodies)) {
    const compiled = compile(body);
    const after = (run: (gradient: tfjs.Tensor) => tfjs.Tensor[]) => {
      [[1, -2], [0, 0], [0, 0], [5, 5]].forEach((start, index) =>
        tf.tidy(() => all[index]!.assign(tf.tensor1d(start)))
      );
      const results = [1, 2, 3].map((call) =>
        tf.tidy(() => ({ values: run(tf.tensor1d([0.5 * call, -0.25])).map(values) })).values
      );
      return { results, variables: all.map(values) };
    };
    assertEquals(after(compiled), after(body), name);
    compiled.dispose();
  }
});

test("a compiled function whose variable has been disposed of says so, by name", [[1]], (v) => {
  const named = tf.tidy(() => tf.variable(tf.tensor1d([2]), true, "a/weight"));
  const fn = compile((x: tfjs.Tensor) => tf.mul(v!, named).mul(x));
  assertEquals(values(fn(tf.scalar(3))), [6]);
  named.dispose();
  assertThrows(() => fn(tf.scalar(3)), Error, "the variable a/weight: it has been disposed of");
  assertThrows(() => fn(tf.ones([2])), Error, "that has been disposed of");
  const argument = tf.scalar(3);
  argument.dispose();
  assertThrows(() => fn(argument), Error, "a tensor that has been disposed of");
  fn.dispose();
});

test("a copy of a variable keeps its value while a compiled function changes it", [[1], [
  5,
]], (v, w) => {
  const double = compile(() => v!.assign(v!.mul(2)));
  const early = v!.clone();
  double();
  const late = v!.clone();
  const reshaped = v!.reshape([1, 1]);
  w!.assign(v!);
  double();
  assertEquals([early, late, reshaped, w!, v!].map(values), [[1], [2], [2], [2], [4]]);
  double.dispose();
});

test("two functions share a variable", [[1]], (v) => {
  const double = compile(() => v!.assign(v!.mul(2)));
  const increase = compile(() => v!.assign(v!.add(1)));
  double();
  increase();
  double();
  assertEquals(values(v!), [6]);
  double.dispose();
  increase.dispose();
});

test("a gradient step in the body equals the eager one over five calls", [[0.5, -0.3], [
  0.5,
  -0.3,
]], (compiled, eager) => {
  const x = tf.tensor2d([[1, 2], [3, -4], [0.5, 1]]);
  const step = (w: tfjs.Variable) => (x: tfjs.Tensor): tfjs.Tensor => {
    const loss = () => x.mul(w).sum(1).sub(1).square().mean() as tfjs.Scalar;
    const { value, grads } = tf.variableGrads(loss, [w]);
    w.assign(w.sub(grads[w.name]!.mul(0.05)));
    return value;
  };
  const run = compile(step(compiled!));
  for (let call = 0; call < 5; call++) {
    const [a] = values(run(x));
    const [b] = values(step(eager!)(x));
    assertEquals(Math.abs(a! - b!) < 1e-6, true, `losses ${a} and ${b}`);
  }
  const difference = values(compiled!.sub(eager!).abs().max());
  assertEquals(difference[0]! < 1e-6, true, `parameters differ by ${difference}`);
  run.dispose();
});

test("applyAdam() updates in place, compiled and eager alike", [
  [1, -2],
  [0, 0],
  [0, 0],
  [1, -2],
  [0, 0],
  [0, 0],
], (...variables) => {
  const step = (state: tfjs.Variable[]) => (gradient: tfjs.Tensor) => adam(state, gradient);
  const run = compile(step(variables.slice(0, 3)));
  const gradient = tf.tensor1d([0.5, -0.25]);
  for (let call = 0; call < 3; call++) {
    run(gradient);
    step(variables.slice(3))(gradient);
  }
  const [parameter, m, v] = variables.map(values);
  assertEquals([parameter, m, v], variables.slice(3).map(values));
  // After one step m = 0.1 g; after three, (1 - 0.9³) g.
  const expected = (1 - 0.9 ** 3) * 0.5;
  assertEquals(Math.abs(m![0]! - expected) < 1e-6, true, `m is ${m![0]}`);
  run.dispose();
});

test("an 8-bit argument stays 8-bit and is gathered in the body", [], () => {
  const bytes = bytesTensor(new Uint8Array([0, 128, 255, 7, 8, 9]), [3, 2]);
  const fn = compile((rows: tfjs.Tensor, indices: tfjs.Tensor) =>
    gatherBytes(rows, indices as tfjs.Tensor1D)
  );
  assertEquals(values(fn(bytes, tf.tensor1d([2, 0], "int32"))), [8, 9, 0, 128]);
  fn.dispose();
});

test("a tensor from outside is an error that names the op and the remedy", [[1]], (v) => {
  const outside = tf.tensor2d([[1, 2, 3]]);
  const fn = compile(() => v!.add(1).mul(outside));
  const error = assertThrows(() => fn(), Error, "pass it as an argument");
  assertEquals(error.message.includes("Mul"), true, error.message);
  assertEquals(error.message.includes("[1,3]"), true, error.message);
});

test("reading data in the body is an error that names the remedy", [[1]], (v) => {
  const outside = tf.scalar(2);
  const ofResult = compile((x: tfjs.Tensor) => tf.scalar(x.add(1).dataSync()[0]!));
  assertThrows(() => ofResult(tf.scalar(1)), Error, "Return the tensor from the compiled function");
  const ofArgument = compile((x: tfjs.Tensor) => tf.scalar(x.dataSync()[0]!));
  assertThrows(() => ofArgument(tf.scalar(1)), Error, "while a function is being recorded");
  const ofOutside = compile(() => tf.scalar(outside.dataSync()[0]!));
  assertThrows(() => ofOutside(), Error, "Read it before, or pass it as an argument");
  const ofVariable = compile(() => tf.scalar(v!.dataSync()[0]!));
  assertThrows(() => ofVariable(), Error, "while a function is being recorded");
});

test("a constant of the body may be read in it", [], () => {
  const fn = compile((x: tfjs.Tensor) => x.add(tf.scalar(2).dataSync()[0]!));
  assertEquals(values(fn(tf.scalar(1))), [3]);
  fn.dispose();
});

test("a new variable in the body is an error", [[1]], (v) => {
  const count = Object.keys(tf.engine().registeredVariables).length;
  const fn = compile(() => tf.variable(tf.scalar(1), true, "born_while_recording").add(v!));
  assertThrows(() => fn(), Error, "Cannot make the variable born_while_recording while recording");
  assertEquals(Object.keys(tf.engine().registeredVariables).length, count);
});

test("a tensor smuggled out of the body is refused", [], () => {
  let smuggled: tfjs.Tensor | undefined;
  const fn = compile((x: tfjs.Tensor) => smuggled = tf.keep(x.add(1)));
  fn(tf.scalar(1));
  assertThrows(() => smuggled!.add(1), Error, "return it from the compiled function instead");
  smuggled!.dispose();
  fn.dispose();
});

test("a body that throws leaves engine and variables as they were", [[1, 2]], (v) => {
  let fail = true;
  const fn = compile((x: tfjs.Tensor) => {
    v!.assign(v!.add(x));
    if (fail) throw new RangeError("on purpose");
    return v!.sum();
  });
  const x = tf.tensor1d([10, 20]);
  const before = { handles: binding.getNumOfTensors(), tensors: tf.memory().numTensors };
  for (let call = 0; call < 3; call++) assertThrows(() => fn(x), RangeError, "on purpose");
  assertEquals(fn.recordings, 0);
  assertEquals({ handles: binding.getNumOfTensors(), tensors: tf.memory().numTensors }, before);
  assertEquals(values(v!), [1, 2]);
  assertEquals(values(tf.add(x, 1)), [11, 21]);
  fail = false;
  assertEquals(values(fn(x)), [33]);
  assertEquals(values(v!), [11, 22]);
  fn.dispose();
});

test("an op that TensorFlow refuses while recording is named, and the engine goes on", [], () => {
  const fn = compile((x: tfjs.Tensor) =>
    tensorflowBackend().run("MatMul", [{ name: "T", type: binding.TF_ATTR_TYPE, value: 1 }], [x, x])
  );
  assertThrows(
    () => fn(tf.ones([2, 3])),
    TensorFlowError,
    "MatMul(float32[2,3], float32[2,3]): INVALID_ARGUMENT",
  );
  assertEquals(fn(tf.ones([1, 1])).map(values), [[1]]);
  fn.dispose();
});

test("a failure at run time is an error, and the next call works", [], () => {
  const fn = compile((x: tfjs.Tensor) =>
    tensorflowBackend().run("CheckNumerics", [
      { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
      { name: "message", type: binding.TF_ATTR_STRING, value: "of the test" },
    ], [x.mul(2)])[0]!
  );
  assertThrows(() => fn(tf.scalar(NaN)), TensorFlowError, "of the test : Tensor had NaN");
  assertEquals(values(fn(tf.scalar(2))), [4]);
  fn.dispose();
});

test("dispose() takes the function out of TensorFlow", [], () => {
  const backend = tensorflowBackend();
  const fn = backend.record([], () => [tf.scalar(1).add(1)]);
  assertEquals(fn.call([]).map(values), [[2]]);
  fn.dispose();
  assertThrows(() => binding.executeOp(fn.name, [], [], 1), TensorFlowError, fn.name);

  const compiled = compile((x: tfjs.Tensor) => x.add(1), {
    signature: [{ shape: [], dtype: "float32" }],
  });
  compiled.dispose();
  assertEquals(compiled.recordings, 0);
});

test(
  "axpy() has the bits of a product and a sum, and leaves what it is given as it was",
  [],
  () => {
    const backend = tensorflowBackend();
    const [x, y] = [1, 2].map((seed) => tf.randomNormal([1000], 0, 1, "float32", seed));
    const v = tf.variable(x!);
    const compiled = compile((y: tfjs.Tensor) => {
      const [a, doubled] = [tf.scalar(1e-4), y.mul(2)];
      const before = v.mul(1);
      return [backend.axpy(a, v, doubled), doubled, y, before, v.mul(1)];
    });
    for (let call = 0; call < 3; call++) {
      const sum = y!.mul(2).add(v.mul(1e-4));
      const expected = [sum, y!.mul(2), y!, v, v].map(values);
      assertEquals(compiled(y!).map(values), expected);
      assertEquals(values(backend.axpy(tf.scalar(1e-4), v, y!.mul(2))), values(sum));
      v.assign(v.add(1));
    }
    compiled.dispose();
    v.dispose();
  },
);

test("200 training calls leave as many tensors as there were", [[0.5, -0.3]], (w) => {
  const step = compile((x: tfjs.Tensor) => {
    const { value, grads } = tf.variableGrads(() => x.mul(w!).square().sum() as tfjs.Scalar, [w!]);
    w!.assign(w!.sub(grads[w!.name]!.mul(0.01)));
    return value;
  });
  const x = tf.tensor1d([1, 2]);
  const once = () => {
    step(x).dispose();
    w!.dataSync();
    return { handles: binding.getNumOfTensors(), tensors: tf.memory().numTensors };
  };
  const first = once();
  for (let call = 0; call < 200; call++) assertEquals(once(), first);
  step.dispose();
});
