import { assert, assertEquals } from "@std/assert";
import { forecastRun, type NodeRates, type RunSize } from "../../experiment/sweep_forecast.ts";

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
  // As results/reference/bench/avx512/bench.md has them.
  const peaks = { simplecnn: 0.47e9, fasterrcnn: 1.18e9, alexnet: 1.24e9, vgg16: 2.81e9 } as const;
  for (const [model, peak] of Object.entries(peaks)) {
    const { memoryBytes } = run({ model: model as keyof typeof peaks, threads: 2 });
    assert(Math.abs(memoryBytes / peak - 1) < 0.15, `${model}: ${memoryBytes}`);
  }
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
  // 256 KiB of each image's boxes, which no other run has.
  assertEquals([tested.featureBytes, trained.featureBytes], [0, 20 * 262_144]);
  assert(trained.writtenBytes - trained.featureBytes > 0 && trained.readBytes > 0);
});
