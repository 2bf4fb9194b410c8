/** Engines that are gone are errors or nothing, never a crash, and never another backend in disguise. */

import { assertEquals } from "@std/assert";
import { isInstalled } from "../../engine/wasm/package.ts";
import { runCommand } from "../../io/run_command.ts";
import { WEBGPU_PROBLEM } from "./webgpu/adapter.ts";

const GONE = "Error: This engine has been disposed of: start another with startEngine()";
const GONE_FUNCTION =
  "Error: Cannot call a compiled function of an engine that has been disposed " +
  "of: compile it with the one that runs";
const OF_GONE = "of an engine that has been disposed of: make it on the one that runs";
const RESET_FUNCTION =
  "Error: Cannot call a function that was compiled before tfjs was reset, or " +
  "has been disposed of: compile it again";
const RECORDING = "Error: Cannot dispose of the engine while it records a function";
const ENDED = "Error: This recording has ended";
const SAYS = "tensorflow, tfjs tensorflow";
const WORKS = [SAYS, [2, 4]];

/** What comes of each use, in order, where TensorFlow computes afterwards. */
const WITH_TENSORFLOW: [string, unknown][] = [
  ["a second engine says", SAYS],
  ["first binding: createTensor", GONE],
  ["first binding: an old tensor", GONE],
  ["first binding: executeOp", GONE],
  ["first binding: deleteTensor", GONE],
  ["first compile()", GONE],
  ["first's compiled function", GONE_FUNCTION],
  ["first's compiled function, disposed of", "nothing"],
  ["first's tensor", GONE],
  ["first's tensor in an op", GONE],
  ["second's compiled function beside them", [2, 4]],
  ["first's variable in it", `Error: Cannot record Add on a tensor of shape [2] ${OF_GONE}`],
  ["first's unused variable in it", `Error: Cannot record Add on a tensor of shape [2] ${OF_GONE}`],
  ["first's variable assigned in it", `Error: Cannot assign to the variable unused ${OF_GONE}`],
  ["first's unused variable after that", [false, true]],
  [
    "first's unused variable in it again",
    `Error: Cannot record Add on a tensor of shape [2] ${OF_GONE}`,
  ],
  ["second's compiled function after that", [2, 4]],
  ["first's tensor, disposed of", "nothing"],
  ["first's variable, disposed of", "nothing"],
  ["first's model", GONE],
  ["first's model, disposed of", "nothing"],
  ["first.dispose()", "nothing"],
  ["first.dispose() again", "nothing"],
  ["second engine after that", WORKS],
  ["after engine().reset()", "tensorflow, tfjs null"],
  ["a function compiled before", RESET_FUNCTION],
  ["a function compiled before, disposed of", "nothing"],
  ["setBackend() after a reset", [true, SAYS]],
  ["the binding after a reset", true],
  ["compile() after a reset", [2, 4]],
  ["an operation of ours after a reset", [2, 3]],
  ["reset() in a compiled body", RECORDING],
  ["after reset() in a compiled body", [true, [2, 4]]],
  ["dispose() in a compiled body", RECORDING],
  ["after dispose() in a compiled body", [2, 4]],
  ["the binding of a recording that is over", [false, ENDED, ENDED]],
  ["the engine's backend set again", [true, [2, 4]]],
  [
    "the other backend's tensor in a compiled function",
    "Error: Cannot record Add on a tensor of shape [2] that was made outside the compiled function: " +
    "pass it as an argument, make it a tf.variable(), or create it inside",
  ],
  ["the other backend's variable in one", [2, 3]],
  ["two started at once", [GONE, [2, 4]]],
  ["the gone one of them disposed of", "nothing"],
  ["the other one", WORKS],
  ["an engine of another copy", WORKS],
  ["compile() of the one before", GONE],
  ["dispose() of the one before", "nothing"],
  ["then the other copy's engine", WORKS],
];

/** The same where tfjs computes in JavaScript: no engine says that it is its backend then. */
const WITHOUT: [string, unknown][] = [
  [
    "another backend set",
    'Error: No engine is running: tfjs\' backend is "cpu". Call tf.setBackend("tensorflow"), or ' +
    "startEngine()",
  ],
  ["removeBackend() by hand", "nothing"],
  ["dispose() after removeBackend()", "nothing"],
  ["binding after all", GONE],
  ["setBackend() after all", "Error: Backend name 'tensorflow' not found in registry"],
];

/** What a script of this folder prints of each use, and whether it ended well. */
async function usesOf<Use>(
  script: string,
  ...args: string[]
): Promise<[Use[], boolean | undefined]> {
  const path = `${import.meta.dirname}/${script}`;
  const command = [Deno.execPath(), "run", "-q", "--no-check", "-P=engine", path, ...args];
  const result = await runCommand(command, { timeoutMs: 120_000 });
  const lines = result?.stdout.trim().split("\n").filter((line) => line.startsWith("["));
  return [(lines ?? []).map((line) => JSON.parse(line)), result?.success];
}

Deno.test("an engine that is gone gives clear errors, and leaves the one that runs alone", async () => {
  const [uses, success] = await usesOf<[string, unknown, string]>("engine_lives.ts");
  const by = (backend: string): [string, unknown][] =>
    uses.filter(([, , computes]) => computes === backend).map(([use, outcome]) => [use, outcome]);
  assertEquals(by("tensorflow"), WITH_TENSORFLOW);
  assertEquals(by("plain JavaScript"), WITHOUT);
  assertEquals([uses.length, success], [WITH_TENSORFLOW.length + WITHOUT.length, true]);
});

/** What comes of each use of engines that are not TensorFlow's. */
function onBackend(name: string): [string, unknown][] {
  const works = [`${name}, tfjs ${name}`, [2, 4]];
  return [
    ["second engine", works],
    ["first compile()", GONE],
    ["first's compiled function", GONE_FUNCTION],
    ["first's compiled function, disposed of", "nothing"],
    ["first's tensor", GONE],
    ["first's tensor in an op", GONE],
    ["first's model", GONE],
    ["first's tensors and model, disposed of", "nothing"],
    ["first.dispose()", "nothing"],
    ["tensors left of the first", 0],
    ["second engine after that", works],
    ["dispose() in a compiled body", RECORDING],
    ["reset() in a compiled body", RECORDING],
    ["second engine after those", works],
    ["TensorFlow's compiled function beside second's variable", [2, 4]],
    ["second's variable in it", `Error: Cannot record Add on a tensor of shape [2] ${OF_GONE}`],
    ["second's variable in an op", GONE],
    ["second's variable, disposed of", "nothing"],
    [
      "an op after engine().reset()",
      `Error: The highest priority backend '${name}' has not yet been initialized. Make sure to await ` +
      "tf.ready() or await tf.setBackend() before calling other methods",
    ],
    ["after tf.ready()", works],
    ["a function compiled before", [2, 4]],
    ["an operation of ours", [2, 3]],
    ["after reset() and setBackend()", [true, works]],
    ["dispose() after reset()", "nothing"],
    ["compile() after that", GONE],
    ["a new engine after all", works],
  ];
}

const SKIPPED: Readonly<Record<string, boolean>> = {
  wasm: !await isInstalled(),
  webgpu: WEBGPU_PROBLEM !== undefined,
};

for (const [backend, ignore] of Object.entries(SKIPPED)) {
  Deno.test({
    name: `an engine of ${backend} that is gone or was reset does what TensorFlow's does`,
    ignore,
    async fn() {
      const [uses, success] = await usesOf<[string, unknown]>("portable_lives.ts", backend);
      assertEquals([uses, success], [onBackend(backend), true]);
    },
  });
}
