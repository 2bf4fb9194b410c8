/** Runs of the study's models and their comparison, for the tests of `report/`. */

import { join } from "node:path";
import type { Comparison } from "../../report/analysis/comparison.ts";
import { compareResults } from "../../report/compare.ts";
import { renderReport } from "../../report/page/report_page.ts";
import { type Answered, recordRun, withFolder } from "./result_rows.ts";

export const IMAGES = 1000;

/** Answers that are right but for one in `n`, which is the next digit. */
export function wrongOneIn(n: number): Answered["answer"] {
  return (target, index) => index % n === 0 ? (target + 1) % 10 : target;
}

export const simple: Answered = { images: IMAGES, answer: wrongOneIn(100) };
export const vgg16: Answered = {
  images: IMAGES,
  answer: wrongOneIn(50),
  row: {
    run_id: "run-4",
    part: 4,
    model: "vgg16_FineTuned",
    epochs: 8,
    batch_size: 32,
    learning_rate: 0.0005,
    weights: "torchvision:vgg16.pth",
    training_time_s: 1205,
  },
};
export const alexnet: Answered = {
  ...vgg16,
  row: { ...vgg16.row, run_id: "run-5", model: "alexnet_FineTuned" },
};
export const detector: Answered = {
  images: IMAGES,
  answer: () => 1,
  row: {
    run_id: "run-2",
    part: 2,
    model: "FasterRCNN_Adapted",
    test_loss: 0,
    training_time_s: null,
    train_images: null,
    epochs: null,
    batch_size: null,
    learning_rate: null,
    weight_decay: null,
    weights: "torchvision:fasterrcnn.pth",
  },
};

/** Compares these runs, each in the results folder of the given name. */
export async function compareRuns(
  runs: Record<string, readonly Answered[]>,
  action: (comparison: Comparison, report: string, folder: string) => void | Promise<void>,
  damage: (folder: string) => void | Promise<void> = () => {},
): Promise<void> {
  await withFolder({}, async (folder) => {
    for (const [name, answered] of Object.entries(runs)) {
      for (const run of answered) await recordRun(join(folder, name), run);
    }
    await damage(folder);
    const comparison = await compareResults(Object.keys(runs).map((name) => join(folder, name)));
    await action(comparison, renderReport(comparison), folder);
  });
}

/** A run with the study's counts of images in its row: its files hold `images`. */
export function asPublished(seed: number, testLoss: number): Answered {
  return {
    images: 10_000,
    answer: wrongOneIn(137), // 99.27 %
    row: { run_id: `seed-${seed}`, seed, test_loss: testLoss },
  };
}
