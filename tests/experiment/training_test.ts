/** Epochs with checkpoints, on a small classifier and made-up features, and how recipes train. */

import { assert, assertAlmostEquals, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { CHECKPOINT } from "../../experiment/resume.ts";
import type { Run } from "../../experiment/run.ts";
import {
  decidingRecipe,
  testClassifier,
  trainEpochs,
  trainerOptions,
} from "../../experiment/training.ts";
import { WriteError } from "../../io/disk_error.ts";
import { InterruptedError } from "../../io/errors.ts";
import { exists } from "../../io/path_kind.ts";
import { type Reporter, silentReporter } from "../../io/reporter.ts";
import type { StateDict } from "../../models/checkpoint/state_dict.ts";
import type { ResultRow } from "../../report/record/result_row.ts";
import { readEvaluations, readHistory, writeManifest } from "../../report/record/run_folder.ts";
import { RECIPES, type TrainingSettings } from "../../study.ts";
import type { LearningRate } from "../../training/parameter_state.ts";
import {
  classifierOn,
  FeatureBatches,
  rowsInMemory,
} from "../../training/features/feature_batches.ts";
import type { Evaluation } from "../../training/evaluate.ts";
import { type EpochResult, Trainer } from "../../training/trainer.ts";
import type { WeightAverageOptions } from "../../training/weight_average.ts";
import { testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";
import { TINY_FEATURES, type TinyModel, tinyModel } from "../training/tiny_features.ts";

const engine = await testEngine();

const COUNT = 20;

/** Two steps of an epoch, of ten classes. */
function someFeatures(): FeatureBatches {
  const values = Float32Array.from({ length: COUNT * TINY_FEATURES }, (_, i) => i % 7 / 7);
  const labels = Uint8Array.from({ length: COUNT }, (_, i) => i % 10);
  return new FeatureBatches(rowsInMemory(values, TINY_FEATURES), labels);
}

function trainerOf(model: TinyModel, average?: WeightAverageOptions): Trainer<tf.Tensor2D> {
  return new Trainer(engine, classifierOn(model), someFeatures(), {
    ...{ batchSize: 10, adam: { learningRate: 0.001, weightDecay: 0 }, seed: 1 },
    ...(average && { average }),
  });
}

/** What {@linkcode train} does besides. */
interface Besides {
  average?: WeightAverageOptions;
  /** Called after every epoch for an evaluation; may stop the run, which then goes on with it. */
  evaluate?: (state: StateDict, stop: AbortController) => void;
  reporter?: Reporter;
  unit?: string;
  /** The folder of a shorter run whose checkpoint is taken. */
  shorter?: string;
  row?: Partial<ResultRow>;
  /** Is given the epochs. */
  history?: EpochResult[];
}

/** Trains a run in a folder, from its checkpoint if it has one or from that of a shorter run. */
async function train(
  folder: string,
  epochs: number,
  besides: Besides = {},
): Promise<{ lines: string[]; state: StateDict }> {
  const { average, evaluate, reporter = silentReporter, unit = "images", shorter = folder } =
    besides;
  const { row = {}, history = [] } = besides;
  const lines: string[] = [];
  const stop = new AbortController();
  const run = {
    ...{ engine, signal: stop.signal, folder },
    reporter: { ...reporter, line: (text: string) => lines.push(text) },
    ...{ checkpoint: join(shorter, CHECKPOINT), settings: { seed: 1 }, history, row },
    featureSeconds: 1.5,
    keepResources: () => Promise.resolve(),
  } as unknown as Run;
  const model = tinyModel();
  using trainer = trainerOf(model, average);
  const evaluation = {
    every: 1,
    evaluate: async (): Promise<Evaluation> => {
      await Promise.resolve();
      evaluate?.(model.parameters.stateDict(), stop);
      return { loss: 0.5, accuracy: 0.5 } as Evaluation;
    },
  };
  try {
    await trainEpochs(run, model, trainer, { epochs, unit, ...(evaluate && { evaluation }) });
    return { lines, state: model.parameters.stateDict() };
  } finally {
    model.dispose();
  }
}

Deno.test("trainEpochs() writes the line of a last epoch after whose checkpoint it was stopped", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "history.csv");
    await train(folder, 1);
    const earlier = await Deno.readTextFile(path);
    await train(folder, 2);
    const whole = await Deno.readTextFile(path);
    assertEquals(whole.trimEnd().split("\n").length, 4);
    for (const left of [earlier, undefined]) {
      if (left === undefined) await Deno.remove(path);
      else await Deno.writeTextFile(path, left);
      await train(folder, 2);
      assertEquals(await Deno.readTextFile(path), whole);
    }
  }));

Deno.test("trainEpochs() claims no epoch whose checkpoint could not be written", async () => {
  for (const kept of [0, 1]) {
    await withFolder({}, async (folder) => {
      if (kept > 0) await train(folder, kept);
      const history: EpochResult[] = [];
      const checkpoint = join(folder, CHECKPOINT);
      const putInTheWay = () => {
        if (existsSync(checkpoint)) Deno.removeSync(checkpoint, { recursive: true });
        Deno.mkdirSync(join(checkpoint, "not empty"), { recursive: true });
      };
      const reporter: Reporter = { ...silentReporter, terminal: true, live: putInTheWay };
      await assertRejects(() => train(folder, kept + 2, { history, reporter }), WriteError);
      assertEquals(history.map(({ epoch }) => epoch), [1, 2].slice(0, kept));
    });
  }
});

Deno.test("trainEpochs() takes over a shorter run's evaluations with its epochs", () =>
  withFolder({}, async (out) => {
    const [shorter, folder, other, plain] = ["shorter", "longer", "other", "plain"]
      .map((name) => join(out, name));
    for (const run of [shorter!, folder!, other!, plain!]) await Deno.mkdir(run);
    const evaluate = () => {};
    await train(shorter!, 2, { evaluate });
    const taken = await train(folder!, 3, { shorter: shorter!, evaluate });
    assert(taken.lines.every((line) => !line.includes("evaluations")), `${taken.lines}`);
    const evaluated = await readEvaluations(folder!);
    assertEquals(evaluated.map(({ epoch }) => epoch), [1, 2, 3]);
    assertEquals(evaluated.slice(0, 2), await readEvaluations(shorter!));
    // One that was tested on other images does not.
    await writeManifest(shorter!, {
      ...{ run_id: "shorter", started_at: "2026-01-31T12:00:00.000Z", part: 1, model: "SimpleCNN" },
      ...{ settings: { test_images: 500 }, versions: {}, machine: {}, git: null },
    });
    const row = { test_images: 10_000 };
    const { lines } = await train(other!, 3, { shorter: shorter!, evaluate, row });
    assertEquals((await readEvaluations(other!)).map(({ epoch }) => epoch), [3]);
    assertEquals(lines.filter((line) => line.includes("evaluations")), [
      "evaluations.csv begins anew: so far it was of 500 test images, not 10000",
    ]);
    // One without leaves none.
    await Deno.remove(join(shorter!, "evaluations.csv"));
    await train(plain!, 3, { shorter: shorter! });
    assertEquals(await exists(join(plain!, "evaluations.csv")), false);
  }));

Deno.test("trainEpochs() shows the pace of what it trains on", () =>
  withFolder({}, async (folder) => {
    const live: string[] = [];
    const show = (text: string) => void live.push(text);
    const reporter = { ...silentReporter, terminal: true, columns: 120, live: show };
    await train(folder, 1, { reporter, unit: "boxes" });
    assertMatch(live[0]!, / \d+ boxes\/s /);
  }));

Deno.test("trainEpochs() writes the accuracy that it says, in percent, and the seconds", () =>
  withFolder({}, async (folder) => {
    const { lines } = await train(folder, 3);
    const said = lines.flatMap((line) =>
      /^Epoch \d: .* accuracy (\d+)\/20 \(.*%\), time (\d+\.\d\d) s$/.exec(line)?.slice(1) ?? []
    ).map(Number);
    const [features, ...epochs] = await readHistory(folder);
    assertEquals([features!.epoch, features!.time_s], [0, 1.5]);
    assertEquals(
      epochs.flatMap(({ train_accuracy, time_s }) => [train_accuracy, Number(time_s.toFixed(2))]),
      said.map((value, i) => i % 2 === 0 ? 100 * value / COUNT : value),
    );
    assertEquals(epochs.length, 3);
    assert(epochs.some(({ train_accuracy }) => train_accuracy > 0));
  }));

Deno.test("trainEpochs() tests and leaves the running mean, and trains on without it, wherever it is stopped", () =>
  withFolder({}, async (folder) => {
    const average = { decay: 0.5, every: 1 };
    const means: StateDict[] = [];
    const alone = tinyModel();
    const trainer = trainerOf(alone, average);
    for (const epoch of [1, 2, 3]) {
      await trainer.trainEpoch(epoch);
      const { parameters } = alone;
      means.push(
        new Map([...trainer.average!.variables].map(([name, mean]) => [
          name,
          parameters.toState(mean, name),
        ])),
      );
    }
    for (const owner of [trainer, alone]) owner.dispose();

    // In the evaluation of the second epoch, and in the epoch after it.
    const stops: Record<string, (stop: AbortController) => void> = {
      never: () => {},
      evaluating: () => {
        throw new InterruptedError("Interrupted");
      },
      training: (stop) => stop.abort(new InterruptedError("Interrupted")),
    };
    for (const [name, end] of Object.entries(stops)) {
      const out = join(folder, name);
      await Deno.mkdir(out);
      const tested: StateDict[] = [];
      let isStopped = false;
      const evaluate = (state: StateDict, stop: AbortController) => {
        if (tested.length === 1 && !isStopped) {
          isStopped = true;
          end(stop);
        }
        tested.push(state);
      };
      const whole = () => train(out, 3, { average, evaluate });
      if (name !== "never") await assertRejects(whole, InterruptedError);
      const { state } = await whole();
      assertEquals(tested, means, name);
      assertEquals(state, means[2], name);
      assertEquals((await readEvaluations(out)).map(({ epoch }) => epoch), [1, 2, 3], name);
    }
  }));

Deno.test("testClassifier() counts the seconds of the test images' features among each one's milliseconds", () =>
  withFolder({}, async (folder) => {
    const { signal } = new AbortController();
    const run = { engine, reporter: silentReporter, signal, folder } as unknown as Run;
    const model = tinyModel();
    const millisecondsWith = async (featureSeconds: number) => {
      const options = { batchSize: 10, featureSeconds };
      const measured = await testClassifier(run, classifierOn(model), someFeatures(), options);
      return measured.inference_ms_per_image!;
    };
    const [without, slow] = [await millisecondsWith(0), await millisecondsWith(200)];
    // 10 s an image; the classification of all takes a fraction of one.
    assert(without > 0 && without < 5_000, `${without}`);
    assert(slow >= 10_000 && slow < 15_000, `${slow}`);
    model.dispose();
  }));

/** A rate at the first, the highest and the last of so many steps, of which it rises in a fifth. */
function ratesOf(rate: LearningRate, steps: number): number[] {
  assert(typeof rate === "function");
  return [1, steps / 5, steps].map(rate);
}

function assertRates(actual: number[], [first, highest, last]: [number, number, number]): void {
  for (const [i, expected] of [first, highest, last].entries()) {
    assertAlmostEquals(actual[i]!, expected, 1e-9 * highest);
  }
}

Deno.test("trainerOptions() of the published recipe is the study's Adam and nothing else", () => {
  assertEquals(trainerOptions(RECIPES.published.training, { seed: 3, count: 60_000 }), {
    batchSize: 128,
    adam: { learningRate: 0.001, weightDecay: 1e-4 },
    seed: 3,
  });
});

Deno.test("trainerOptions() of our recipes has their rates at the first, highest and last step, and all else", () => {
  const muons = ["conv1.weight", "conv2.weight", "fc2.weight"];
  const cases = [
    { recipe: RECIPES.fast, steps: 100, rate: 0.004, muonRate: 0.03, average: undefined },
    {
      ...{ recipe: RECIPES.accurate, steps: 1300, rate: 0.002, muonRate: 0.015 },
      average: { decay: 0.99, every: 5 },
    },
  ];
  for (const { recipe, steps, rate, muonRate, average } of cases) {
    // A hundred steps an epoch, the last one of a single image.
    const options = trainerOptions(recipe.training, { seed: 3, count: 99 * 128 + 1 });
    const { adam: { learningRate, ...adam }, muon, loss, ...others } = options;
    assertRates(ratesOf(learningRate, steps), [rate / 10, rate, rate / 10 / 1e4]);
    assertEquals(adam, { weightDecay: 0, beta2: 0.99 });
    const { learningRate: muonsRate, ...muonOptions } = muon!;
    assertRates(ratesOf(muonsRate, steps), [muonRate / 10, muonRate, muonRate / 10 / 1e4]);
    assertEquals(muonOptions, { parameters: muons, momentum: 0.9 });
    assertEquals(others, { batchSize: 128, seed: 3, ...(average && { average }) });
    // With 0.05 of the label on all of four classes, each logit but the label's being 0.
    const value = tf.tidy(() => {
      const labels = tf.tensor1d([2], "int32");
      return loss!(tf.tensor2d([[0, 0, 1, 0]]), labels).loss.dataSync()[0]!;
    });
    const logNorm = Math.log(3 + Math.E);
    assertAlmostEquals(value, logNorm - (0.95 + 0.05 / 4), 1e-6);
  }
});

Deno.test("trainerOptions() hands on parameters that stay frozen", () => {
  const frozen = ["conv1.weight"];
  const settings: TrainingSettings = { ...RECIPES.published.training, recipe: { frozen } };
  assertEquals(trainerOptions(settings, { seed: 1, count: 10 }).frozen, frozen);
});

Deno.test("decidingRecipe() names what makes a run another, epochs where schedule or mean end with them", () => {
  const { published, fast, accurate } = RECIPES;
  assertEquals(decidingRecipe(published.training), {});
  for (const { training } of [fast, accurate]) {
    const { epochs, one_cycle, recipe, ...others } = decidingRecipe(training);
    assertEquals([epochs, others], [training.epochs, {}]);
    assertEquals(JSON.parse(`${one_cycle}`), training.oneCycle);
    assertEquals(JSON.parse(`${recipe}`), training.recipe);
  }
  const plain = published.training;
  const { epochs } = plain;
  assertEquals(decidingRecipe({ ...plain, oneCycle: true }), { epochs });
  const recipe = { average: { decay: 0.9, every: 2 } };
  assertEquals(decidingRecipe({ ...plain, recipe }), { epochs, recipe: JSON.stringify(recipe) });
  const smoothed = { labelSmoothing: 0.1 };
  assertEquals(decidingRecipe({ ...plain, recipe: smoothed }), {
    recipe: JSON.stringify(smoothed),
  });
});
