import { assert, assertEquals } from "@std/assert";
import { basename, dirname, join } from "node:path";
import { forecastRun, type NodeRates, type RunSize } from "../../experiment/sweep_forecast.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { REFERENCE_RESULTS } from "../../report/record/reference_results.ts";
import { readManifest } from "../../report/record/run_folder.ts";
import { ALEXNET, FASTER_RCNN_ADAPTED, RECIPES, VGG16 } from "../../study.ts";
import { filesIn } from "../scripts/files_in.ts";

const RATES: NodeRates = {
  cores: 2,
  startSeconds: 1,
  trainImages: 60_000,
  testImages: 10_000,
  trainingImagesPerSecond: 1000,
  convolutionFlopPerSecond: 1e11,
  secondsPerParameter: 1e-9,
};

const run = (size: RunSize) => forecastRun(size, RATES);

Deno.test("forecastRun() takes epochs, recipe and size for part 1, and its time by the cores", () => {
  const published = run({ model: "simplecnn", threads: 2, limit: 3000, testLimit: 300 });
  assertEquals(published.seconds, 1 + 30 + 0.1);
  const fast = run({ model: "simplecnn", threads: 2, limit: 3000, testLimit: 300, recipe: "fast" });
  assertEquals(fast.seconds, 1 + 3 + 0.1);
  const alone = run({ model: "simplecnn", threads: 1, limit: 3000, testLimit: 300 });
  assertEquals(alone.seconds, 1 + 2 * (30 + 0.1));
  const size: RunSize = { model: "simplecnn", threads: 16, limit: 3000, testLimit: 300 };
  assertEquals(forecastRun(size, { ...RATES, cores: null }).seconds, 1 + 30 + 0.1);
});

Deno.test("forecastRun() has what measured runs took of memory and disk", () => {
  const simple = run({ model: "simplecnn", threads: 2 });
  // Three numbers of four bytes for each of 3,199,106 parameters.
  assertEquals(simple.checkpointBytes, 38_389_272);
  // Of the accurate recipe one more, its mean, and of the 62,000 that Muon updates one moment less.
  const accurate = run({ model: "simplecnn", threads: 2, recipe: "accurate" });
  assertEquals(accurate.checkpointBytes, 50_937_696);
  assertEquals(accurate.diskBytes, accurate.keptBytes + 2 * 50_937_696);
  assert(Math.abs(simple.keptBytes / 181_000 - 1) < 0.1, `${simple.keptBytes}`);
});

/** What the runs of a model in the results are called in a sweep. */
const KINDS: Readonly<Record<string, Pick<RunSize, "model" | "recipe">>> = {
  [RECIPES.published.name]: { model: "simplecnn" },
  [RECIPES.fast.name]: { model: "simplecnn", recipe: "fast" },
  [RECIPES.accurate.name]: { model: "simplecnn", recipe: "accurate" },
  [FASTER_RCNN_ADAPTED.name]: { model: "fasterrcnn" },
  [VGG16.name]: { model: "vgg16" },
  [ALEXNET.name]: { model: "alexnet" },
};

/** What a job has besides the run: Snakemake and `deno task`. */
const OTHER_PROCESSES = 0.25e9;

Deno.test("forecastRun() has a sweep ask for the memory of every committed run, and not for twice that", async () => {
  const rules = await Deno.readTextFile(join(repositoryRoot(), "workflow/rules/common.smk"));
  const margin = Number(/^MEMORY_MARGIN = (\S+)$/m.exec(rules)![1]);
  const peaks = new Map<string, { most: number; memoryBytes: number }>();
  for (const path of filesIn(join(repositoryRoot(), REFERENCE_RESULTS))) {
    if (basename(path) !== "manifest.json") continue;
    const { model, settings, machine, measured } = await readManifest(dirname(path));
    const resources = measured!.resources as { peak_memory_bytes: number };
    const { backend = "tensorflow" } = settings as { backend?: "tensorflow" | "webgpu" | "wasm" };
    const size: RunSize = {
      ...{ ...KINDS[model]!, backend, threads: 2 },
      device: machine.device === "CPU" ? "cpu" : "gpu",
    };
    const { memoryBytes } = run(size);
    const peak = resources.peak_memory_bytes;
    assert(margin * memoryBytes > peak + OTHER_PROCESSES, `${path}: ${memoryBytes}, took ${peak}`);
    const kind = `${model} ${backend} ${size.device}`;
    peaks.set(kind, { most: Math.max(peak, peaks.get(kind)?.most ?? 0), memoryBytes });
  }
  assert(peaks.size > 5);
  for (const [kind, { most, memoryBytes }] of peaks) {
    assert(margin * memoryBytes < 2 * most, `${kind}: ${memoryBytes}, took ${most} at most`);
  }
});

Deno.test("forecastRun() has more memory for large batches and for the features of a head", () => {
  const bytes = (size: Omit<RunSize, "threads">) => run({ threads: 2, ...size }).memoryBytes;
  const usual = bytes({ model: "simplecnn" });
  assertEquals(bytes({ model: "simplecnn", batchSize: 32 }), usual);
  assertEquals(bytes({ model: "simplecnn", batchSize: 128 }), usual);
  assert(bytes({ model: "simplecnn", batchSize: 1024 }) > usual + 0.3e9);
  // No step has more images than there are.
  const few = bytes({ model: "simplecnn", batchSize: 1024, limit: 128 });
  assertEquals(few, usual);
  const untrained = bytes({ model: "fasterrcnn" });
  const head = bytes({ model: "fasterrcnn", trainHead: true, limit: 2500 });
  assert(Math.abs(head - untrained - 2500 * 2 ** 19) < 1e6);
});

Deno.test("forecastRun() counts features where a run computes them, and reads them where not", () => {
  const size: RunSize = { model: "vgg16", threads: 2, epochs: 1, limit: 320, testLimit: 100 };
  const [with_, without] = [run({ ...size, features: true }), run(size)];
  const images = 420;
  assertEquals(with_.featureBytes, images * 100_352);
  assertEquals([without.featureBytes, without.readBytes], [0, images * 100_352]);
  assert(Math.abs(with_.seconds - without.seconds - images * 2 * 15.47e9 / 1e11) < 1e-6);
});

Deno.test("forecastRun() of the detector counts the images of its head only where that is trained", () => {
  const tested = run({ model: "fasterrcnn", threads: 2, testLimit: 10, limit: 1000 });
  const trained = run({
    model: "fasterrcnn",
    threads: 2,
    testLimit: 10,
    limit: 20,
    trainHead: true,
  });
  assert(Math.abs(tested.seconds - (1 + 10 * 2.6876)) < 1e-9);
  assert(Math.abs(trained.seconds - (1 + 30 * 2.6876)) < 1e-9);
  // 256 KiB of each image's boxes.
  assertEquals([tested.featureBytes, trained.featureBytes], [0, 20 * 262_144]);
  assert(trained.writtenBytes - trained.featureBytes > 0 && trained.readBytes > 0);
});
