/**
 * Checkpoints of PyTorch and safetensors, against what those read and write themselves
 * (tests/reference/checkpoints.py).
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { StudyError } from "../../../io/errors.ts";
import { loadCheckpoint, openCheckpoint } from "../../../models/checkpoint/open_checkpoint.ts";
import { saveCheckpoint } from "../../../models/checkpoint/safetensors.ts";
import {
  type DType,
  matchStateDict,
  type StateDict,
  type StateTensor,
  toFloat32,
  type TypedArray,
} from "../../../models/checkpoint/state_dict.ts";
import { bytesTaken } from "./bytes_taken.ts";
import {
  archive,
  dict,
  pickled,
  storage,
  tensor as pickledTensor,
  text,
  zip,
} from "./torch_bytes.ts";

const FIXTURES = `${import.meta.dirname}/../../fixtures/checkpoints/`;

interface Expected {
  dtype: DType;
  shape: number[];
  hex: string;
}

const EXPECTED: Record<string, Record<string, Expected>> = JSON.parse(
  Deno.readTextFileSync(`${FIXTURES}expected.json`),
);

const ARRAY_NAMES: Record<DType, string> = {
  float64: "Float64Array",
  float32: "Float32Array",
  float16: "Uint16Array",
  bfloat16: "Uint16Array",
  int64: "BigInt64Array",
  int32: "Int32Array",
  int16: "Int16Array",
  int8: "Int8Array",
  uint8: "Uint8Array",
  bool: "Uint8Array",
};

function hex(data: TypedArray): string {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).toHex();
}

function assertHolds(tensor: StateTensor, expected: Expected, what: string): void {
  assertEquals(tensor.dtype, expected.dtype, what);
  assertEquals(tensor.shape, expected.shape, what);
  assertEquals(tensor.data.constructor.name, ARRAY_NAMES[expected.dtype], what);
  assertEquals(hex(tensor.data), expected.hex, what);
}

async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function tensor(dtype: DType, shape: number[], data: TypedArray): StateTensor {
  return { dtype, shape, data };
}

for (const [file, tensors] of Object.entries(EXPECTED)) {
  Deno.test(`loadCheckpoint() reads ${file} as PyTorch does`, async () => {
    const sd = await loadCheckpoint(FIXTURES + file);
    assertEquals([...sd.keys()].sort(), Object.keys(tensors).sort());
    for (const [name, expected] of Object.entries(tensors)) {
      assertHolds(sd.get(name)!, expected, `${file}: ${name}`);
    }
  });
}

Deno.test("loadCheckpoint() keeps the order of a .pth and gives tied tensors their own data", async () => {
  const sd = await loadCheckpoint(`${FIXTURES}zip.pth`);
  assertEquals([...sd.keys()], Object.keys(EXPECTED["zip.pth"]!));
  assert(sd.get("whole")!.data !== sd.get("tied")!.data);
  assertEquals(sd.get("whole")!.data, sd.get("tied")!.data);
});

Deno.test("openCheckpoint() tells the form by content and describes without reading", async () => {
  const forms = {
    "zip.pth": "torch-zip",
    "stream.pth": "torch-stream",
    "tensors.safetensors": "safetensors",
  };
  for (const [file, format] of Object.entries(forms)) {
    using checkpoint = await openCheckpoint(FIXTURES + file);
    assertEquals(checkpoint.format, format);
    assertEquals(checkpoint.metadata, format === "safetensors" ? { format: "pt" } : {});
    assertEquals(checkpoint.names().length, Object.keys(EXPECTED[file]!).length);
    const { dtype, shape } = checkpoint.describe("permuted");
    assertEquals([dtype, shape], ["float32", [4, 2, 3]]);
    assertHolds(await checkpoint.read("permuted"), EXPECTED[file]!.permuted!, file);
    await assertRejects(() => checkpoint.read("absent"), StudyError, 'has no tensor "absent"');
  }
});

Deno.test("a checkpoint may be closed within its scope, and says so when it is read from then", async () => {
  for (const file of ["zip.pth", "stream.pth", "tensors.safetensors"]) {
    using checkpoint = await openCheckpoint(FIXTURES + file);
    checkpoint.close();
    checkpoint.close();
    const read = () => checkpoint.read("permuted");
    await assertRejects(read, Error, `${file}: the checkpoint has been closed`);
  }
});

Deno.test("openCheckpoint() reads a small tensor of a large file with little memory", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/large.safetensors`;
    const large = new Float32Array(1 << 22);
    await saveCheckpoint(
      path,
      new Map([
        ["large", tensor("float32", [2048, 2048], large)],
        ["small", tensor("float32", [2], new Float32Array([1, 2]))],
      ]),
    );
    const taken = await bytesTaken(async () => {
      using checkpoint = await openCheckpoint(path);
      assertEquals((await checkpoint.read("small")).data, new Float32Array([1, 2]));
    });
    assert(taken < 1 << 17, `${taken} bytes for a tensor of 8`);
    const all = await bytesTaken(async () => void await loadCheckpoint(path));
    assert(all >= large.byteLength, "the count misses allocations");
    assert(all < large.byteLength + (1 << 17), `${all} bytes for tensors of ${large.byteLength}`);
  });
});

Deno.test("loadCheckpoint() puts strided tensors in order, a large one a part at a time", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/strided.pth`;
    const count = 5_000_000; // 20 MB, more than is held of the file at once
    const data = new Uint8Array(Int32Array.from({ length: count }, (_, i) => i).buffer);
    const of = storage("IntStorage", "0", count);
    const made = dict(
      text("transposed"),
      pickledTensor(of, { offset: 1, size: [2, 1000, 2000], stride: [1, 4000, 2] }),
      text("overlapping"),
      pickledTensor(of, { offset: 7, size: [2, 3, 2], stride: [2, 1, 0] }),
    );
    await Deno.writeFile(path, zip(archive(pickled(made), { "0": data })));
    let sd: StateDict = new Map();
    const taken = await bytesTaken(async () => {
      sd = await loadCheckpoint(path);
    });
    const { shape, data: transposed } = sd.get("transposed")!;
    assertEquals(shape, [2, 1000, 2000]);
    const at = (i: number, j: number, k: number) => transposed[(i * 1000 + j) * 2000 + k];
    for (let j = 0; j < 1000; j++) {
      for (let k = 0; k < 2000; k++) {
        const first = 1 + 4000 * j + 2 * k;
        if (at(0, j, k) !== first || at(1, j, k) !== first + 1) throw new Error(`[${j}, ${k}]`);
      }
    }
    const overlapping = new Int32Array([7, 7, 8, 8, 9, 9, 9, 9, 10, 10, 11, 11]);
    assertEquals(sd.get("overlapping")!.data, overlapping);
    assert(taken < 16e6 + (1 << 24) + (1 << 18), `${taken} bytes`);
  });
});

Deno.test("toFloat32() reads every dtype's values", async () => {
  const sd = await loadCheckpoint(`${FIXTURES}zip.pth`);
  for (const dtype of ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16"]) {
    assertEquals(toFloat32(sd.get(dtype)!), new Float32Array([1, 2, 100, -3, 0, 7]), dtype);
  }
  assertEquals(toFloat32(sd.get("uint8")!), new Float32Array([1, 2, 100, 255, 0, 7]));
  assertEquals(toFloat32(sd.get("bool")!), new Float32Array([1, 0, 1]));
  // 1.5, the least subnormal, -infinity; then the same bits as bfloat16 except the first.
  const half = tensor("float16", [3], new Uint16Array([0x3e00, 0x0001, 0xfc00]));
  assertEquals(toFloat32(half), new Float32Array([1.5, 2 ** -24, -Infinity]));
  const brain = tensor("bfloat16", [3], new Uint16Array([0x3fc0, 0x0080, 0xff80]));
  assertEquals(toFloat32(brain), new Float32Array([1.5, 2 ** -126, -Infinity]));
});

Deno.test("saveCheckpoint() writes the same bytes as safetensors itself", async () => {
  await withFolder(async (folder) => {
    const sd = await loadCheckpoint(`${FIXTURES}zip.pth`);
    await saveCheckpoint(`${folder}/a.safetensors`, sd, { format: "pt" });
    assertEquals(
      await Deno.readFile(`${folder}/a.safetensors`),
      await Deno.readFile(`${FIXTURES}tensors.safetensors`),
    );
  });
});

Deno.test("saveCheckpoint() and openCheckpoint() round-trip tensors, names and metadata", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/new/folder/a.safetensors`;
    const half = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const sd: StateDict = new Map([
      ["1", tensor("float32", [2], half)],
      ["__proto__", tensor("int64", [], new BigInt64Array([-(2n ** 63n)]))],
      ['"\n"', tensor("bool", [0, 2], new Uint8Array(0))],
    ]);
    const metadata = { epoch: "3", "": 'quoted "text"\n' };
    await saveCheckpoint(path, sd, metadata);
    using checkpoint = await openCheckpoint(path);
    assertEquals(checkpoint.metadata, metadata);
    const loaded = await loadCheckpoint(path);
    assertEquals([...loaded.keys()].sort(), [...sd.keys()].sort());
    for (const [name, { dtype, shape, data }] of sd) {
      assertHolds(loaded.get(name)!, { dtype, shape, hex: hex(data) }, name);
    }
    await saveCheckpoint(path, new Map());
    assertEquals((await loadCheckpoint(path)).size, 0);
    assertEquals([...Deno.readDirSync(`${folder}/new/folder`)].length, 1);
  });
});

Deno.test("saveCheckpoint() refuses data that does not fit and leaves the old file", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    await saveCheckpoint(path, new Map());
    const before = await Deno.readFile(path);
    const wrong: [string, StateTensor, string][] = [
      ["w", tensor("float32", [3], new Float32Array(2)), "does not have 2 elements"],
      ["w", tensor("float32", [2], new Float64Array(2)), "does not hold float32"],
      ["w", tensor("float32", [-1, -2], new Float32Array(2)), "is not a shape"],
      ["w", tensor("bool", [1], new Uint8Array([2])), "neither 0 nor 1"],
      [
        "w",
        tensor("float8" as DType, [1], new Uint8Array(1)),
        "Cannot save w as its dtype must be one of int64, float64, float32, int32, bfloat16, " +
        "float16, int16, int8, uint8, bool: current value is float8",
      ],
      ["__metadata__", tensor("bool", [1], new Uint8Array([1])), "reserves the name"],
    ];
    for (const [name, value, message] of wrong) {
      await assertRejects(() => saveCheckpoint(path, new Map([[name, value]])), TypeError, message);
    }
    assertEquals(await Deno.readFile(path), before);
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  });
});

const READ_BACK = `
import sys
try:
    import torch
    from safetensors.torch import load_file
except ImportError as error:
    print(error)
    sys.exit(77)
for name, tensor in sorted(load_file(sys.argv[1]).items()):
    data = tensor.reshape(-1).view(torch.uint8) if tensor.numel() else torch.empty(0)
    print(name, str(tensor.dtype)[6:], list(tensor.shape), bytes(data.tolist()).hex(), sep="|")
`;

Deno.test("saveCheckpoint() writes what safetensors.torch.load_file reads", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    await saveCheckpoint(path, await loadCheckpoint(`${FIXTURES}stream.pth`), { by: "us" });
    const python = new Deno.Command("python3", {
      args: ["-c", READ_BACK, path],
      env: { PYTHONIOENCODING: "utf-8" },
      stderr: "inherit",
    });
    const { code, stdout } = await python.output().catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return { code: 77, stdout: new TextEncoder().encode("there is no python3") };
    });
    const printed = new TextDecoder().decode(stdout).trimEnd();
    if (code === 77) return console.log(`  skipped: ${printed}`);
    assertEquals(code, 0);
    const read = Object.fromEntries(
      printed.split("\n").map((line) => {
        const [name, dtype, shape, hex] = line.split("|");
        return [name, { dtype, shape: JSON.parse(shape!), hex }];
      }),
    );
    assertEquals(read, EXPECTED["stream.pth"] as typeof read);
  });
});

Deno.test("matchStateDict() lists missing, extra and misshapen names in one line", () => {
  const sd: StateDict = new Map([
    ["a", tensor("float32", [2, 3], new Float32Array(6))],
    ["b", tensor("float32", [], new Float32Array(1))],
    ["c", tensor("float32", [1], new Float32Array(1))],
  ]);
  matchStateDict(sd, new Map([["a", [2, 3]], ["b", []], ["c", [1]]]), { what: "SimpleCNN" });
  const error = assertThrows(
    () =>
      matchStateDict(sd, new Map([["a", [3, 2]], ["b", []], ["d", [1]]]), { what: "SimpleCNN" }),
    StudyError,
  );
  assertEquals(
    error.message,
    'The weights do not fit SimpleCNN: 1 missing (d); 1 not in the model ("c"); ' +
      "1 of another shape (a [2,3] instead of [3,2]); give weights of this model",
  );
  const many = new Map(Array.from({ length: 12 }, (_, i): [string, number[]] => [`n${i}`, []]));
  const long = assertThrows(() => matchStateDict(new Map(), many, { what: "VGG16" }), StudyError);
  assert(long.message.includes("12 missing (n0, n1,"), long.message);
  assert(long.message.includes("n9, … 2 more)"), long.message);
});
