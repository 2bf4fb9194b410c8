/** Result rows and folders for the tests of `report/`. */

import { join } from "node:path";
import type { ResultRow } from "../report/results.ts";

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
