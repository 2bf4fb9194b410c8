/** Pickles of numpy arrays, by numpy itself (tests/reference/numpy_pickle.py) and made to deceive. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { StudyError } from "../../../io/errors.ts";
import { FileBytes } from "../../../models/checkpoint/file_bytes.ts";
import { indexNumpyPickle } from "../../../models/checkpoint/numpy_pickle.ts";
import { loadCheckpoint } from "../../../models/checkpoint/open_checkpoint.ts";
import { readStoredTensor, type StoredTensor } from "../../../models/checkpoint/stored_tensor.ts";
import { withFolder } from "../../data/idx_samples.ts";
import { bytes, dict, little, text, tuple, whole } from "./torch_bytes.ts";

const FIXTURES = `${import.meta.dirname}/../../fixtures/checkpoints/`;

async function indexOf<T>(
  path: string,
  action: (arrays: Map<string, StoredTensor>, file: FileBytes) => T,
): Promise<T> {
  const file = await FileBytes.open(path);
  try {
    return action(indexNumpyPickle(file), file);
  } finally {
    file.close();
  }
}

for (const protocol of [3, 4]) {
  Deno.test(`indexNumpyPickle() finds the arrays that numpy wrote under protocol ${protocol}`, () =>
    indexOf(`${FIXTURES}numpy_protocol${protocol}.pickle`, (arrays, file) => {
      assertEquals([...arrays].map(([name, { shape }]) => [name, shape]), [
        ["Net_0/Conv_0/kernel", [3, 3, 2, 4]],
        ["Net_0/Conv_0/bias", [4]],
        ["Net_0/Conv_1/kernel", [2, 2, 4, 3]],
        ["Net_0/Conv_1/bias", [3]],
        ["Other_0/Conv_0/kernel", [1, 1, 4, 1]],
      ]);
      const { data } = readStoredTensor(file, "kernel", arrays.get("Net_0/Conv_0/kernel")!);
      // Row 2, column 1, input 1: outputs 0 to 3.
      assertEquals([...data.slice(((2 * 3 + 1) * 2 + 1) * 4).slice(0, 4)], [121, 1121, 2121, 3121]);
      const bias = readStoredTensor(file, "bias", arrays.get("Net_0/Conv_1/bias")!);
      assertEquals([...bias.data], [0, 0.5, 1]);
    }));
}

const RECONSTRUCT = bytes("cnumpy.core.multiarray\n_reconstruct\n");
const TRUE = bytes(0x88);
const FALSE = bytes(0x89);
const NONE = bytes("N");

/** Opcodes that make an array. */
function array(
  { shape = [2], dtype = "f4", order = "<", fortran = FALSE, length = 8 }: {
    shape?: number[];
    dtype?: string;
    order?: string;
    fortran?: Uint8Array;
    length?: number;
  } = {},
): Uint8Array {
  const empty = tuple(bytes("cnumpy\nndarray\n"), tuple(whole(0)), bytes("C", 1, "b"));
  const type = bytes("cnumpy\ndtype\n", tuple(text(dtype), FALSE, TRUE), "R");
  const typed = bytes(type, tuple(whole(3), text(order), NONE, NONE, NONE), "b");
  const values = bytes("B", little(length, 4), new Uint8Array(length));
  const state = tuple(whole(1), tuple(...shape.map(whole)), typed, fortran, values);
  return bytes(RECONSTRUCT, empty, "R", state, "b");
}

const pickled = (value: Uint8Array) => bytes(0x80, 3, value, ".");

Deno.test("indexNumpyPickle() refuses what is not plain little-endian float32 arrays", () =>
  withFolder(async (folder) => {
    const path = join(folder, "x.ckpt");
    const valid = pickled(dict(text("a"), array()));
    await Deno.writeFile(path, valid);
    assertEquals(await indexOf(path, (arrays) => [...arrays.keys()]), ["a"]);
    const nested = Array.from({ length: 12 }).reduce<Uint8Array>(
      (inner) => dict(text("a"), inner),
      array(),
    );
    const cases: [Uint8Array, string][] = [
      [dict(text("a"), array({ dtype: "f8", length: 16 })), "another dtype"],
      [dict(text("a"), array({ order: ">" })), "little-endian float32"],
      [dict(text("a"), array({ fortran: TRUE })), "row-major order"],
      [dict(text("a"), array({ shape: [3] })), "shape [3] without as many values"],
      [dict(text("a"), array({ shape: [] })), "whose shape is no tuple"],
      [dict(text("a"), array({ shape: [2 ** 30, 2 ** 30, 2 ** 30] })), "without as many values"],
      [dict(text("a"), bytes(RECONSTRUCT, tuple(), "R")), "given no values"],
      [dict(text("a"), text("b")), "a str where a dict or an array should be"],
      [dict(whole(1), array()), "a number for a name"],
      [bytes("}q", 1, "(", text("a"), "h", 1, "u"), "a dict in two places"],
      [nested, "where a dict or an array should be"],
      [bytes("cos\nsystem\n", tuple(text("x")), "R"), '"os.system"'],
      [bytes("cnumpy.core.multiarray\nfromfile\n"), "fromfile"],
      [bytes(RECONSTRUCT, tuple(), "R", "B", little(2 ** 31, 4)), "does not end by byte"],
    ];
    for (const [value, words] of cases) {
      await Deno.writeFile(path, pickled(value));
      const { message } = await assertRejects(() => indexOf(path, () => {}), StudyError);
      assert(message.includes(words), `${message} has no ${words}`);
    }
    await Deno.writeFile(path, bytes(valid, "x"));
    await assertRejects(() => indexOf(path, () => {}), StudyError, "ends before the file does");
  }));

Deno.test("loadCheckpoint() still refuses bytes in a pickle of PyTorch's", async () => {
  const path = `${FIXTURES}numpy_protocol3.pickle`;
  const { message } = await assertRejects(() => loadCheckpoint(path), StudyError);
  assertStringIncludes(message, path);
});
