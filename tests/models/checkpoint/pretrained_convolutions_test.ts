/** Convolutions out of a package of an index on this machine. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { CacheError } from "../../../io/cache.ts";
import { StudyError, UsageError } from "../../../io/errors.ts";
import { sha256Hex } from "../../../io/sha256.ts";
import { weightsKind } from "../../../io/weights_label.ts";
import { featuresSha256 } from "../../../models/checkpoint/features_sha256.ts";
import {
  ALEXNET_WEIGHTS,
  FASTER_RCNN_WEIGHTS,
  obtainWeights,
  type PinnedWeights,
  VGG16_WEIGHTS,
} from "../../../models/checkpoint/pretrained.ts";
import {
  ALEXNET_CONVOLUTIONS,
  type PinnedConvolutions,
} from "../../../models/checkpoint/pretrained_convolutions.ts";
import { loadCheckpoint, openCheckpoint } from "../../../models/checkpoint/open_checkpoint.ts";
import { saveCheckpoint } from "../../../models/checkpoint/safetensors.ts";
import type { StateDict, StateTensor } from "../../../models/checkpoint/state_dict.ts";
import { recordingReporter, withFolder } from "../../data/idx_samples.ts";
import { DEAD } from "../../data/local_mirror.ts";
import { tarGzOf } from "../../engine/library/fake_library.ts";
import { hasPip, withPackageIndex } from "../../io/package_index.ts";

const FIXTURES = `${import.meta.dirname}/../../fixtures/checkpoints/`;
const MEMBER = "made_up-1.2.3/made_up/weights/net.ckpt";
const ARCHIVE = new Uint8Array(
  await tarGzOf({
    "made_up-1.2.3/setup.py": new TextEncoder().encode("raise SystemExit('I was run')"),
    [MEMBER]: await Deno.readFile(`${FIXTURES}numpy_protocol3.pickle`),
    "made_up-1.2.3/made_up/weights/other.ckpt": new Uint8Array(1 << 20),
  }),
);

/** Converted as it should be. */
const PINNED: PinnedConvolutions = {
  label: "made-up-1.2.3/net",
  file: "made-up-1.2.3-net.safetensors",
  bytes: 860,
  sha256: "30d136a30fab988533ab97b33cfafe7d35be2fac2f74b965acaebeadae6f6061",
  featuresSha256: "bddb50814e9bd9b0d7630968c72d9f77c2f7f1e6050e2cf60970d60a2848d3cc",
  archive: {
    project: "made-up",
    file: "made_up-1.2.3.tar.gz",
    bytes: ARCHIVE.length,
    sha256: sha256Hex(ARCHIVE),
  },
  member: MEMBER,
  network: "Net_0",
  layers: ["features.0", "features.3"],
};

const source: PinnedWeights = {
  file: "net-01234567.pth",
  urls: [`${DEAD}net-01234567.pth`],
  sha256Prefix: "01234567",
  convolutions: PINNED,
};

const ignore = !await hasPip();

/** What {@linkcode obtainWeights} takes, and where it keeps what it fetches. */
interface Setting {
  options: Omit<Parameters<typeof obtainWeights>[0], "weights">;
  reporter: ReturnType<typeof recordingReporter>;
  folder: string;
  asked: string[];
}

/** Runs `action` with an index that has the archive. */
function withIndex(action: (setting: Setting) => Promise<void>, content = ARCHIVE) {
  return withPackageIndex({ ...PINNED.archive, content }, (asked) =>
    withFolder((cache) => {
      const reporter = recordingReporter();
      const options = { source: { ...source }, strict: false, reporter, cache };
      return action({ options, reporter, folder: join(cache, "weights"), asked });
    }));
}

const filesIn = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== ".lock");

Deno.test({
  name: "obtainWeights() converts convolutions once, under torchvision's names and layout",
  ignore,
  fn: () =>
    withIndex(async ({ options, reporter, folder, asked }) => {
      const path = join(folder, PINNED.file);
      const expected = {
        label: "torchvision-convolutions:made-up-1.2.3/net",
        sha256: PINNED.sha256,
        path,
      };
      for (let time = 0; time < 2; time++) {
        assertEquals(await obtainWeights({ ...options, weights: "convolutions" }), expected);
      }
      assertEquals(asked, ["simple/made-up/", `files/${PINNED.archive.file}`]);
      assertEquals([filesIn(folder), reporter.warnings], [[PINNED.file], []]);
      const state = await loadCheckpoint(path);
      assertEquals([...state].map(([name, { shape }]) => [name, shape]), [
        ["features.0.bias", [4]],
        ["features.0.weight", [4, 2, 3, 3]],
        ["features.3.bias", [3]],
        ["features.3.weight", [3, 4, 2, 2]],
      ]);
      const { data } = state.get("features.0.weight")!;
      const at = (out: number, input: number, row: number, column: number) =>
        data[((out * 2 + input) * 3 + row) * 3 + column];
      assertEquals([at(3, 1, 2, 0), at(0, 0, 1, 2), at(1, 0, 0, 0)], [3120, 12, 1000]);
      using checkpoint = await openCheckpoint(path);
      assertEquals(await featuresSha256(checkpoint), PINNED.featuresSha256);
    }),
});

Deno.test({
  name: "obtainWeights() converts once for two runs at once, and again what is damaged",
  ignore,
  fn: () =>
    withIndex(async ({ options, reporter, folder, asked }) => {
      const take = () => obtainWeights({ ...options, weights: "convolutions" });
      const [first, second] = await Promise.all([take(), take()]);
      assertEquals([first, asked.length], [second, 2]);
      const bytes = await Deno.readFile(first!.path!);
      await Deno.writeFile(first!.path!, bytes.with(-1, 1));
      await take();
      assertEquals(await Deno.readFile(first!.path!), bytes);
      assertEquals([reporter.warnings.length, asked.length], [1, 4]);
      assertStringIncludes(reporter.warnings[0]!, `${first!.path} is damaged (SHA-256`);
      assertEquals(filesIn(folder), [PINNED.file]);
    }),
});

Deno.test({
  name: "obtainWeights() goes on with what a killed run left",
  ignore,
  fn: () =>
    withIndex(async ({ options, folder, asked }) => {
      const unpacked = join(folder, `${PINNED.archive.file}.unpacked`);
      await Deno.mkdir(unpacked, { recursive: true });
      await Deno.writeTextFile(join(unpacked, "net.ckpt"), "half");
      await Deno.writeFile(join(folder, PINNED.archive.file), ARCHIVE);
      await Deno.writeTextFile(join(folder, `${PINNED.archive.file}.part`), "half");
      await obtainWeights({ ...options, weights: "convolutions" });
      assertEquals(asked, []);
      await Deno.remove(join(folder, `${PINNED.archive.file}.part`));
      assertEquals(filesIn(folder), [PINNED.file]);
    }),
});

Deno.test({
  name: "obtainWeights() with pretrained takes convolutions before random weights, and says so",
  ignore,
  fn: () =>
    withIndex(async ({ options, reporter }) => {
      const { label } = await obtainWeights({ ...options, weights: "pretrained" });
      assertEquals(weightsKind(label), "convolutions");
      assertEquals(reporter.warnings.length, 1);
      for (const part of ["NEW CLASSIFIER", source.file, PINNED.label, DEAD, "--weights PATH"]) {
        assertStringIncludes(reporter.warnings[0]!, part);
      }
      const strict = { ...options, weights: "pretrained", strict: true };
      const { message } = await assertRejects(() => obtainWeights(strict), StudyError);
      assertStringIncludes(message, "--strict allows no substitute");
      // Asked for by name they are no substitute.
      const named = await obtainWeights({ ...options, weights: "convolutions", strict: true });
      assertEquals(named.label, label);
    }),
});

Deno.test({
  name: "obtainWeights() takes no random weights where the cache does not take the convolutions",
  ignore,
  fn: () =>
    withIndex(async ({ options, reporter, folder }) => {
      await Deno.mkdir(join(folder, `${PINNED.archive.file}.part`), { recursive: true });
      const obtain = () => obtainWeights({ ...options, weights: "pretrained" });
      const { message } = await assertRejects(obtain, CacheError, "Cannot keep weights");
      assertStringIncludes(message, "MNIST_STUDY_CACHE");
      assertEquals(reporter.warnings, []);
    }),
});

Deno.test({
  name: "obtainWeights() opens no archive that is not the pinned one",
  ignore,
  fn: () =>
    withIndex(async ({ options, reporter, folder }) => {
      const named = () => obtainWeights({ ...options, weights: "convolutions" });
      const { message } = await assertRejects(named, StudyError);
      for (const part of [PINNED.archive.file, "another file came", PINNED.archive.sha256]) {
        assertStringIncludes(message, part);
      }
      assertEquals(filesIn(folder), []);
      const { label } = await obtainWeights({ ...options, weights: "pretrained" });
      assertEquals(label, "random");
      for (const part of ["RANDOM WEIGHTS", source.file, PINNED.archive.file]) {
        assertStringIncludes(reporter.warnings.at(-1)!, part);
      }
    }, ARCHIVE.with(-1, 255)),
});

Deno.test("obtainWeights() knows convolutions by their values, whatever file they come in", () =>
  withFolder(async (folder) => {
    const tensor = (length: number) => ({
      dtype: "float32" as const,
      shape: [length],
      data: Float32Array.from({ length }, (_, index) => index / 3),
    });
    const features = new Map([["features.0.weight", tensor(6)], ["features.0.bias", tensor(2)]]);
    const alone = join(folder, "mine.safetensors");
    await saveCheckpoint(alone, features);
    using checkpoint = await openCheckpoint(alone);
    const known = await featuresSha256(checkpoint);
    const labelOf = async (path: string, featuresSha256: string) => {
      const convolutions = { ...PINNED, featuresSha256 };
      const options = { strict: true, reporter: recordingReporter(), cache: folder };
      const pinned = { ...source, convolutions };
      return (await obtainWeights({ ...options, weights: path, source: pinned })).label;
    };
    const whole = join(folder, "whole.safetensors");
    await saveCheckpoint(whole, new Map([["classifier.1.bias", tensor(3)], ...features]));
    assertEquals(await labelOf(alone, known), "torchvision-convolutions:mine.safetensors");
    assertEquals(await labelOf(alone, "other"), "file:mine.safetensors");
    assertEquals(
      await labelOf(whole, known),
      "file:whole.safetensors (torchvision convolutions)",
    );
    assertEquals(await labelOf(whole, "other"), "file:whole.safetensors");
    for (const change of ["module.features.", "features.module."]) {
      const wrapped = join(folder, "wrapped.safetensors");
      const named = [...features].map(([name, tensor]) =>
        [name.replace("features.", change), tensor] as const
      );
      await saveCheckpoint(wrapped, new Map(named));
      assertEquals(
        await labelOf(wrapped, known),
        "torchvision-convolutions:wrapped.safetensors",
      );
    }
  }));

Deno.test("featuresSha256() is that of names, shapes and float32 values alone", async () => {
  const sum = (tensors: StateDict) =>
    featuresSha256({
      names: () => [...tensors.keys()],
      read: (name) => Promise.resolve(tensors.get(name)!),
    });
  const weight: StateTensor = { dtype: "float32", shape: [2, 1], data: Float32Array.of(1, 2) };
  const bias: StateTensor = { dtype: "float64", shape: [1], data: Float64Array.of(0.5) };
  const expected = sha256Hex(
    new TextEncoder().encode("features.0.bias 1\n"),
    new Uint8Array(Float32Array.of(0.5).buffer),
    new TextEncoder().encode("features.0.weight 2 1\n"),
    new Uint8Array(Float32Array.of(1, 2).buffer),
  );
  const state = (more: Record<string, StateTensor>): StateDict =>
    new Map(
      Object.entries({ "features.0.weight": weight, "features.0.bias": bias, ...more }),
    );
  assertEquals(await sum(state({})), expected);
  assertEquals(await sum(state({ "classifier.1.bias": bias })), expected);
  assertEquals(await sum(new Map([...state({})].reverse())), expected);
  assertEquals(await sum(state({ "features.1.bias": bias })) === expected, false);
  assertEquals(await sum(new Map()), "");
});

Deno.test("convolutions are offered of VGG16 and AlexNet, and asked of no other", async () => {
  for (const { convolutions } of [VGG16_WEIGHTS, ALEXNET_WEIGHTS]) {
    assertEquals(convolutions?.archive, ALEXNET_CONVOLUTIONS.archive);
  }
  const options = { weights: "convolutions", strict: false, reporter: recordingReporter() };
  const { message } = await assertRejects(
    () => obtainWeights({ ...options, source: FASTER_RCNN_WEIGHTS }),
    UsageError,
  );
  assertStringIncludes(message, "--weights convolutions");
});
