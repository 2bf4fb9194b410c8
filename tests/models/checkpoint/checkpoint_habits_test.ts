/** What people's checkpoints hold beside a state dict, and how they come packed. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { StudyError } from "../../../io/errors.ts";
import { loadCheckpoint, openCheckpoint } from "../../../models/checkpoint/open_checkpoint.ts";
import { withFolder } from "../../report/result_rows.ts";
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

const VALUES = new Uint8Array(Float32Array.from({ length: 256 }, (_, i) => i).buffer);

const floats = (offset: number, size: readonly number[]) =>
  tensor(storage("FloatStorage", "0", 256), {
    offset,
    size,
    stride: size.map((_, d) => size.slice(d + 1).reduce((a, b) => a * b, 1)),
  });

/** A state dict of two tensors; `offset` tells one from another. */
const weights = (offset = 0) =>
  dict(text("w"), floats(offset, [2, 3]), text("b"), floats(offset + 6, [2]));

const none = bytes("N");
const global = (module: string, name: string) => bytes(`c${module}\n${name}\n`);
const call = (fn: Uint8Array, ...args: Uint8Array[]) => bytes(fn, tuple(...args), "R");
const latin1 = (value: string) => call(global("_codecs", "encode"), text(value), text("latin1"));

function packed(body: Uint8Array, change: Partial<ZipEntry> = {}): Uint8Array {
  return zip(archive(pickled(body), { "0": VALUES }).map((entry) => ({ ...entry, ...change })));
}

async function withFile(
  data: Uint8Array,
  action: (path: string) => Promise<void>,
  name = "weights.pth",
): Promise<void> {
  await withFolder({}, async (folder) => {
    const path = join(folder, name);
    await Deno.writeFile(path, data);
    await action(path);
  });
}

/** Loads a file and returns its values, by name. */
async function valuesOf(path: string): Promise<Record<string, number[]>> {
  const sd = await loadCheckpoint(path);
  return Object.fromEntries([...sd].map(([name, { data }]) => [name, Array.from(data, Number)]));
}

const FIRST = { w: [0, 1, 2, 3, 4, 5], b: [6, 7] };

/** What `torch.save` writes of values that training scripts keep, opcode by opcode. */
const NOTES: Record<string, Uint8Array> = {
  "a Namespace": bytes(
    global("argparse", "Namespace"),
    bytes(")", 0x81),
    dict(text("lr"), whole(1), text("w"), floats(9, [2, 2])),
    "b",
  ),
  "np.float64": call(
    global("numpy._core.multiarray", "scalar"),
    bytes(
      call(global("numpy", "dtype"), text("f8"), bytes(0x89), bytes(0x88)),
      tuple(whole(3), text("<"), none, none, none, whole(-1), whole(-1), whole(0)),
      "b",
    ),
    latin1("\x00\x00\x00\x00\x00\x00\x08@"),
  ),
  "a Path": call(global("pathlib", "PosixPath"), text("/"), text("x")),
  "a set of protocol 2": call(global("__builtin__", "set"), bytes("](", whole(1), whole(2), "e")),
  "a set of protocol 4": bytes(0x8f, "(", whole(1), whole(2), 0x90),
  "a frozenset": bytes("(", whole(1), 0x91),
  "torch.device": call(global("torch", "device"), text("cuda"), whole(0)),
  "torch.dtype": global("torch", "float32"),
  "datetime": call(global("datetime", "datetime"), latin1("\x07\xea\x0b")),
  "bytes": bytes("C", 3, "abc"),
  "bytes of protocol 4": bytes(0x8e, little(3, 8), "abc"),
  "a bytearray": bytes(0x96, little(3, 8), "abc"),
  "a defaultdict": bytes(
    call(global("collections", "defaultdict"), global("builtins", "list")),
    "(",
    text("loss"),
    bytes("](", whole(1), "e"),
    "u",
  ),
  "a list class": bytes(global("x", "History"), ")", 0x81, "(", whole(1), "e"),
  "an object with keywords": bytes(global("x", "Config"), ")", "}", 0x92),
  "what a call's result is called with": call(call(global("functools", "partial"), none), none),
  "os.system": call(global("os", "system"), text("touch /tmp/owned")),
};

Deno.test("loadCheckpoint() passes over what a state dict stands beside, and calls nothing", async (t) => {
  for (const [what, note] of Object.entries(NOTES)) {
    await t.step(what, () =>
      withFile(
        packed(dict(text("note"), note, text("state_dict"), weights(), text("epoch"), whole(3))),
        async (path) => assertEquals(await valuesOf(path), FIRST),
      ));
  }
});

const adam = dict(
  text("state"),
  dict(whole(0), dict(text("step"), floats(0, []), text("exp_avg"), floats(20, [2, 3]))),
  text("param_groups"),
  bytes("](", dict(text("lr"), whole(1)), "e"),
);
const moments = dict(text("exp_avg"), weights(20), text("exp_avg_sq"), weights(30));

const TAKEN: Record<string, Uint8Array> = {
  "model_state_dict": dict(text("model_state_dict"), weights(), text("optimizer"), adam),
  "net": dict(text("net"), weights(), text("acc"), whole(90), text("epoch"), whole(3)),
  "an optimiser under another name": dict(text("adam"), adam, text("net"), weights()),
  "moments by name": dict(text("optimizer_state"), moments, text("net"), weights()),
  "a number noted as a tensor": dict(text("best_acc1"), floats(9, [1]), text("net"), weights()),
  "numbers noted as tensors": dict(
    text("metrics"),
    dict(text("acc"), floats(9, []), text("loss"), floats(10, [1])),
    text("weights"),
    weights(),
  ),
  "a dict within a dict": dict(text("checkpoint"), dict(text("net"), weights(), text("n"), none)),
  "one dict under two names": dict(text("a"), bytes(weights(), "q", 9), text("b"), bytes("h", 9)),
  "state_dict beside another": dict(text("ema"), weights(20), text("state_dict"), weights()),
  "model beside another": dict(text("model_ema"), weights(20), text("model"), weights()),
  "a tensor with attributes": dict(
    text("w"),
    call(
      global("torch._tensor", "_rebuild_from_type_v2"),
      global("torch._utils", "_rebuild_tensor_v2"),
      global("torch", "Tensor"),
      tuple(
        storage("FloatStorage", "0", 256),
        whole(0),
        tuple(whole(2), whole(3)),
        tuple(whole(3), whole(1)),
        bytes(0x89),
        bytes("}"),
      ),
      bytes("}"),
    ),
    text("b"),
    floats(6, [2]),
  ),
};

Deno.test("loadCheckpoint() takes the one dict of tensors that is no optimiser's", async (t) => {
  for (const [what, body] of Object.entries(TAKEN)) {
    await t.step(
      what,
      () => withFile(packed(body), async (path) => assertEquals(await valuesOf(path), FIRST)),
    );
  }
});

const REFUSED: Record<string, [Uint8Array, ...string[]]> = {
  "several dicts": [
    dict(text("generator"), weights(), text("discriminator"), weights(20)),
    'several dicts of tensors: "generator", "discriminator"; save the one that is wanted alone',
  ],
  "several under one": [
    dict(text("model"), dict(text("encoder"), weights(), text("decoder"), weights(20))),
    '"model.encoder", "model.decoder"',
  ],
  "an optimiser alone": [dict(text("optimizer"), adam), 'a dict under "optimizer", not a tensor'],
  "a pickled model": [
    bytes(global("torchvision.models.alexnet", "AlexNet"), ")", 0x81, dict(text("w"), none), "b"),
    'asks for "torchvision.models.alexnet.AlexNet"',
    "(nothing was run); save it again with torch.save(model.state_dict(), path)",
  ],
  "a pickled model in a dict": [
    dict(text("model"), bytes(global("x", "Net"), ")", 0x81)),
    'has a "x.Net" under "model", not a tensor',
  ],
  "float8": [
    dict(
      text("w"),
      call(
        global("torch._utils", "_rebuild_tensor_v3"),
        bytes(
          tuple(
            text("storage"),
            global("torch.storage", "UntypedStorage"),
            text("0"),
            text("cpu"),
            whole(1024),
          ),
          "Q",
        ),
        whole(0),
        tuple(whole(3)),
        tuple(whole(1)),
        bytes(0x89),
        bytes("}"),
        global("torch", "float8_e4m3fn"),
      ),
    ),
    'a tensor of dtype "torch.float8_e4m3fn"; save it again as float32',
  ],
  ...Object.fromEntries(
    ([
      ["ComplexFloatStorage", "float"],
      ["cuda.ComplexDoubleStorage", "float"],
      ["QInt8Storage", "dequantize"],
      ["QUInt4x2Storage", "dequantize"],
    ] as const).map(([type, method]) => [
      type,
      [
        dict(text("w"), tensor(storage(type, "0", 4), { size: [4], stride: [1] })),
        `its data.pkl uses "torch.${type}" as a storage's type; save it again as float32: ` +
        `{name: tensor.${method}() for name, tensor in state_dict.items()}`,
      ],
    ]),
  ),
  "a storage of no type of PyTorch's": [
    dict(text("w"), tensor(storage("x.y.FloatStorage", "0", 4), { size: [4], stride: [1] })),
    `uses "torch.x.y.FloatStorage" as a storage's type; the file is damaged`,
  ],
  "a tensor with attributes within each other": [
    bytes(
      "ctorch._tensor\n_rebuild_from_type_v2\nq\x00NNN\x87",
      "q\x01h\x00Nh\x01\x87".repeat(100_000),
      "q\x01h\x00h\x01R",
    ),
    "a tensor with attributes in a form that is not known",
  ],
  "a quantised tensor": [
    dict(text("w"), call(global("torch._utils", "_rebuild_qtensor"), none)),
    'a "torch._utils._rebuild_qtensor" under "w", not a tensor',
  ],
  "a name that turns text around": [
    dict(text("\u202ehtp.w"), whole(1)),
    'under "?htp.w"',
  ],
};

/** Holds a file to one line that has all of `words`. */
async function assertRefused(path: string, ...words: string[]): Promise<void> {
  const { message } = await assertRejects(() => loadCheckpoint(path), StudyError);
  for (const part of words) assertStringIncludes(message, part);
  assert(!message.includes("\n") && message.length < 700, message);
}

Deno.test("loadCheckpoint() says which dicts there are, or what is in their place", async (t) => {
  for (const [what, [body, ...words]] of Object.entries(REFUSED)) {
    await t.step(what, () => withFile(packed(body), (path) => assertRefused(path, ...words)));
  }
});

Deno.test("openCheckpoint() says where the tensors were and what else the file holds", () => {
  const body = dict(
    text("epoch"),
    whole(3),
    text("checkpoint"),
    dict(text("net"), weights()),
    text("args"),
    NOTES["a Namespace"]!,
  );
  return withFile(packed(body), async (path) => {
    using checkpoint = await openCheckpoint(path);
    assertEquals(checkpoint.structure, {
      path: ["checkpoint", "net"],
      beside: ['"epoch" (number)', '"args" ("argparse.Namespace")'],
      foreign: ["argparse.Namespace"],
    });
  });
});

Deno.test("loadCheckpoint() reads deflated entries, in whatever order", () => {
  const at = (key: string, offset: number) =>
    tensor(storage("FloatStorage", key, 256), { offset, size: [2], stride: [1] });
  const names = Array.from({ length: 12 }, (_, i) => i);
  const body = dict(...names.flatMap((i) => [text(`${i}`), at(`${i % 2}`, 2 * i)]));
  const entries = archive(pickled(body), { "0": VALUES, "1": VALUES })
    .map((entry) => ({ ...entry, deflate: true, crc: true } as const));
  return withFile(zip(entries), async (path) => {
    const expected = names.map((i): [string, number[]] => [`${i}`, [2 * i, 2 * i + 1]]);
    assertEquals(await valuesOf(path), Object.fromEntries(expected));
  });
});

Deno.test("loadCheckpoint() reads deflated entries larger than the file, under zip64 too", async () => {
  const zeros = { "0": new Uint8Array(4000) };
  const body = dict(
    text("w"),
    tensor(storage("FloatStorage", "0", 1000), {
      ...{ size: [1000], stride: [1] },
    }),
  );
  for (const zip64 of [false, true]) {
    const entries = archive(pickled(body), zeros)
      .map((entry) => ({ ...entry, zip64, deflate: true, crc: true } as const));
    const data = zip(entries);
    assert(data.length < 1000, `${data.length}`);
    await withFile(data, async (path) => {
      assertEquals(await valuesOf(path), { w: Array<number>(1000).fill(0) });
    });
  }
});

Deno.test("loadCheckpoint() reads an archive without a folder within", () => {
  const entries = archive(pickled(weights()), { "0": VALUES })
    .map(({ name, data }) => ({ name: name.slice(2), data }));
  return withFile(zip(entries), async (path) => assertEquals(await valuesOf(path), FIRST));
});

Deno.test("loadCheckpoint() compares the checksum of every entry that has one", async (t) => {
  for (const deflate of [false, true]) {
    const kind = deflate ? "deflated" : "stored";
    await t.step(`${kind}, right`, () =>
      withFile(
        packed(weights(), { deflate, crc: true }),
        async (path) => assertEquals(await valuesOf(path), FIRST),
      ));
    await t.step(`${kind}, wrong`, () =>
      withFile(
        packed(weights(), { deflate, crc: 0x1234 }),
        (path) => assertRefused(path, '"a/data.pkl" has the CRC-32', "should have 00001234"),
      ));
  }
  await t.step("a flipped bit of a weight", async () => {
    const data = packed(weights(), { crc: true });
    const at = bytes(...data).findIndex((_, i) =>
      data.subarray(i, i + 8).toHex() === "0000803f00000040"
    );
    data[at]! ^= 1;
    await withFile(data, (path) => assertRefused(path, '"a/data/0" has the CRC-32'));
  });
  await t.step(
    "none at all",
    () => withFile(packed(weights()), async (path) => assertEquals(await valuesOf(path), FIRST)),
  );
});

Deno.test("loadCheckpoint() refuses deflated entries that are bombs", async () => {
  const huge = { name: "a/data/1", data: new Uint8Array(40 << 20), deflate: true };
  const entries = [...archive(pickled(weights()), { "0": VALUES }), huge];
  await withFile(zip(entries), (path) => assertRefused(path, "is compressed from 41943040 bytes"));
  const lying = packed(weights(), { deflate: true, size: 100 });
  await withFile(lying, (path) => assertRefused(path, "is compressed"));
  for (const [size, word] of [[2 ** 52, "is compressed"], [2 ** 60, "outside"]] as const) {
    const boasting = packed(weights(), { deflate: true, zip64: true, size });
    await withFile(boasting, (path) => assertRefused(path, word));
  }
});

function tar(name: string, data: Uint8Array): Uint8Array {
  const header = bytes(name, new Uint8Array(124 - name.length), data.length.toString(8), "\0");
  const block = (part: Uint8Array) => bytes(part, new Uint8Array((512 - part.length % 512) % 512));
  return bytes(
    block(bytes(header, new Uint8Array(257 - header.length), "ustar\x0000")),
    block(data),
    new Uint8Array(1024),
  );
}

const PACKAGES: Record<string, [Uint8Array, ...string[]]> = {
  "gzip": [bytes(gzipSync(packed(weights()))), "it is compressed with gzip; unpack it with gunzip"],
  "a tar of a .pth": [
    tar("models/alexnet.pth", packed(weights())),
    'it is a tar archive with "models/alexnet.pth" in it; unpack it',
  ],
  "PyTorch's tar form": [tar("sys_info", bytes("x")), "tar form of the first PyTorch"],
  "a tar of other things": [tar("readme", bytes("x")), "it is a tar archive; unpack it"],
  "a zip of a .pth": [
    zip([{ name: "x/alexnet.pth", data: VALUES }]),
    'it is a zip file with "x/alexnet.pth" in it; unpack it',
  ],
  "torch.export": [zip([{ name: "m/archive_format", data: bytes("pt2") }]), "torch.export"],
  "TorchScript": [
    zip([...archive(pickled(weights())), { name: "a/constants.pkl", data: pickled("N") }]),
    "TorchScript archive",
    "torch.save(torch.jit.load(path).state_dict(), other_path)",
  ],
  "Git LFS": [bytes("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"],
};

Deno.test("loadCheckpoint() names what a file is instead and what to do", async (t) => {
  for (const [what, [data, ...words]] of Object.entries(PACKAGES)) {
    await t.step(what, () => withFile(data, (path) => assertRefused(path, ...words)));
  }
});

Deno.test("loadCheckpoint() knows an unpacked archive, and a folder with a checkpoint in it", () =>
  withFolder({}, async (folder) => {
    const unpacked = join(folder, "up", "net");
    await Deno.mkdir(unpacked, { recursive: true });
    await Deno.writeFile(join(unpacked, "data.pkl"), pickled(weights()));
    for (const path of [unpacked, join(folder, "up")]) {
      await assertRefused(path, "not a file but the unpacked folder of a .pth", "zip -0 -r", "net");
    }
    const beside = join(folder, "beside");
    await Deno.mkdir(beside);
    await assertRefused(beside, "it is not a file but a folder: give the .pth");
    await Deno.writeFile(join(beside, "a.pth"), VALUES);
    await assertRefused(beside, 'give the file in it, such as "a.pth"');
  }));

function safetensors(header: unknown): Uint8Array {
  const json = bytes(JSON.stringify(header));
  return bytes(little(json.length, 8), json, VALUES);
}

Deno.test("loadCheckpoint() reads safetensors whose metadata is null, and names float8", async () => {
  const w = { dtype: "F32", shape: [256], data_offsets: [0, 1024] };
  await withFile(safetensors({ __metadata__: null, w }), async (path) => {
    using checkpoint = await openCheckpoint(path);
    assertEquals([checkpoint.names(), checkpoint.metadata], [["w"], {}]);
  });
  const float8 = { dtype: "F8_E5M2", shape: [1024], data_offsets: [0, 1024] };
  await withFile(
    safetensors({ w: float8 }),
    (path) => assertRefused(path, 'dtype "F8_E5M2"; save it again in one of', "tensor.float()"),
  );
});
