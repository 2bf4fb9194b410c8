/** Weights that no model computes with are refused by name, whichever way they come. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import { StudyError } from "../../../io/errors.ts";
import {
  loadWeights,
  loadWeightsFile,
  type WeightTarget,
} from "../../../models/checkpoint/load_weights.ts";
import { saveCheckpoint } from "../../../models/checkpoint/safetensors.ts";
import {
  asTypedArray,
  type DType,
  DTYPES,
  type StateDict,
  type StateTensor,
} from "../../../models/checkpoint/state_dict.ts";
import { countNonFinite } from "../../../models/checkpoint/usable_weights.ts";
import { requireDetectorFit } from "../../../models/detection/detector_fit.ts";
import { withFolder } from "../../report/result_rows.ts";

function vector(dtype: DType, data: StateTensor["data"]): StateTensor {
  return { dtype, shape: [data.length], data };
}

/** Infinity, its negative, two that are not numbers, the largest number, the smallest, zero and one. */
const WITH_FAULTS: readonly StateTensor[] = [
  vector(
    "float64",
    Float64Array.of(Infinity, -Infinity, NaN, -NaN, 3.4028234e38, 5e-324, 0, 1),
  ),
  vector(
    "float32",
    Float32Array.of(Infinity, -Infinity, NaN, -NaN, 3.4028234e38, 1e-45, 0, 1),
  ),
  vector(
    "float16",
    Uint16Array.of(0x7c00, 0xfc00, 0x7e00, 0xfc01, 0x7bff, 0x0001, 0, 0x3c00),
  ),
  vector(
    "bfloat16",
    Uint16Array.of(0x7f80, 0xff80, 0x7fc0, 0xff81, 0x7f7f, 0x0001, 0, 0x3f80),
  ),
];

Deno.test("countNonFinite() counts what is infinite or not a number, in every format", () => {
  for (const tensor of WITH_FAULTS) assertEquals(countNonFinite(tensor), 4, tensor.dtype);
  assertEquals(countNonFinite(vector("uint8", Uint8Array.of(0, 255))), 0);
  const part = new Float32Array([NaN, 1, 2, NaN]).subarray(1, 4);
  assertEquals(countNonFinite(vector("float32", part)), 1);
});

Deno.test("countNonFinite() counts what float32 cannot hold, rounding as it does", () => {
  const largest = 2 ** 128 - 2 ** 104;
  const halfway = 2 ** 128 - 2 ** 103;
  const values = Float64Array.of(1e300, -1e300, halfway, halfway - 2 ** 76, largest);
  assertEquals(countNonFinite(vector("float64", values)), 3);
});

/** Takes `a` and `b`, two numbers each, and notes that it has. */
function target(taken: string[]): WeightTarget {
  return {
    title: "Net",
    shapes: new Map([["a", [2]], ["b", [2]]]),
    ignored: ["other"],
    assign: (name) => taken.push(name),
  };
}

const sound = (): StateTensor => vector("float32", Float32Array.of(1, 2));
const zeros = (dtype: DType) => vector(dtype, asTypedArray(dtype, new ArrayBuffer(16)).slice(0, 2));
const isFloat = (dtype: DType) => /^b?float/.test(dtype);
const remedy = "save it again as float32: {name: tensor.float() for name, tensor in " +
  "state_dict.items()}";

const REFUSED: Record<string, [StateTensor, string]> = {
  "a value that is no number": [
    vector("float32", Float32Array.of(1, NaN)),
    "b has values that are not finite; give other weights",
  ],
  "a value beyond float32": [
    vector("float64", Float64Array.of(1, 1e300)),
    "b has values that are not finite as float32; give other weights",
  ],
  ...Object.fromEntries(
    DTYPES.filter((dtype) => !isFloat(dtype)).map((dtype): [string, [StateTensor, string]] => [
      dtype,
      [zeros(dtype), `b is of dtype ${dtype}; ${remedy}`],
    ]),
  ),
};

Deno.test("loadWeights() and loadWeightsFile() refuse weights that no model computes with", async (t) => {
  for (const [what, [tensor, message]] of Object.entries(REFUSED)) {
    const state: StateDict = new Map([["module.a", sound()], ["module.b", tensor]]);
    await t.step(what, () =>
      withFolder({}, async (folder) => {
        const path = join(folder, "w.safetensors");
        await saveCheckpoint(path, state);
        const taken: string[] = [];
        const made = () => target(taken);
        assertEquals(
          assertThrows(() => loadWeights(state, made), StudyError).message,
          `Net: ${message}`,
        );
        assertEquals(
          assertThrows(() => loadWeights(state, made, path), StudyError).message,
          `${path}: ${message}`,
        );
        assertEquals(taken, []);
        const error = await assertRejects(() => loadWeightsFile(path, made), StudyError);
        assertEquals(error.message, `${path}: ${message}`);
        assertEquals(taken, []);
      }));
  }
});

Deno.test("loadWeights() refuses more or fewer values than a shape has, and takes nothing", () => {
  for (const values of [[1], [1, 2, 3], []]) {
    const short = { ...sound(), data: Float32Array.from(values) };
    const taken: string[] = [];
    const { message } = assertThrows(
      () => loadWeights(new Map([["a", sound()], ["b", short]]), () => target(taken)),
      StudyError,
    );
    assertEquals(
      message,
      `Net: b of shape [2] has ${values.length} values instead of 2; give other weights`,
    );
    assertEquals(taken, []);
  }
});

Deno.test("loadWeights() and loadWeightsFile() take every floating-point format, whatever else is there", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "w.safetensors");
    for (const dtype of DTYPES.filter(isFloat)) {
      const state: StateDict = new Map([
        ["a", sound()],
        ["b", zeros(dtype)],
        ["other", vector("float32", Float32Array.of(NaN))],
        ["optimizer.exp_avg.a", vector("float32", Float32Array.of(NaN, 1))],
      ]);
      await saveCheckpoint(path, state);
      const taken: string[] = [];
      loadWeights(state, () => target(taken));
      await loadWeightsFile(path, () => target(taken));
      assertEquals(taken, ["a", "b", "a", "b"], dtype);
    }
  }));

Deno.test("requireDetectorFit() refuses whole numbers, but for counters of batches", () => {
  const expected = { shapes: new Map([["a", [2]]]), keepPredictor: true };
  const counter = vector("int64", BigInt64Array.of(1n, 2n));
  const found = new Map([["a", sound()], ["bn.num_batches_tracked", counter]]);
  assertEquals([...requireDetectorFit(found, expected).entries.keys()], ["a"]);
  const { message } = assertThrows(
    () => requireDetectorFit(new Map([["a", counter]]), expected, "d.pth"),
    StudyError,
  );
  assertEquals(message, `d.pth: a is of dtype int64; ${remedy}`);
});
