/** Result rows and folders for the tests of `report/`. */

import { join } from "node:path";
import { accuracy, weightedF1 } from "../../metrics/classification.ts";
import { scoredLabels } from "../../report/record/own_files.ts";
import { appendRow, type ResultRow } from "../../report/record/results.ts";
import {
  type Manifest,
  runFolder,
  writeHistory,
  writeManifest,
  writePredictions,
} from "../../report/record/run_folder.ts";

/** An ok row of SimpleCNN with the study's settings, changed as told. */
export function resultRow(changes: Partial<ResultRow> = {}): ResultRow {
  return {
    run_id: "run-1",
    started_at: "2026-01-01T10:00:00.000Z",
    part: 1,
    model: "SimpleCNN",
    status: "ok",
    test_loss: 0.03,
    accuracy: 99.1,
    f1: 0.9909,
    training_time_s: 120.5,
    inference_ms_per_image: null,
    evaluated_images: 10_000,
    test_images: 10_000,
    train_images: 60_000,
    epochs: 10,
    batch_size: 128,
    learning_rate: 0.001,
    weight_decay: 0.0001,
    seed: 1,
    dataset: "mnist",
    dataset_sha256: "ab12",
    weights: "random",
    weights_sha256: "",
    backend: "tensorflow",
    device: "cpu",
    precision: "float32",
    error: "",
    ...changes,
  };
}

/** Runs `action` in a fresh folder, made with these files, that is removed afterwards. */
export async function withFolder(
  files: Record<string, string | Uint8Array>,
  action: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(folder, name), bytes);
    }
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a run answered: targets are 0..9 in turn. */
export interface Answered {
  /** Images; a multiple of ten has as many of each class. */
  images: number;
  /** The answer to an image, −1 for none. */
  answer: (target: number, index: number) => number;
  /** Changes to the row. */
  row?: Partial<ResultRow>;
  /** Changes to the manifest. */
  manifest?: Partial<Manifest>;
}

/**
 * Records an ok run: its row in `partN.csv` with the scores of its answers, and its run folder.
 *
 * @returns The row.
 */
export async function recordRun(outDir: string, answered: Answered): Promise<ResultRow> {
  const targets = Array.from({ length: answered.images }, (_, i) => i % 10);
  const predictions = targets.map(answered.answer);
  const scores = predictions.map((prediction) => prediction < 0 ? NaN : 0.9);
  // Without the intervals of scorePredictions(), which take half a second.
  const scored = scoredLabels({ targets, predictions }, resultRow(answered.row));
  const row = resultRow({
    accuracy: 100 * accuracy(scored.targets, scored.predictions),
    f1: weightedF1(scored.targets, scored.predictions),
    evaluated_images: predictions.filter((prediction) => prediction >= 0).length,
    test_images: answered.images,
    ...answered.row,
  });
  const { run_id, started_at, part, model } = row;
  const folder = runFolder(outDir, run_id);
  await writePredictions(folder, { targets, predictions, scores });
  const epochs = Array.from({ length: row.epochs ?? 0 }, (_, i) => i + 1);
  await writeHistory(
    folder,
    epochs.map((epoch) => ({ epoch, train_loss: 1 / epoch, train_accuracy: 90, time_s: 2 })),
  );
  await writeManifest(folder, {
    run_id,
    started_at,
    part,
    model,
    settings: { command: ["--out", "somewhere", "--seed", "1"] },
    versions: { deno: "2.9.6", tfjs: "4.22.0", tensorflow: "2.21.0" },
    machine: { processor: "some", cores: 2, os: "linux", device: "CPU" },
    git: { commit: "0123abcd0123abcd", clean: true },
    ...answered.manifest,
  });
  await appendRow(outDir, row);
  return row;
}
