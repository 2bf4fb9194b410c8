/** What TensorBoard is shown of a run, on steps that are made up; files are those of the engine. */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "node:path";
import type { ImageSet } from "../../data/dataset.ts";
import { IMAGE_PIXELS } from "../../data/idx.ts";
import type { Engine } from "../../engine/engine.ts";
import { misreadDigits } from "../../experiment/misread_digits.ts";
import {
  MISREAD_TAG,
  openRunEvents,
  requireSummaries,
  type RunEvents,
} from "../../experiment/tensorboard.ts";
import { StudyError } from "../../io/errors.ts";
import { type Reporter, silentReporter } from "../../io/reporter.ts";
import type { BatchOutcome } from "../../training/trainer.ts";
import { testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";
import { noReader, readEvents } from "./read_events.ts";

const engine = await testEngine();

const ignore = noReader !== undefined;
const SKIPPED = ignore ? ` (skipped: ${noReader})` : "";

/** Three images, each of one grey value: a 3, a 5 and a 3. */
const test: ImageSet = {
  images: new Uint8Array(3 * IMAGE_PIXELS).map((_, i) => 50 * (1 + Math.floor(i / IMAGE_PIXELS))),
  labels: Uint8Array.of(3, 5, 3),
  count: 3,
};

const BATCHES = 4;

/** A learning rate that tells its step. */
const optimizer = { learningRate: (step: number) => step / 1024 } as never;

function open(folder: string, epochs: number): Promise<RunEvents> {
  const earlier = Array.from({ length: epochs });
  return openRunEvents({ folder, engine, reporter: silentReporter, dataset: { test }, earlier });
}

/** Adds an epoch, or as many of its batches; losses are read back with the first and last batch. */
async function train(events: RunEvents, epoch: number, batches = BATCHES): Promise<void> {
  const lossOf = (step: number): BatchOutcome => [1 / step, 1];
  for (let batch = 0; batch < batches; batch++) {
    const step = (epoch - 1) * BATCHES + batch + 1;
    const isRead = batch === 0 || batch === BATCHES - 1;
    const read = batch === 0 ? [lossOf(step)] : [step - 2, step - 1, step].map(lossOf);
    const outcomes = isRead ? read : [];
    const progress = { epoch, batch, batches: BATCHES, seen: 8 * batch, total: 30, loss: 1 };
    events.batch({ ...progress, seconds: batch + 1, outcomes }, { step, optimizer });
  }
  if (batches < BATCHES) return;
  await events.epoch({ epoch, loss: 0.5 / epoch, correct: 15, seen: 30, seconds: 4 });
}

Deno.test("openSummaries() leaves no tensor behind, and names a folder that is not there", async () => {
  const open = requireSummaries(engine);
  await withFolder({}, async (folder) => {
    const before = engine.binding.getNumOfTensors();
    const writer = await open(folder);
    writer.scalar("a", 1, 0.5);
    writer.image("b", 1, { width: 2, height: 1, pixels: Uint8Array.of(0, 255) });
    writer[Symbol.dispose]();
    writer[Symbol.dispose]();
    assertThrows(() => writer.flush(), Error, "the summary writer is closed");
    const file = join(folder, [...Deno.readDirSync(folder)][0]!.name);
    await assertRejects(() => open(file), Error, "Not a directory");
    assertEquals(engine.binding.getNumOfTensors(), before);
  });
});

Deno.test({
  ignore,
  name: `RunEvents that go on after a kill are read as those of one go${SKIPPED}`,
  fn: () =>
    withFolder({}, async (folder) => {
      const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
      for (const path of [whole, killed]) await Deno.mkdir(path);
      {
        using events = await open(whole, 0);
        for (const epoch of [1, 2, 3]) await train(events, epoch);
      }
      {
        using events = await open(killed, 0);
        await train(events, 1);
        await train(events, 2, 1);
      }
      {
        // This one is killed between its events and its checkpoint.
        using events = await open(killed, 1);
        events.begin(BATCHES, "images");
        await train(events, 2);
      }
      {
        using events = await open(killed, 1);
        events.begin(BATCHES, "images");
        for (const epoch of [2, 3]) await train(events, epoch);
      }
      const [one, other] = [await readEvents(whole), await readEvents(killed)];
      assertEquals(other, one);
      const steps = Array.from({ length: 3 * BATCHES }, (_, i) => i + 1);
      assertEquals(one.scalars["train/loss"]!.map(([step]) => step), steps);
      for (const [step, loss] of one.scalars["train/loss"]!) {
        assertAlmostEquals(loss, 1 / step, 1e-7);
      }
      assertEquals(one.scalars["train/learning_rate"], steps.map((step) => [step, step / 1024]));
      // Of thirty images in four seconds, those of the first batch are part of the pace.
      assertEquals(one.scalars["train/images_per_second"], [[4, 7.5], [8, 7.5], [12, 7.5]]);
      assertEquals(one.scalars["train/accuracy"], [[4, 50], [8, 50], [12, 50]]);
      assertEquals(one.scalars["train/epoch_loss"]!.map(([step]) => step), [4, 8, 12]);
    }),
});

Deno.test({
  ignore,
  name: `RunEvents have evaluations, the result once, and a picture of what was misread${SKIPPED}`,
  fn: () =>
    withFolder({}, async (folder) => {
      {
        using events = await open(folder, 0);
        await train(events, 1);
        await events.evaluation(1, { loss: 0.25, accuracy: 0.5 });
      }
      {
        // The evaluation is not made again after a checkpoint.
        using events = await open(folder, 1);
        events.begin(BATCHES, "images");
        await train(events, 2);
        await events.evaluation(2, { loss: 0.125, accuracy: 0.75 });
        const answers = { predictions: [8, 5, 8], scores: [0.5, 1, 0.75] };
        events.result({ loss: 0.125, accuracy: 0.75, f1: 0.5 }, answers);
      }
      const { scalars, images } = await readEvents(folder);
      assertEquals(scalars["test/loss"], [[4, 0.25], [8, 0.125]]);
      assertEquals(scalars["test/accuracy"], [[4, 50], [8, 75]]);
      assertEquals(scalars["test/f1"], [[8, 0.5]]);
      assertEquals(
        Object.entries(images).map(([tag, [image]]) => [tag, image!.step, image!.width]),
        [[`${MISREAD_TAG}/image`, 8, 291]],
      );
    }),
});

Deno.test({
  ignore,
  name: `RunEvents of a detector stay over two interruptions${SKIPPED}`,
  fn: () =>
    withFolder({}, async (folder) => {
      for (const images of [1, 2, 3]) {
        using events = await open(folder, 0);
        const predictions = [3, 9, 3].slice(0, images);
        await events.detection(0, { predictions, milliseconds: predictions.map(() => 250) });
        // Of a run killed before its row this is made again.
        events.result({ accuracy: 1, f1: 1 }, { predictions: [3, 5, 3], scores: [1, 1, 1] });
      }
      const { scalars, images } = await readEvents(folder);
      assertEquals(scalars["detection/images_per_second"], [[1, 4], [2, 4], [3, 4]]);
      const accuracies = scalars["detection/accuracy_of_all"]!.map(([, value]) =>
        Math.round(value)
      );
      assertEquals(accuracies, [100, 50, 67]);
      assertEquals([scalars["test/accuracy"], scalars["test/loss"]], [[[0, 100]], undefined]);
      assertEquals(images, {});
    }),
});

Deno.test("RunEvents take back what follows the checkpoint, and leave files they do not know", () =>
  withFolder({ "events.out.tfevents.1.other.v2": "of another program" }, async (folder) => {
    const sizes = () =>
      [...Deno.readDirSync(folder)].filter(({ name }) => name.includes(".tfevents."))
        .map(({ name }) => Deno.statSync(join(folder, name)).size).sort((a, b) => a - b);
    {
      using events = await open(folder, 0);
      await train(events, 1);
    }
    const [other, size, ...more] = sizes();
    assertEquals([other, more.length], [18, 0]);
    {
      using events = await open(folder, 1);
      await train(events, 2, 1);
    }
    const [, early, whole, ...rest] = sizes();
    assertEquals([whole, rest.length], [size, 0]);
    assert(early! < size!);
    (await open(folder, 1))[Symbol.dispose]();
    const [, empty, emptied] = sizes();
    assertEquals(empty, emptied);
    assertEquals(sizes().slice(2), [empty, size]);
    // Nothing is known of the files any more: all of them stay.
    await Deno.writeTextFile(join(folder, "events.json"), "[{");
    (await open(folder, 0))[Symbol.dispose]();
    assertEquals(sizes(), [18, empty, empty, empty, size]);
  }));

Deno.test("RunEvents are in a file that is read after those before it, though the clock is behind", async () => {
  const seconds = Math.floor(Date.now() / 1000) + 5000;
  const before = `events.out.tfevents.${seconds}.other.v2`;
  await withFolder({ [before]: "of a machine whose clock is ahead" }, async (folder) => {
    const files = () => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    using events = await open(folder, 0);
    await train(events, 1);
    const [marks, first, ours, ...more] = files();
    assertEquals([marks, first, more], ["events.json", before, []]);
    assertStringIncludes(ours!, `.tfevents.${seconds + 1}.`);
    const kept = JSON.parse(await Deno.readTextFile(join(folder, "events.json")));
    const { size: bytes } = await Deno.stat(join(folder, ours!));
    assertEquals(kept.at(-1), { epochs: 1, file: ours, bytes });
    assert(bytes > kept[0].bytes, `${kept[0].bytes} bytes at first, and then ${bytes}`);
  });
});

Deno.test("RunEvents that the disk does not take are missed once, and the run goes on", () =>
  withFolder({}, async (folder) => {
    const warnings: string[] = [];
    const reporter: Reporter = { ...silentReporter, warn: (text) => void warnings.push(text) };
    const full = () => {
      throw new Error("No space left on device");
    };
    const openSummaries = async () => {
      await Deno.writeTextFile(join(folder, "events.out.tfevents.1.v2"), "");
      return { scalar: full, image: full, flush() {}, [Symbol.dispose]: full };
    };
    const failing = { ...engine, backend: "tensorflow", openSummaries } as Engine;
    const run = { folder, engine: failing, reporter, dataset: { test }, earlier: [] };
    using events = await openRunEvents(run);
    await train(events, 1);
    await events.evaluation(1, { loss: 1, accuracy: 1 });
    assertEquals(warnings, [
      "From here on there are no events for TensorBoard (No space left on device): the run goes on " +
      "without them",
    ]);
  }));

Deno.test("requireSummaries() tells in one line of a backend without them", () => {
  const other = { backend: "wasm" } as unknown as Engine;
  assertThrows(
    () => requireSummaries(other),
    StudyError,
    "--tensorboard needs the tensorflow backend, whose library writes the events, and this is " +
      "wasm: add --backend tensorflow, or leave --tensorboard out",
  );
});

Deno.test("misreadDigits() shows of each confusion the surest, at its row and column", () => {
  const { width, height, pixels } = misreadDigits(test, {
    predictions: [8, 5, 8],
    scores: [0.5, 1, 0.75],
  })!;
  assertEquals([width, height, pixels.length], [291, 291, 291 * 291]);
  const at = (row: number, column: number) => pixels[(1 + 29 * row) * width + 1 + 29 * column];
  assertEquals([at(3, 8), at(3, 5), at(5, 8), pixels[0]], [150, 0, 0, 96]);
  const counted = new Map<number, number>();
  for (const grey of pixels) counted.set(grey, (counted.get(grey) ?? 0) + 1);
  assertEquals(counted.get(150), IMAGE_PIXELS);
  const right = { predictions: [3, -1, 3], scores: [1, NaN, 1] };
  assertEquals(misreadDigits(test, right), undefined);
});
