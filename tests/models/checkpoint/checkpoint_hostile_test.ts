/** Damaged and malicious checkpoints: each is refused in one line, before much memory is taken. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { StudyError } from "../../../io/errors.ts";
import { loadCheckpoint } from "../../../models/checkpoint/open_checkpoint.ts";
import { bytesTaken } from "./bytes_taken.ts";
import {
  archive,
  bytes,
  dict,
  little,
  pickled,
  storage,
  tensor,
  text,
  tuple,
  whole,
  zip,
  type ZipEntry,
} from "./torch_bytes.ts";

const FIXTURES = `${import.meta.dirname}/../../fixtures/checkpoints/`;
const KIB = new Uint8Array(1024);

/** Loads the bytes as a file and returns the one-line error, or `undefined` if they are valid. */
async function refusal(path: string, data: Uint8Array): Promise<string | undefined> {
  await Deno.writeFile(path, data);
  const error = await loadCheckpoint(path).then(() => undefined, (error) => error);
  if (error === undefined) return undefined;
  if (!(error instanceof StudyError)) throw error;
  assert(error.message.startsWith(`Cannot read checkpoint ${path}: `), error.message);
  assert(!error.message.includes("\n") && error.message.length < 700, error.message);
  return error.message;
}

/** Holds each case to an error with its words, quickly and within 4 MiB (a valid case to `""`). */
function testRefusals(name: string, cases: () => Record<string, [Uint8Array, string]>): void {
  Deno.test(name, async () => {
    const path = await Deno.makeTempFile();
    try {
      for (const [what, [data, words]] of Object.entries(cases())) {
        let message: string | undefined;
        const started = performance.now();
        const taken = await bytesTaken(async () => {
          message = await refusal(path, data);
        });
        const shown = `${what}: ${message}`;
        if (words === "") assertEquals(message, undefined, shown);
        else assert(message?.includes(words), shown);
        assert(taken < 1 << 22, `${what} takes ${taken} bytes`);
        assert(performance.now() - started < 5000, `${what} takes too long`);
      }
    } finally {
      await Deno.remove(path);
    }
  });
}

/** A checkpoint of one tensor `w` in storage "0", of which 1024 bytes are there. */
function oneTensor(made: Uint8Array): Uint8Array {
  return zip(archive(pickled(dict(text("w"), made)), { "0": KIB }));
}

const floats = storage("FloatStorage", "0", 256);
const fine = tensor(floats, { size: [2, 2], stride: [2, 1] });

testRefusals("loadCheckpoint() refuses tensors that their storage does not hold", () => ({
  "fine": [oneTensor(fine), ""],
  "last element": [oneTensor(tensor(floats, { offset: 252, size: [4], stride: [1] })), ""],
  "one too far": [
    oneTensor(tensor(floats, { offset: 253, size: [4], stride: [1] })),
    "reaches element 257 of a storage of 256",
  ],
  "too large": [oneTensor(tensor(floats, { size: [257], stride: [1] })), "reaches element 257"],
  "strided out": [oneTensor(tensor(floats, { size: [2, 2], stride: [254, 1] })), ""],
  "strided too far": [oneTensor(tensor(floats, { size: [2, 2], stride: [255, 1] })), "element 257"],
  "negative stride": [oneTensor(tensor(floats, { size: [2], stride: [-1] })), "-1 for a length"],
  "negative size": [oneTensor(tensor(floats, { size: [-2], stride: [1] })), "-2 for a length"],
  "negative offset": [
    oneTensor(tensor(floats, { offset: -1, size: [2], stride: [1] })),
    "-1 for a length",
  ],
  "size beyond 2^53": [
    oneTensor(tensor(floats, { size: [1n << 60n], stride: [1] })),
    "1152921504606846976 for a length",
  ],
  "product beyond 2^53": [
    oneTensor(tensor(floats, { size: [1n << 40n, 1n << 40n], stride: [0, 0] })),
    "a tensor of shape",
  ],
  "repeated without end": [
    oneTensor(tensor(floats, { size: [1 << 20, 1 << 20], stride: [0, 0] })),
    "would take 4398046511104 bytes",
  ],
  "size without stride": [oneTensor(tensor(floats, { size: [2], stride: [] })), "stride too few"],
  "65 dimensions": [
    oneTensor(tensor(floats, { size: Array(65).fill(1), stride: Array(65).fill(1) })),
    "at most 64",
  ],
  "storage larger than its record": [
    oneTensor(tensor(storage("FloatStorage", "0", 257), { size: [1], stride: [1] })),
    "of 257 float32 has only 1024 bytes",
  ],
  "storage of 2^60": [
    oneTensor(tensor(storage("FloatStorage", "0", 1n << 60n), { size: [1], stride: [1] })),
    "for a length",
  ],
  "storage absent": [
    oneTensor(tensor(storage("FloatStorage", "1", 256), { size: [1], stride: [1] })),
    'lacks the storage "1"',
  ],
  "storage under a path": [
    oneTensor(tensor(storage("FloatStorage", "../0", 256), { size: [1], stride: [1] })),
    'lacks the storage "../0"',
  ],
  "storage of two types": [
    zip(archive(
      pickled(dict(
        text("a"),
        fine,
        text("b"),
        tensor(storage("LongStorage", "0", 128), { size: [1], stride: [1] }),
      )),
      { "0": KIB },
    )),
    'describes storage "0" in two ways',
  ],
  "a bool of 2": [
    zip(archive(
      pickled(dict(text("w"), tensor(storage("BoolStorage", "0", 1), { size: [1], stride: [1] }))),
      { "0": Uint8Array.of(2) },
    )),
    "neither 0 nor 1",
  ],
}));

function pickleCase(...body: (string | number | Uint8Array)[]): Uint8Array {
  return zip(archive(pickled(...body), { "0": KIB }));
}

testRefusals("loadCheckpoint() refuses pickles that are more than a state dict", () => ({
  "os.system": [
    pickleCase("cos\nsystem\n", text("echo"), 0x85, "R"),
    'asks for "os.system", which no state dict needs (nothing was run)',
  ],
  "builtins.eval": [pickleCase("cbuiltins\neval\n", tuple(text("1")), "R"), '"builtins.eval"'],
  "by the stack": [pickleCase(text("os"), text("system"), 0x93), '"os.system"'],
  "a name below an allowed one": [pickleCase("ctorch._utils\nos.system\n"), "os.system"],
  "a name on several lines": [pickleCase("cos\rsys\x1b[2J\x85\nsystem\n"), '"os\\rsys\\u001b[2J?'],
  "an endless name": [pickleCase("c", "x".repeat(300)), "over 255 characters"],
  "the opcode INST": [pickleCase("(ios\nsystem\n"), "opcode INST"],
  "the opcode OBJ": [pickleCase("(o"), "opcode OBJ"],
  "an opcode that is none": [pickleCase(0xff), "byte 255 where an opcode should be"],
  "protocol 0": [zip(archive(bytes("(dp0\n."))), "opcode DICT"],
  "protocol 6": [zip(archive(bytes(0x80, 6, "}."))), "protocol 6"],
  "a storage as a function": [pickleCase("ctorch\nFloatStorage\n)R"), "calls a"],
  "a string as a function": [pickleCase(text("os.system"), ")R"), "calls a str"],
  "a tensor from values": [
    pickleCase("ctorch\nFloatTensor\n", tuple(whole(9)), "R"),
    "from values",
  ],
  "a tensor without storage": [
    pickleCase(dict(text("w"), bytes("ctorch\nFloatTensor\n)R"))),
    "given no storage",
  ],
  "a persistent id that is none": [pickleCase(text("x"), "Q"), "not a storage"],
  "a module as persistent id": [
    pickleCase(tuple(text("module"), text("x"), text("y"), text("z")), "Q"),
    "not a storage",
  ],
  "state for a list": [pickleCase("]}b"), "gives state to a list"],
  "a bare tensor": [pickleCase(fine), "holds a tensor, not a dict"],
  "a list": [pickleCase("]"), "holds a list, not a dict"],
  "a number among tensors": [
    pickleCase(dict(text("w"), fine, text("epoch"), whole(3))),
    'a number under "epoch", not a tensor',
  ],
  "a number for a name": [pickleCase(dict(whole(3), fine)), "a number for a name"],
  "a name twice": [pickleCase(dict(text("w"), fine, text("w"), fine)), 'names "w" twice'],
  "an empty stack": [zip(archive(bytes(0x80, 2, "."))), "a value where there is none"],
  "a pop below a mark": [pickleCase("](a"), "a value where there is none"],
  "a tuple without mark": [pickleCase("t"), "a mark where there is none"],
  "a key without value": [pickleCase("}(", text("w"), "u"), "a key without a value"],
  "a memo not set": [pickleCase("h", 7), "memo 7"],
  "no STOP": [zip(archive(bytes(0x80, 2, "}"))), "does not end by byte"],
  "a string of 4 GB": [pickleCase("X", little(0xffffffff, 4)), "does not end by byte"],
  "a string of 2^63": [pickleCase(0x8d, little(1n << 63n, 8)), "a part of 9223372036854775808"],
  "a frame of 2^63": [pickleCase(0x95, little(1n << 63n, 8)), "a part of"],
  "an integer of 2^31 bytes": [pickleCase(0x8b, little(2 ** 31, 4)), "an integer of 2147483648"],
  "text that is not UTF-8": [pickleCase("X", little(1, 4), 0xff), "not UTF-8"],
}));

testRefusals("loadCheckpoint() bounds the work that a pickle asks for", () => {
  // Lists nested 200,000 deep; a list of 10,000 copied into each of 1,000 dicts; a million Nones.
  const deep = bytes("]".repeat(200_000), "a".repeat(199_999));
  const pairs = bytes("](", ...Array<Uint8Array>(10_000).fill(bytes("NN", 0x86)), "eq\x00");
  const copies = "ccollections\nOrderedDict\nh\x00\x85R".repeat(1000);
  // Each tuple holds the one before twice: 2^60 leaves for whoever walks them.
  const doubling = bytes(")", ...Array<Uint8Array>(60).fill(bytes("q\x00h\x00", 0x86)));
  return {
    "deep nesting": [pickleCase(dict(text("w"), deep)), 'a list under "w"'],
    "copies of a memo": [pickleCase(pairs, copies), "steps to read"],
    "doubling": [pickleCase(dict(text("w"), doubling)), 'a tuple under "w"'],
    "many steps": [pickleCase("N".repeat(1_000_001)), "steps to read"],
  };
});

const good = pickled(dict(text("w"), fine));

function zipCase(change: Partial<ZipEntry>, at = 1): Uint8Array {
  return zip(
    archive(good, { "0": KIB }).map((entry, i) => i === at ? { ...entry, ...change } : entry),
  );
}

testRefusals("loadCheckpoint() refuses zip files that torch does not write", () => ({
  "zip64 fields": [zipCase({ zip64: true }), ""],
  "deflated": [zipCase({ method: 8 }), 'its zip entry "a/data/0" is compressed'],
  "a bomb's size": [zipCase({ size: 0xfffffff0 }), "overlaps what follows"],
  "a zip64 size of 2^60": [zipCase({ size: 2 ** 60, zip64: true }), "points outside the file"],
  "encrypted": [zipCase({ flags: 1 }), "is encrypted"],
  "overlapping": [zipCase({ header: 0 }), "overlaps what follows"],
  "overlapping by the local name": [zipCase({ size: 1020, localName: "a/data/0-more" }), "differs"],
  "a header outside": [zipCase({ header: 0x7fffffff }), "overlaps what follows"],
  "a header elsewhere": [zipCase({ header: 3, size: 0 }, 0), "no header where"],
  "another local name": [zipCase({ localName: "a/data/1" }), "differs from the directory"],
  "a name twice": [zipCase({ name: "a/data.pkl" }), 'names "a/data.pkl" twice'],
  "a name that is not UTF-8": [zipCase({ name: "a/data/\xff" }), "not UTF-8"],
  "no pickle": [zipCase({ name: "a/other.pkl" }, 0), "without one data.pkl"],
  "a wrong count": [zip(archive(good, { "0": KIB }), { count: 3 }), "has 2 entries and says 3"],
  "TorchScript": [
    zip([...archive(good, { "0": KIB }), { name: "a/constants.pkl", data: good }]),
    "TorchScript",
  ],
  "a byte order that is none": [
    zip([...archive(good, { "0": KIB }), { name: "a/byteorder", data: bytes("middle") }]),
    'byte order is "middle"',
  ],
  "no entries": [zip([]), "without one data.pkl"],
  "no directory": [zipCase({}).subarray(0, -1), "cut short"],
  "bytes before it": [bytes("PK", zipCase({})), "does not lie where"],
}));

function stream(
  { magic = 0x1950a86a20f9469cfc6cn, version = 1001, keys = ["0"], numel = 256 }: {
    magic?: bigint;
    version?: number;
    keys?: readonly string[];
    numel?: number;
  },
  system = dict(text("little_endian"), bytes(0x88)),
): Uint8Array {
  return bytes(
    pickled(0x8a, 10, little(magic, 10)),
    pickled(whole(version)),
    pickled(system),
    good,
    pickled("](", ...keys.map(text), "e"),
    ...keys.map(() => bytes(little(numel, 8), KIB)),
  );
}

testRefusals("loadCheckpoint() refuses streams that torch does not write", () => ({
  "fine": [stream({}), ""],
  "wrong magic": [stream({ magic: 1n }), "magic number"],
  "wrong version": [stream({ version: 1000 }), "protocol version 1001"],
  "no keys": [stream({ keys: [] }), "list of storages"],
  "a key twice": [stream({ keys: ["0", "0"] }), "list of storages"],
  "another key": [stream({ keys: ["1"] }), "list of storages"],
  "a size too small": [stream({ numel: 255 }), "does not have the 256 elements"],
  "a size of -1": [stream({ numel: -1 }), "does not have the 256 elements"],
  "cut short": [stream({}).subarray(0, -1), "ends at byte"],
  "a storage in the magic": [bytes(pickled(storage("FloatStorage", "0", 1))), 'asks for "torch.'],
  "a big-endian machine's size": [
    bytes(
      stream({ keys: ["0"] }, dict(text("little_endian"), bytes(0x89))).subarray(0, -1032),
      little(256, 8).reverse(),
      KIB,
    ),
    "",
  ],
}));

function safetensors(header: unknown, data = KIB, length?: number | bigint): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  return bytes(little(length ?? json.length, 8), json, data);
}

const u8 = (begin: unknown, end: unknown, more = {}) => ({
  dtype: "U8",
  shape: [Number(end) - Number(begin)],
  data_offsets: [begin, end],
  ...more,
});

testRefusals("loadCheckpoint() refuses safetensors files that break the format", () => ({
  "fine": [safetensors({ a: u8(24, 1024), b: u8(0, 24), c: u8(24, 24) }), ""],
  "padded header": [safetensors(`${JSON.stringify({ a: u8(0, 1024) })}   `), ""],
  "header of 2^63": [safetensors({}, KIB, 1n << 63n), "does not fit"],
  "header beyond the end": [safetensors({}, KIB, 1027), "does not fit"],
  "header of 20 MB": [
    bytes(little(20_000_000, 8), "{", new Uint8Array(20_000_000)),
    "20000000 bytes is too large",
  ],
  "no JSON": [safetensors("{nonsense}"), "is not JSON"],
  "not UTF-8": [bytes(little(3, 8), '{"', 0xff), "is not JSON"],
  "nested deep": [safetensors('{"a":'.repeat(9) + "1" + "}".repeat(9)), "nested too deeply"],
  "a number for a tensor": [safetensors({ a: 1 }), "not described by"],
  "overlap": [safetensors({ a: u8(0, 600), b: u8(500, 1024) }), "does not begin where"],
  "the same bytes": [safetensors({ a: u8(0, 1024), b: u8(0, 1024) }), "does not begin where"],
  "a gap": [safetensors({ a: u8(0, 500), b: u8(501, 1024) }), "does not begin where"],
  "a gap at the start": [safetensors({ a: u8(1, 1024) }), "does not begin where"],
  "bytes left over": [safetensors({ a: u8(0, 1023) }), "tensors end at byte"],
  "beyond the end": [safetensors({ a: u8(0, 1025) }), "of a file of"],
  "offsets reversed": [safetensors({ a: u8(5, 3, { shape: [2] }) }), "does not take -2 bytes"],
  "a negative offset": [safetensors({ a: u8(-8, 1016) }), "no list of whole numbers"],
  "a fraction": [safetensors({ a: u8(0.5, 1024, { shape: [1] }) }), "no list of whole numbers"],
  "three offsets": [
    safetensors({ a: u8(0, 8, { data_offsets: [0, 8, 1024] }) }),
    "no list of whole numbers",
  ],
  "a shape too large": [safetensors({ a: u8(0, 1024, { shape: [1025] }) }), "does not take 1024"],
  "a shape beyond 2^53": [
    safetensors({ a: u8(0, 1024, { shape: [2 ** 40, 2 ** 40] }) }),
    "does not take 1024",
  ],
  "a dtype not known": [safetensors({ a: u8(0, 1024, { dtype: "F8_E4M3" }) }), 'dtype "F8_E4M3"'],
  "a dtype that is none": [
    safetensors(`{"a":{"dtype":${"[".repeat(1e5)}${"]".repeat(1e5)}}}`),
    "of dtype none",
  ],
  "a name twice": [
    safetensors(`{"a":${JSON.stringify(u8(0, 1024))},"\\u0061":${JSON.stringify(u8(0, 1024))}}`),
    'names "a" twice',
  ],
  "metadata of numbers": [
    safetensors({ __metadata__: { epoch: 3 }, a: u8(0, 1024) }),
    "metadata is not a map",
  ],
}));

/** The first block of an entry of a tar archive. */
function tarHeader(name: string, size: string): (string | Uint8Array)[] {
  const before = new Uint8Array(124 - name.length);
  return [
    name,
    before,
    size,
    new Uint8Array(133 - size.length),
    "ustar\x0000",
    new Uint8Array(247),
  ];
}

testRefusals("loadCheckpoint() refuses what is no checkpoint at all", () => ({
  "empty": [bytes(), "is empty"],
  "a page": [bytes("<!DOCTYPE html><html>"), 'begins with "<!DOCTYPE html><'],
  "the tar form": [bytes("storages", new Uint8Array(249), "ustar\x0000"), "tar form"],
  "a tar whose first entry is of a size below zero": [
    bytes(...tarHeader("a.pth", "-7777777\0"), new Uint8Array(512)),
    'is a tar archive with "a.pth" in it',
  ],
  "a tar whose first entry has a size that is no number": [
    bytes(...tarHeader("a", "\x80123\0"), ...tarHeader("b.pth", " 17 \0")),
    'is a tar archive with "b.pth" in it',
  ],
}));

Deno.test("loadCheckpoint() refuses a missing file and a folder", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const absent = `${folder}/absent.pth`;
    await assertRejects(
      () => loadCheckpoint(absent),
      StudyError,
      `${absent}: there is no such file`,
    );
    await assertRejects(() => loadCheckpoint(folder), StudyError, "it is not a file");
  } finally {
    await Deno.remove(folder);
  }
});

const FUZZED = [
  "nested_model.pth",
  "stream.pth",
  "stream_early.pth",
  "stream_protocol4.pth",
  "tensors.safetensors",
  "zip_protocol5.pth",
];

for (const file of FUZZED) {
  Deno.test(`loadCheckpoint() reads or refuses ${file} however it is damaged`, async () => {
    const golden = await Deno.readFile(FIXTURES + file);
    const path = await Deno.makeTempFile();
    // Every position of the smaller files, every third of the larger.
    const step = golden.length > 3000 ? 3 : 1;
    const masks = [0xff, 0x01, 0x80, 0x20, 0x5a];
    let refused = 0;
    const attempt = async (data: Uint8Array, what: string) => {
      const started = performance.now();
      const taken = await bytesTaken(async () => {
        const message = await refusal(path, data).catch((error) => {
          throw new Error(`${file}, ${what}`, { cause: error });
        });
        if (message !== undefined) refused++;
      });
      assert(taken < 50e6, `${file}, ${what}: takes ${taken} bytes`);
      assert(performance.now() - started < 5000, `${file}, ${what}: takes too long`);
    };
    try {
      for (let at = 0; at < golden.length; at += step) {
        const flipped = golden.slice();
        const mask = masks[at % masks.length]!;
        flipped[at]! ^= mask;
        await attempt(flipped, `byte ${at} xor ${mask}`);
      }
      const flippedRefused = refused;
      assert(flippedRefused > 0, "no flipped byte was noticed");
      let cuts = 0;
      for (let length = 0; length < golden.length; length += 7, cuts++) {
        await attempt(golden.subarray(0, length), `cut to ${length} bytes`);
      }
      assertEquals(refused - flippedRefused, cuts, "a file cut short was read");
    } finally {
      await Deno.remove(path);
    }
  });
}
