/** A results folder with a run of every kind. */

import { join } from "node:path";
import { writeKeptRow } from "../../../report/record/kept_row.ts";
import { appendRow } from "../../../report/record/results.ts";
import { runFolder, writeHistory, writeManifest } from "../../../report/record/run_folder.ts";
import { recordRun, resultRow } from "../result_rows.ts";

/** The ids of the runs that {@linkcode writeSomeRuns} writes, by their states. */
export const IDS = {
  ok: "20260101T100000000Z-part1-SimpleCNN-seed1-0000000a",
  other: "20260102T100000000Z-part1-SimpleCNN-seed2-0000000b",
  interrupted: "20260103T100000000Z-part1-SimpleCNN-seed1-0000000c",
  killed: "20260104T100000000Z-part1-SimpleCNN-seed3-0000000d",
  unrecorded: "20260105T100000000Z-part1-SimpleCNN-seed4-0000000e",
  empty: "20260106T100000000Z-part1-SimpleCNN-seed5-0000000f",
  foreign: "notes",
} as const;

/** Ids that have a row in part1.csv. */
export const RECORDED: readonly string[] = [IDS.ok, IDS.other, IDS.interrupted];

/** Writes them. */
export async function writeSomeRuns(out: string): Promise<void> {
  const day = (d: number) => ({ started_at: `2026-01-0${d}T10:00:00.000Z` });
  await recordRun(out, {
    images: 100,
    answer: (target, i) => i < 4 ? (target + 1) % 10 : target,
    row: { run_id: IDS.ok, dataset_sha256: "ab12", ...day(1) },
  });
  await recordRun(out, {
    images: 60,
    answer: (target, i) => i === 50 ? (target + 1) % 10 : target,
    row: { run_id: IDS.other, seed: 2, dataset_sha256: "ab12", epochs: 3, ...day(2) },
    manifest: { git: null },
  });
  const row = { status: "interrupted", accuracy: null, f1: null, test_loss: null } as const;
  await appendRow(out, resultRow({ run_id: IDS.interrupted, ...row, epochs: 0, ...day(3) }));
  await writeOf(IDS.interrupted, { out, ...day(3) });
  await writeOf(IDS.killed, { out, ...day(4) });
  const history = [1, 2].map((epoch) => ({ epoch, train_loss: 1 / epoch, train_accuracy: 90 }));
  await writeHistory(runFolder(out, IDS.killed), history.map((one) => ({ ...one, time_s: 1 })));
  await Deno.writeTextFile(join(runFolder(out, IDS.killed), "checkpoint.safetensors"), "12345");
  await writeOf(IDS.unrecorded, { out, ...day(5) });
  const kept = resultRow({ run_id: IDS.unrecorded, seed: 4, ...day(5) });
  await writeKeptRow(runFolder(out, IDS.unrecorded), kept);
  for (const id of [IDS.empty, IDS.foreign]) await Deno.mkdir(runFolder(out, id));
  await Deno.writeTextFile(join(runFolder(out, IDS.empty), ".lock"), "");
  await Deno.writeTextFile(join(runFolder(out, IDS.foreign), "mine.txt"), "mine");
}

async function writeOf(
  run_id: string,
  { out, started_at }: { out: string; started_at: string },
): Promise<void> {
  const settings = { seed: 3, epochs: 10, train_images: 1000, dataset: "mnist", batch_size: "no" };
  await writeManifest(runFolder(out, run_id), {
    ...{ run_id, started_at, part: 1, model: "SimpleCNN", settings },
    ...{ versions: {}, machine: { device: "CPU" }, git: null },
  });
}
