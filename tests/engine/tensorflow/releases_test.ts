/**
 * Nothing native is left behind, and a check that could not fail would be no check: each line of the
 * engine that a release is asked for by is left out in turn, and the count has to tell.
 */

import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { type Backend, runBackend, stopBackend } from "../../../engine/backend.ts";
import { compile } from "../../../engine/compile.ts";
import { findLibrary } from "../../../engine/library/find_library.ts";
import { TensorFlowBackend } from "../../../engine/tensorflow/backend.ts";
import type { symbols } from "../../../engine/tensorflow/c_api.ts";
import { tensorflowOps } from "../../../engine/tensorflow/ops.ts";
import { startTensorFlow } from "../../../engine/tensorflow/start.ts";
import { openSummaryWriter } from "../../../engine/tensorflow/summary_writer.ts";
import { TensorFlow, TensorFlowError } from "../../../engine/tensorflow/tensorflow.ts";
import { StudyError } from "../../../io/errors.ts";
import { silentReporter } from "../../../io/reporter.ts";
import { NativeLedger } from "./native_ledger.ts";

const { path } = await findLibrary({ reporter: silentReporter });

/** Definitions of ops are looked up once a process: each round records one that is new. */
const UNARY_OPS = (
  "Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Digamma Elu Erf Erfc Exp Expm1 Floor Inv Lgamma " +
  "Log Log1p Neg Reciprocal Relu6 Rint Round Rsqrt Selu Sigmoid Sign Sin Sinh Softplus Softsign " +
  "Sqrt Square Tan Tanh Abs IsNan IsInf IsFinite LogicalNot Invert Conj OnesLike ZerosLike Snapshot"
).split(" ").values();

/** Has a matrix of 4 × 4 lie in four blocks, with few threads. */
const BLOCK_LIMITS = { matrix: 16, columns: 1, elements: 2 };

const LONG = "a string that is too long to lie inside its own record";

/** What a round has left, before and after the engine is disposed of. */
interface Left {
  running: ReturnType<NativeLedger["live"]>;
  disposed: ReturnType<NativeLedger["live"]>;
}

/** Starts an engine, has it do everything that makes something native, and disposes of it. */
async function round(ledger: NativeLedger): Promise<Left> {
  ledger.gpu = true;
  const placed = new TensorFlowBackend(path, { load: ledger.load });
  const { eager } = placed;
  eager.deleteTensor(eager.createTensor([2], eager.TF_FLOAT, Float32Array.of(1, 2)));
  placed.dispose();
  ledger.gpu = false;
  for (const failing of ["TFE_NewContext", "TF_DeviceListType"] as const) {
    ledger.failing = failing;
    assertThrows(() => TensorFlow.open(path, { load: ledger.load }), Error);
  }

  const kernels = new TensorFlowBackend(path, { load: ledger.load, blockLimits: BLOCK_LIMITS });
  const ops = tensorflowOps(kernels);
  const backend: Backend = {
    ...{
      name: "tensorflow",
      device: "CPU",
      version: "",
      description: "",
      precision: kernels.precision,
    },
    ...{ threads: 1, kernels, ops, recorder: kernels },
  };
  await runBackend(backend);
  tf.engine().startScope();
  values(kernels);
  functions(kernels);
  matrices(kernels);
  const folder = await Deno.makeTempDir();
  assertThrows(() => openSummaryWriter(kernels.eager, "/dev/null/none"), TensorFlowError);
  {
    using events = openSummaryWriter(kernels.eager, folder);
    events.scalar("loss", 1, 0.5);
  }
  tf.engine().endScope();
  const running = ledger.live();
  // What is not disposed of by itself goes with the engine.
  tf.tensor1d([1, 2]).square();
  const kept = tf.variable(tf.tensor1d([1, 2]), false, crypto.randomUUID());
  kernels.resourceOf(kept);
  const open = openSummaryWriter(kernels.eager, folder);
  stopBackend(backend);
  kept.dispose();
  open[Symbol.dispose]();
  await Deno.remove(folder, { recursive: true });
  return { running, disposed: ledger.live() };
}

/** Tensors, ops and variables, and how they fail. */
function values(kernels: TensorFlowBackend): void {
  const { eager } = kernels;
  const strings = [LONG, "short"].map((text) => new TextEncoder().encode(text));
  const text = eager.createTensor([2], eager.TF_STRING, strings);
  eager.tensorDataSync(text);
  eager.deleteTensor(text);
  assertThrows(() => eager.executeOp("NoSuchOp", [], [], 1), TensorFlowError);
  const misfit = [{ name: "T", type: eager.TF_ATTR_INT, value: "x" }];
  assertThrows(() => eager.executeOp("Neg", misfit, [], 1), TypeError);
  assertThrows(() => tf.matMul(tf.zeros([1, 2]), tf.zeros([1, 3])), Error);

  const variable = tf.variable(tf.tensor1d([1, 2]), false, crypto.randomUUID());
  const shared = variable.clone();
  kernels.resourceOf(variable);
  assertEquals([...variable.dataSync()], [1, 2]);
  tensorflowOps(kernels).assignSlice(variable, tf.tensor1d([5]), 1);
  assertEquals([[...variable.dataSync()], [...shared.dataSync()]], [[1, 5], [1, 2]]);
  tensorflowOps(kernels).assignSlice(variable, variable, 0);
  variable.assign(tf.tensor1d([3, 4]));
  variable.dispose();
}

/** Recordings, and how they fail. */
function functions(kernels: TensorFlowBackend): void {
  const { eager } = kernels;
  const variable = tf.variable(tf.tensor1d([1, 2]), false, crypto.randomUUID());
  const outside = tf.tensor1d([7]).square();
  using step = compile((x: tf.Tensor) => {
    variable.assign(variable.add(x));
    const words = tf.tensor1d([LONG]);
    const joined = kernels.run("StringJoin", [
      { name: "N", type: eager.TF_ATTR_INT, value: 1 },
      { name: "separator", type: eager.TF_ATTR_STRING, value: "" },
    ], [words]);
    return [variable.square(), ...joined];
  });
  for (const x of [tf.tensor1d([1, 1]), variable]) step(x)[0]!.dataSync();
  // The second call has read the variable before it changed it.
  assertEquals([...variable.dataSync()], [4, 6]);
  const type = { name: "T", type: eager.TF_ATTR_TYPE, value: eager.TF_FLOAT };
  using fails = compile((x: tf.Tensor) => {
    outside.dispose();
    kernels.run(UNARY_OPS.next().value!, [type], [x]);
    throw new RangeError("on purpose");
  });
  assertThrows(() => fails(tf.tensor1d([1, 1])), Error);
  variable.dispose();
}

/** A matrix in blocks, as a whole and by its parts. */
function matrices(kernels: TensorFlowBackend): void {
  const ones = tf.ones([4, 4]);
  for (const value of [ones, ones.mul(1)]) {
    const matrix = tf.variable(value, false, crypto.randomUUID());
    using halved = compile(() => {
      matrix.assign(matrix.div(2));
      return matrix.sum();
    });
    assertEquals([...halved().dataSync()], [8]);
    assertEquals([...matrix.slice([1, 1], [2, 2]).dataSync()], [0.5, 0.5, 0.5, 0.5]);
    assertEquals(matrix.dataSync()[0], 0.5);
    tensorflowOps(kernels).assignSlice(matrix, tf.ones([4, 1]), 1);
    assertEquals([...matrix.slice([0, 0], [1, 4]).dataSync()], [0.5, 1, 0.5, 0.5]);
    matrix.dispose();
  }
}

/** Lines of the engine that release something, as `file.ts:12`. */
async function releaseLines(): Promise<string[]> {
  const call = new RegExp(
    "(?<!function |override |abstract )(?:\\bTFE?_Delete\\w+|\\bTF_StringDealloc|" +
      "\\bTFE_ContextRemoveFunction|\\bdeleteHostTensor|\\bfreeStrings|\\bdestroyResource|" +
      "(?<!^ *)\\bdeleteTensor|#free|#dropReads?|#remove|\\.close)\\(",
  );
  const folder = new URL("../../../engine/tensorflow/", import.meta.url);
  const lines: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const source = (await Deno.readTextFile(new URL(name, folder))).split("\n");
    source.forEach((line, index) => {
      const isDefinition = /^ *(?:\*|#?\w+\(.*\{$)/.test(line);
      // A finalizer runs when JavaScript's memory is cleared; binding_test.ts waits for one.
      if (line.includes("FinalizationRegistry")) return;
      if (!isDefinition && call.test(line)) lines.push(`${name}:${index + 1}`);
    });
  }
  return lines;
}

Deno.test("all that an engine has of TensorFlow is released, and each release counts", async () => {
  const ledger = new NativeLedger();
  // tfjs' own constants come into being once a process.
  await round(ledger);
  ledger.releasing.clear();
  const sound: Left = { running: { contexts: 1, statuses: 1 }, disposed: {} };
  assertEquals([await round(ledger), ledger.faults], [sound, []]);

  const lines = await releaseLines();
  assertEquals(lines.filter((line) => !ledger.releasing.has(line)), [], "not reached by the round");
  assert(lines.length > 20, `${lines}`);
  for (const line of lines) {
    const mutant = new NativeLedger();
    mutant.leaveOut = line;
    assertNotEquals(await round(mutant), sound, `nothing tells that ${line} is left out`);
  }
});

Deno.test("an engine that cannot start as asked leaves nothing", async () => {
  const ledger = new NativeLedger();
  const own = Deno.dlopen;
  const counted = (file: string, table: typeof symbols) =>
    file === path ? ledger.load(file, table) : own(file, table);
  Object.assign(Deno, { dlopen: counted });
  try {
    // As the ledger makes it, the only device is no GPU.
    const gpu = { device: "gpu", precision: "float32", verbose: false } as const;
    const options = { ...gpu, libtensorflow: path, reporter: silentReporter, threads: undefined };
    await assertRejects(() => startTensorFlow(options), StudyError, "--device cpu");
    assert(ledger.releasing.size > 0);
    assertEquals([ledger.live(), ledger.faults], [{}, []]);
  } finally {
    Object.assign(Deno, { dlopen: own });
  }
});
