/** The cache of frozen features, on a small model and real digits. */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "node:path";
import type { ImageSet } from "../../data/dataset.ts";
import { loadMnist } from "../data/mnist.ts";
import { ImageBatches, normalizeMnist } from "../../data/image_batches.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { freeSpace } from "../../io/free_space.ts";
import { tryLock } from "../../io/lock.ts";
import { type Reporter, silentReporter } from "../../io/reporter.ts";
import { bfloat16Problem } from "../../engine/tensorflow/bfloat16_support.ts";
import { readProgress, restoreTraining, saveTraining } from "../../training/checkpoint.ts";
import { evaluate } from "../../training/evaluate.ts";
import {
  classifierOn,
  FeatureBatches,
  rowsInMemory,
} from "../../training/features/feature_batches.ts";
import {
  FeatureCache,
  type FeatureIdentity,
  SHARD_ROWS,
} from "../../training/features/feature_cache.ts";
import {
  EXTRACTION_BATCH,
  FeatureExtractor,
  type FeatureSource,
} from "../../training/features/feature_extractor.ts";
import { featureStoreError, requireRoom } from "../../training/features/feature_room.ts";
import { Trainer } from "../../training/trainer.ts";
import { tensorflowBackend, testEngine } from "../engine/engine.ts";
import { withoutPermissions } from "../io/replaced_call.ts";
import { withFolder } from "../report/result_rows.ts";
import { TINY_FEATURES, type TinyModel, tinyModel } from "./tiny_features.ts";

const engine = await testEngine();
const mnist = await loadMnist();
const model = tinyModel();

/** More than one file's worth. */
const COUNT = SHARD_ROWS + 88;

function first({ images, labels }: ImageSet, count: number): ImageSet {
  return { images: images.slice(0, count * 784), labels: labels.slice(0, count), count };
}

function digits(count: number): ImageBatches {
  return new ImageBatches(first(mnist.train, count), normalizeMnist);
}

const IDENTITY: FeatureIdentity = { model: "tiny", weights: "random, seed 1", part: "train" };

function cacheIn(folder: string, count = COUNT, identity = IDENTITY): FeatureCache {
  return new FeatureCache({
    identity,
    title: "the digits",
    count,
    columns: TINY_FEATURES,
    cache: folder,
  });
}

/** A reporter that keeps what it is told. */
function listener(onLine: (text: string) => void = () => {}) {
  const lines: string[] = [];
  const warnings: string[] = [];
  const reporter: Reporter = {
    ...silentReporter,
    line(text) {
      lines.push(text);
      onLine(text);
    },
    warn: (text) => void warnings.push(text),
  };
  return { lines, warnings, reporter };
}

/** Surveys and fills; returns the images that were computed, and the reporter's lines. */
async function complete(cache: FeatureCache, listening = listener()) {
  const { reporter, warnings } = listening;
  await cache.survey({ reporter });
  const computed = cache.missingRows;
  using images = digits(COUNT);
  using extractor = new FeatureExtractor(engine, model, images);
  await cache.fill(extractor, { reporter });
  return { computed, warnings };
}

function rows(start: number, end: number): Int32Array {
  return Int32Array.from({ length: end - start }, (_, i) => start + i);
}

/** The files of the features, without the lock. */
function filesOf({ folder }: FeatureCache): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== ".lock")
    .sort();
}

Deno.test("FeatureCache holds what the model computes, in files of 512 images", () =>
  withFolder({}, async (folder) => {
    using cache = cacheIn(folder);
    assertEquals((await complete(cache)).computed, COUNT);
    assertEquals(filesOf(cache), ["00000.features", "00001.features"]);
    assertEquals([cache.missingRows, cache.missingBytes], [0, 0]);
    assert(cache.seconds > 0);

    using images = digits(COUNT);
    const expected = engine.tf.tidy(() => {
      const compiled = engine.compile((...tensors) => model.features(images.batch(tensors).inputs));
      const values = compiled(...images.tensors(rows(0, COUNT))).dataSync<"float32">();
      compiled.dispose();
      return values;
    });
    const found = cache.read(rows(0, COUNT));
    assertEquals(found.length, expected.length);
    // Convolutions in batches of another size may round differently: values of some 3.
    const worst = found.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0);
    assert(worst < 1e-5, `${worst}`);
    // Any rows in any order, across files.
    const some = Int32Array.of(COUNT - 1, 3, SHARD_ROWS, SHARD_ROWS - 1, 3);
    for (const [i, index] of some.entries()) {
      assertEquals(
        cache.read(some).subarray(i * TINY_FEATURES, (i + 1) * TINY_FEATURES),
        found.subarray(index * TINY_FEATURES, (index + 1) * TINY_FEATURES),
      );
    }
  }));

Deno.test("FeatureCache serves fewer images as it is, and more with the same bits for the old", () =>
  withFolder({}, async (folder) => {
    using few = cacheIn(folder, 50);
    assertEquals((await complete(few)).computed, 50);
    const bits = few.read(rows(0, 50));
    using all = cacheIn(folder);
    assertEquals((await complete(all)).computed, COUNT);
    assertEquals(all.read(rows(0, 50)), bits);
    using fewer = cacheIn(folder, 20);
    assertEquals((await complete(fewer)).computed, 0);
    assertEquals(fewer.read(rows(0, 20)), bits.subarray(0, 20 * TINY_FEATURES));
    // Its share of the time that the file took.
    using whole = cacheIn(folder, SHARD_ROWS);
    await whole.survey({ reporter: silentReporter });
    assert(Math.abs(fewer.seconds - whole.seconds * 20 / SHARD_ROWS) < 1e-9);
  }));

/** A cache of single features, in files of two groups. */
function groupedIn(folder: string, count: number, group: number): FeatureCache {
  return new FeatureCache({
    ...{ identity: IDENTITY, title: "the digits", count, columns: 1, cache: folder },
    ...{ group, shardRows: 2 * group },
  });
}

Deno.test("FeatureCache of a set that ends within a group computes that group by itself", () =>
  withFolder({}, async (folder) => {
    const group = 4;
    const extracted: [first: number, rows: number][] = [];
    // Each row says with how many others it was computed.
    const source: FeatureSource = {
      group,
      extract(first, rows) {
        extracted.push([first, rows]);
        return Promise.resolve(new Float32Array(rows).fill(rows));
      },
    };
    const reporter = silentReporter;
    const valuesOf = async (count: number) => {
      using cache = groupedIn(folder, count, group);
      await cache.survey({ reporter });
      await cache.fill(source, { reporter });
      return [...cache.read(rows(0, count))];
    };
    assertEquals(await valuesOf(16), Array(16).fill(4));
    extracted.length = 0;
    // Between two groups, and between two files.
    for (const count of [12, 8]) assertEquals(await valuesOf(count), Array(count).fill(4));
    assertEquals(extracted, []);
    assertEquals(await valuesOf(14), [...Array(12).fill(4), 2, 2]);
    assertEquals(extracted, [[12, 2]]);
    // The larger set's file is as it was.
    assertEquals(await valuesOf(16), Array(16).fill(4));
    assertEquals(extracted, [[12, 2]]);
  }));

Deno.test("FeatureCache that has nothing to write waits for no other, and takes no room", () =>
  withFolder({}, async (folder) => {
    const group = 4;
    const source: FeatureSource = {
      group,
      extract: (_first, count) => Promise.resolve(new Float32Array(count).fill(count)),
    };
    using whole = groupedIn(folder, 16, group);
    await whole.fill(source, { reporter: silentReporter });
    const before = filesOf(whole);
    using _held = await tryLock(join(whole.folder, ".lock"));
    using cache = groupedIn(folder, 14, group);
    const controller = new AbortController();
    const { reporter } = listener((text) => text.endsWith(": waiting") && controller.abort());
    const work = { reporter, signal: controller.signal };
    await cache.survey(work);
    assertEquals([cache.missingRows, cache.missingBytes], [6, 0]);
    await cache.fill(source, work);
    assertEquals([...cache.read(rows(8, 14))], [4, 4, 4, 4, 2, 2]);
    assertEquals(filesOf(whole), before);
  }));

Deno.test("FeatureCache computes a missing, damaged or truncated file again, and only that", () =>
  withFolder({}, async (folder) => {
    using cache = cacheIn(folder);
    await complete(cache);
    const bits = cache.read(rows(0, COUNT));
    const path = join(cache.folder, "00000.features");
    const whole = await Deno.readFile(path);
    const flipped = (at: number) => {
      const bytes = whole.slice();
      bytes[at]! ^= 1;
      return bytes;
    };
    const seconds = new TextDecoder().decode(whole.subarray(0, 512)).indexOf('"seconds":') + 11;
    const damages: [string, Uint8Array | undefined][] = [
      ["a feature", flipped(512 + 4 * 1000)],
      ["the last byte", flipped(whole.length - 1)],
      ["the recorded time", flipped(seconds)],
      ["the header's first byte", flipped(0)],
      ["an end that is missing", whole.subarray(0, whole.length - 1)],
      ["a file shorter than a header", whole.subarray(0, 100)],
      ["nothing in it", new Uint8Array()],
      ["bytes too many", new Uint8Array([...whole, 0])],
      ["another file's content", await Deno.readFile(join(cache.folder, "00001.features"))],
      ["no file", undefined],
    ];
    for (const [what, content] of damages) {
      if (content === undefined) await Deno.remove(path);
      else await Deno.writeFile(path, content);
      using again = cacheIn(folder);
      const { computed, warnings } = await complete(again);
      assertEquals(computed, SHARD_ROWS, what);
      assertEquals(warnings.length, content === undefined ? 0 : 1, what);
      assert(warnings.every((text) => text.includes(`${path} is damaged`)));
      assertEquals(again.read(rows(0, COUNT)), bits, what);
    }
  }));

Deno.test("FeatureCache keeps finished files when interrupted and goes on with the next", () =>
  withFolder({}, async (folder) => {
    using cache = cacheIn(folder);
    const controller = new AbortController();
    const { reporter } = listener(() => controller.abort());
    using images = digits(COUNT);
    using extractor = new FeatureExtractor(engine, model, images);
    const work = { reporter, signal: controller.signal };
    await cache.survey(work);
    await assertRejects(() => cache.fill(extractor, work), InterruptedError);
    assertEquals(filesOf(cache), ["00000.features"]);
    // As a killed process leaves it.
    await Deno.writeTextFile(join(cache.folder, "00001.features.7-12345678.tmp"), "half");
    using next = cacheIn(folder);
    assertEquals((await complete(next)).computed, COUNT - SHARD_ROWS);
    assertEquals(filesOf(next), ["00000.features", "00001.features"]);
  }));

Deno.test("FeatureCache keeps the batches of a file that was interrupted, and completes it", () =>
  withFolder({}, async (folder) => {
    using whole = cacheIn(join(folder, "whole"));
    await complete(whole);
    using images = digits(COUNT);
    using inner = new FeatureExtractor(engine, model, images);
    const firsts: number[] = [];
    const controller = new AbortController();
    const extractor: Pick<FeatureExtractor, "extract"> = {
      extract(first, count, options) {
        firsts.push(first);
        if (first === 3 * EXTRACTION_BATCH) controller.abort();
        return inner.extract(first, count, options);
      },
    };
    using cache = cacheIn(join(folder, "cut"));
    const { reporter, warnings } = listener();
    const work = { reporter, signal: controller.signal };
    await assertRejects(() => cache.fill(extractor, work), InterruptedError);
    assertEquals(filesOf(cache), ["00000.features"]);

    using next = cacheIn(join(folder, "cut"));
    await next.survey({ reporter });
    firsts.length = 0;
    await next.fill(extractor, { reporter });
    assertEquals([firsts[0], firsts.at(-1)], [
      3 * EXTRACTION_BATCH,
      COUNT - COUNT % EXTRACTION_BATCH,
    ]);
    assertEquals(next.read(rows(0, COUNT)), whole.read(rows(0, COUNT)));
    assertEquals(warnings, []);
  }));

Deno.test("FeatureCache is filled once by two at a time", () =>
  withFolder({}, async (folder) => {
    using images = digits(COUNT);
    using inner = new FeatureExtractor(engine, model, images);
    let extracted = 0;
    const extractor = {
      columns: TINY_FEATURES,
      extract(first: number, count: number) {
        extracted += count;
        return inner.extract(first, count);
      },
    } as unknown as FeatureExtractor;
    using one = cacheIn(folder);
    using other = cacheIn(folder);
    for (const cache of [one, other]) await cache.survey({ reporter: silentReporter });
    const { lines, reporter } = listener();
    await Promise.all([one, other].map((cache) => cache.fill(extractor, { reporter })));
    assertEquals(extracted, COUNT);
    assertEquals(one.read(rows(0, COUNT)), other.read(rows(0, COUNT)));
    assert(lines.some((line) => line.startsWith("Another run computes features")), `${lines}`);
  }));

Deno.test("FeatureCache waits for another process only until it is aborted", () =>
  withFolder({}, async (folder) => {
    using cache = cacheIn(folder);
    using held = await tryLock(join(cache.folder, ".lock"));
    const released = setTimeout(() => held![Symbol.dispose](), 3000);
    const controller = new AbortController();
    const { lines, reporter } = listener(() => controller.abort(new InterruptedError("Stop")));
    const extractor = { extract: () => Promise.reject(new Error("the other is at it")) };
    const work = { reporter, signal: controller.signal };
    await assertRejects(() => cache.fill(extractor, work), InterruptedError, "Stop");
    clearTimeout(released);
    assertEquals(lines, ["Another run computes features of the digits: waiting"]);
  }));

Deno.test("FeatureCache has a folder for each identity", () => {
  const identities: FeatureIdentity[] = [
    IDENTITY,
    ...["model", "weights", "part"].map((name) => ({ ...IDENTITY, [name]: "another" })),
    { ...IDENTITY, precision: "bfloat16" },
  ];
  const folders = identities.map((identity) => cacheIn("/nowhere", 10, identity).folder);
  assertEquals(new Set(folders).size, identities.length);
  const reordered = Object.fromEntries(Object.entries(IDENTITY).reverse()) as FeatureIdentity;
  assertEquals(cacheIn("/nowhere", 99, reordered).folder, folders[0]);
});

Deno.test("FeatureCache does not take another cache's file for its own", () =>
  withFolder({}, async (folder) => {
    using cache = cacheIn(folder, 10);
    await complete(cache);
    using other = cacheIn(folder, 10, { ...IDENTITY, weights: "another" });
    await Deno.mkdir(other.folder);
    const name = "00000.features";
    await Deno.copyFile(join(cache.folder, name), join(other.folder, name));
    assertEquals((await complete(other)).computed, 10);
  }));

Deno.test("FeatureCache says in one line that it cannot write, or that files were removed", () =>
  withFolder({ file: "" }, async (folder) => {
    using blocked = cacheIn(join(folder, "file"), 10);
    const { message } = await assertRejects(() => complete(blocked), StudyError);
    assertStringIncludes(message, "--no-feature-cache");
    using cache = cacheIn(folder, 10);
    await complete(cache);
    await Deno.remove(join(cache.folder, "00000.features"));
    assertThrows(() => cache.read(rows(0, 1)), StudyError, "removed while they were used");
  }));

Deno.test("requireRoom() says what is needed and refuses more than the disk has", () =>
  withFolder({}, async (folder) => {
    const nested = join(folder, "not", "there", "yet");
    const free = await freeSpace(nested);
    assert(free !== undefined && free > 0);
    // Where Deno would have to ask, it is not known.
    await withoutPermissions(async () => assertEquals(await freeSpace(nested), undefined));
    const { lines, reporter } = listener();
    await requireRoom(0, nested, { reporter });
    assertEquals(lines, []);
    await requireRoom(1000, nested, { reporter });
    assertStringIncludes(lines[0]!, "Features will take 1.0 kB of the ");
    const refused = () => requireRoom(1e18, nested, { reporter });
    const { message } = await assertRejects(refused, StudyError, "Not enough room");
    for (const remedy of ["MNIST_STUDY_CACHE", "--limit", "--no-feature-cache"]) {
      assertStringIncludes(message, remedy);
    }
    const without = { fewer: "use fewer images" };
    await assertRejects(
      () => requireRoom(1e18, nested, { reporter, without }),
      StudyError,
      "name a folder on another disk in MNIST_STUDY_CACHE, or use fewer images",
    );
  }));

Deno.test("FeatureExtractor gives an image the same bits wherever a computation begins or ends", async () => {
  using images = digits(100);
  using extractor = new FeatureExtractor(engine, model, images);
  const all = await extractor.extract(0, 100);
  const at = 3 * EXTRACTION_BATCH;
  const values = all.subarray(at * TINY_FEATURES, (at + 5) * TINY_FEATURES);
  assertEquals(await extractor.extract(at, 5), values);
  using fewer = digits(at + 5);
  using other = new FeatureExtractor(engine, model, fewer);
  assertEquals(await other.extract(at, 5), values);
  await assertRejects(() => extractor.extract(1, 5), RangeError, "multiple of 16");
});

const OPTIONS = { batchSize: 32, adam: { learningRate: 0.001, weightDecay: 1e-4 }, seed: 3 };

function valuesOf({ parameters }: TinyModel): Map<string, Float32Array> {
  return new Map(
    [...parameters.stateDict()].map(([name, { data }]) => [name, data as Float32Array]),
  );
}

function largestDifference(
  a: ReadonlyMap<string, Float32Array>,
  b: ReadonlyMap<string, Float32Array>,
): number {
  return Math.max(...[...a].map(([name, values]) => {
    const others = b.get(name)!;
    return values.reduce((max, value, i) => Math.max(max, Math.abs(value - others[i]!)), 0);
  }));
}

Deno.test("training on cached features gives the parameters of training from pixels", () =>
  withFolder({}, async (folder) => {
    const count = 300;
    using cache = cacheIn(folder, count);
    await complete(cache);
    using images = digits(count);
    const features = new FeatureBatches(cache, images.labels);
    const [pixelModel, featureModel] = [tinyModel(), tinyModel()];
    const start = valuesOf(pixelModel);
    const frozen = pixelModel.frozen.stateDict();
    const fromPixels = new Trainer(engine, pixelModel, images, OPTIONS);
    const fromFeatures = new Trainer(engine, classifierOn(featureModel), features, OPTIONS);
    for (const epoch of [1, 2, 3]) {
      const [one, other] = [
        await fromPixels.trainEpoch(epoch),
        await fromFeatures.trainEpoch(epoch),
      ];
      assert(Math.abs(one.loss - other.loss) < 1e-4, `${one.loss} and ${other.loss}`);
    }
    // 30 steps of up to 0.001 each; features differ by roundings of 1e-7.
    const moved = largestDifference(start, valuesOf(pixelModel));
    const apart = largestDifference(valuesOf(pixelModel), valuesOf(featureModel));
    assert(moved > 0.005, `moved by ${moved} only`);
    assert(apart < 1e-5, `${apart} apart after moving by ${moved}`);
    assertEquals(pixelModel.frozen.stateDict(), frozen);

    const one = await evaluate(engine, pixelModel, images, { ...OPTIONS, chunk: 32 });
    const other = await evaluate(engine, classifierOn(featureModel), features, OPTIONS);
    assertEquals(one.predictions, other.predictions);
    assert(Math.abs(one.loss - other.loss) < 1e-4);
    assert(one.accuracy > 0.4, `${one.accuracy}`);
    const owners = [fromPixels, fromFeatures, pixelModel, featureModel];
    for (const owner of owners) owner.dispose();
  }));

const noBfloat16 = bfloat16Problem("CPU");

Deno.test({
  name: "a classifier on features is trained in float32, whatever the engine's number format",
  ignore: noBfloat16 !== undefined,
  fn: async () => {
    const backend = tensorflowBackend();
    using images = digits(100);
    using extractor = new FeatureExtractor(engine, model, images);
    const values = await extractor.extract(0, 100);
    const data = new FeatureBatches(rowsInMemory(values, TINY_FEATURES), images.labels);
    const train = async (precision: typeof backend.precision, own: "float32" | "the engine's") => {
      const trained = tinyModel();
      const half = classifierOn(trained);
      const model = own === "float32" ? half : { ...half, precision: undefined };
      backend.precision = precision;
      try {
        using trainer = new Trainer(engine, model, data, OPTIONS);
        const { loss } = await trainer.trainEpoch(1);
        const { scores } = await evaluate(engine, model, data, OPTIONS);
        return { loss, scores, values: valuesOf(trained) };
      } finally {
        backend.precision = "float32";
        trained.dispose();
      }
    };
    const exact = await train("float32", "float32");
    assertEquals(await train("bfloat16", "float32"), exact);
    assertNotEquals((await train("bfloat16", "the engine's")).scores, exact.scores);
  },
});

Deno.test("saveTraining() keeps what is trained alone, and restoreTraining() goes on to the bit", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    using images = digits(100);
    using extractor = new FeatureExtractor(engine, model, images);
    const values = await extractor.extract(0, 100);
    const data = new FeatureBatches(rowsInMemory(values, TINY_FEATURES), images.labels);
    const [whole, resumed] = [tinyModel(), tinyModel(9)];
    const trainer = new Trainer(engine, classifierOn(whole), data, OPTIONS);
    const history = [await trainer.trainEpoch(1)];
    await saveTraining(path, whole, trainer, { settings: { seed: 3 }, history });
    await trainer.trainEpoch(2);

    assertEquals((await readProgress(path)).step, 4);
    const second = new Trainer(engine, classifierOn(resumed), data, OPTIONS);
    const restored = await restoreTraining(path, resumed, second);
    assertEquals(restored.history, history);
    await second.trainEpoch(2);
    assertEquals(valuesOf(resumed), valuesOf(whole));
    assertNotEquals(resumed.frozen.stateDict(), whole.frozen.stateDict());

    const moments = new Trainer(engine, { ...whole, parameters: whole.frozen }, images, OPTIONS);
    const error = await assertRejects(
      () => restoreTraining(path, { parameters: whole.frozen }, moments),
      StudyError,
    );
    assertStringIncludes(error.message, "missing (features.0.weight");
    for (const owner of [trainer, second, moments, whole, resumed]) owner.dispose();
  }));

Deno.test("featureStoreError() advises to free space on a full disk alone", () => {
  const again = "or compute features again in every epoch with --no-feature-cache";
  const full = new Error("No space left on device (os error 28): write '/cache/a'");
  assertEquals(
    featureStoreError("/cache", full).message,
    "Cannot keep features in /cache (no space left on device): free space there, name a folder on " +
      "another disk in MNIST_STUDY_CACHE, use fewer images with --limit and --test-limit, " + again,
  );
  const readOnly = new Error("Read-only file system (os error 30): mkdir '/cache/a'");
  assertEquals(
    featureStoreError("/cache", readOnly).message,
    "Cannot keep features in /cache (read-only file system): make the folder writable, or choose " +
      `another one with MNIST_STUDY_CACHE, ${again}`,
  );
  assertEquals(
    featureStoreError("/cache", readOnly, { fewer: "use fewer images" }).message,
    "Cannot keep features in /cache (read-only file system): make the folder writable, or choose " +
      "another one with MNIST_STUDY_CACHE",
  );
});
