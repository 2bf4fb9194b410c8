/**
 * One run of an experiment, from its start or its checkpoint to its row.
 *
 * Every part of the study runs through here and passes its own body: what makes the model, trains and
 * tests it. Around the body are the run's folder with its manifest, `--resume`, and the row in
 * `partN.csv`, which is written however the run ends.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { StudyError } from "../io/errors.ts";
import type { ObtainedWeights } from "../models/checkpoint/pretrained.ts";
import { EMPTY_ROW } from "../report/record/result_row.ts";
import type { ResultRow } from "../report/record/results.ts";
import {
  DATA_FOLDER,
  type Json,
  type Manifest,
  newRunId,
  runFolder,
  WEIGHTS_FILE,
  writeManifest,
} from "../report/record/run_folder.ts";
import { lockRun } from "../report/record/run_lock.ts";
import type { StudyModel } from "../study.ts";
import type { TrainingProgress } from "../training/checkpoint.ts";
import type { EpochResult } from "../training/trainer.ts";
import { dropEvaluations, sayChanges, usedBefore } from "./continuation.ts";
import { gitState, machine, measureResources, versions } from "./provenance.ts";
import { recordRow } from "./recording.ts";
import { CHECKPOINT, findRun, keptOf, type ResumePoint } from "./resume.ts";
import type { RunningSetup } from "./set_up.ts";
import type { RunEvents } from "./tensorboard.ts";
import { leaveEarly, leaveRow, trainingTime } from "./unfinished_run.ts";

/** What is to be run. */
export interface RunPlan {
  /** The model; its name is that of the results. */
  model: Pick<StudyModel, "part" | "name">;
  seed: number;
  /** What the row says of how the model is trained and fed; `epochs` only where it is trained. */
  columns: Partial<
    Pick<ResultRow, "train_images" | "epochs" | "batch_size" | "learning_rate" | "weight_decay">
  >;
  /**
   * What else decides the run's arithmetic. A resumed run must share it with the one that it goes on
   * with, and so the columns but `epochs`, the model, seed, data, weights and precision.
   */
  settings?: TrainingProgress["settings"];
  /** Finds the weights that the model starts from, where it has any. */
  weights?: () => Promise<ObtainedWeights>;
  /** What a run must have left to be resumed. */
  resume: ResumePoint;
  /**
   * What is kept of a run interrupted before its first epoch is finished.
   *
   * @default {"nothing is kept"}
   */
  keptEarly?: string;
}

/** A run under way: what its body is given, and what it leaves there. */
export interface Run extends RunningSetup {
  readonly plan: RunPlan;
  /** The weights of the plan, found. */
  readonly weights: ObtainedWeights | undefined;
  /** All that decides the run's arithmetic. */
  readonly settings: TrainingProgress["settings"];
  readonly folder: string;
  /** Its row so far. */
  readonly row: ResultRow;
  /** Where it is taken up, if there is such a file: its own checkpoint, or a shorter run's. */
  readonly checkpoint: string;
  /** Epochs of the run that is gone on with; they come again in `history` once it is restored. */
  readonly earlier: readonly EpochResult[];
  /** Epochs trained so far, those of the run resumed among them. */
  readonly history: EpochResult[];
  /** Seconds of computing the features that the model is trained on, where that comes first. */
  featureSeconds: number | undefined;
  /** Test images done, where they are kept one by one. */
  testedImages: number;
  /** What the manifest is to say of the results besides the row. */
  measured: { [name: string]: Json };
  /** Notes in the manifest what has been used, for a run that is taken up again; as far as it can be. */
  keepResources(): Promise<void>;
  /** What TensorBoard is shown of it, if that is asked for. */
  events: RunEvents | undefined;
}

/** Columns of the row that a body fills in. */
export type Measured = Pick<
  ResultRow,
  "test_loss" | "accuracy" | "f1" | "inference_ms_per_image" | "evaluated_images"
>;

/**
 * Runs `body` and appends the run's row, whichever way it ends.
 *
 * @returns The row; the one that is there already if `--resume` found the run finished.
 * @throws {InterruptedError} After Ctrl-C, once what is finished is kept.
 * @throws {Error} Whatever stopped the run, once its error row is written.
 */
export async function runExperiment(
  plan: RunPlan,
  setup: RunningSetup,
  body: (run: Run) => Promise<Measured>,
): Promise<ResultRow> {
  const { model, seed } = plan;
  const { dataset, reporter, out } = setup;
  const row = newRow(plan, setup);
  const extent = { epochs: row.epochs, test_images: dataset.test.count };
  using locks = new RunLocks();
  const find = async (note?: (line: string) => void) => {
    if (!setup.resume) return undefined;
    const wanted = { part: model.part, model: model.name, settings: decidingSettings(row, plan) };
    const claim = (folder: string) => locks.take(folder);
    const options = { ...plan.resume, claim, ...(note && { note }) };
    return await findRun(out, { ...wanted, extent }, options);
  };
  const history: EpochResult[] = [];
  const state = { plan, ...setup, row, history, ...keptOf(undefined) };
  let weights: ObtainedWeights | undefined;
  try {
    weights = await plan.weights?.();
  } catch (error) {
    // Whether other weights were asked for than those that it has is not known yet.
    const found = await find().catch(() => undefined);
    throw await leaveEarly(state, found, error);
  }
  Object.assign(row, { weights: weights?.label ?? "", weights_sha256: weights?.sha256 ?? "" });
  const settings = decidingSettings(row, plan);
  const found = await find((line) => reporter.line(line));
  if (found?.kind === "same" && found.row) {
    reporter.line(`Run ${found.runId} is finished: nothing to resume`);
    return found.row;
  }
  if (found?.kind === "same") {
    Object.assign(row, { run_id: found.runId, started_at: found.startedAt });
  } else if (found?.kind === "longer") {
    reporter.line(
      `Run ${found.runId} finished after ${found.history.length} epochs: a new run continues from there`,
    );
  } else if (setup.resume) {
    const reason = found?.reason ?? `No run of ${model.name} with seed ${seed} to resume`;
    reporter.line(`${reason}: starting a new one`);
  }
  reporter.line(describeRun(row));
  const folder = runFolder(out, row.run_id);
  locks.keepOnly(folder);
  const begun = found && "manifest" in found ? found : undefined;
  const earlier = usedBefore(begun);
  // Where it is not known what was used before, no sum of all is known.
  const resources = earlier ? measureResources(earlier) : () => undefined;
  const run: Run = {
    ...state,
    ...{ weights, settings, folder },
    ...keptOf(found),
    checkpoint: found?.kind === "longer" ? found.checkpoint : join(folder, CHECKPOINT),
    measured: {},
    keepResources: () => Promise.resolve(),
    events: undefined,
  };
  try {
    const manifest: Manifest = {
      run_id: row.run_id,
      started_at: row.started_at,
      part: model.part,
      model: model.name,
      settings: {
        ...{ ...settings, ...extent, source: dataset.source, command: setup.command },
        ...(dataset.folder !== undefined && { [DATA_FOLDER]: dataset.folder }),
        ...(weights?.isOwn && { [WEIGHTS_FILE]: resolve(weights.path!) }),
        ...(found?.kind === "longer" && { continues: found.runId }),
      },
      versions: versions(setup.engine),
      machine: machine(setup.engine),
      git: await gitState(),
    };
    if (begun) sayChanges(begun, { manifest, reporter });
    await locks.take(folder);
    if (begun) await dropEvaluations(begun, { folder, manifest, reporter });
    const keep = () => writeManifest(folder, { ...manifest, used: resources() });
    run.keepResources = () => keep().catch(() => {});
    await keep();
    using events = setup.tensorboard
      ? await (await import("./tensorboard.ts")).openRunEvents(run)
      : undefined;
    run.events = events;
    Object.assign(row, await body(run));
    checkFinite(row);
    const used = resources();
    await writeManifest(folder, {
      ...manifest,
      measured: { ...run.measured, ...(used && { resources: used }) },
    });
    row.training_time_s = trainingTime(run);
    row.status = "ok";
  } catch (error) {
    await run.keepResources();
    throw await leaveRow(run, error);
  }
  await recordRow(row, run);
  return row;
}

/** The runs that this process has, until they are let go of. */
class RunLocks implements Disposable {
  #locks = new Map<string, Disposable>();

  /** @returns False if another process has the run. */
  async take(folder: string): Promise<boolean> {
    const lock = this.#locks.get(folder) ?? await lockRun(folder);
    if (lock !== undefined) this.#locks.set(folder, lock);
    return lock !== undefined;
  }

  /** Lets go of all others, which were looked at and passed over. */
  keepOnly(folder: string): void {
    for (const [other, lock] of this.#locks) {
      if (other === folder) continue;
      lock[Symbol.dispose]();
      this.#locks.delete(other);
    }
  }

  [Symbol.dispose](): void {
    for (const lock of this.#locks.values()) lock[Symbol.dispose]();
  }
}

/** What a last step has left is seen in the results alone. */
function checkFinite(row: ResultRow): void {
  for (const column of ["test_loss", "accuracy", "f1"] as const) {
    const value = row[column];
    if (value === null || Number.isFinite(value)) continue;
    throw new StudyError(
      `The run ended with ${column} ${value}, so it is not ok: lower the learning rate with --lr`,
    );
  }
}

/** The row of a run that begins now. */
function newRow({ model, seed, columns }: RunPlan, { engine, dataset }: RunningSetup): ResultRow {
  const now = new Date();
  return {
    ...EMPTY_ROW,
    run_id: newRunId(model.part, model.name, seed, now),
    started_at: now.toISOString(),
    part: model.part,
    model: model.name,
    test_images: dataset.test.count,
    ...columns,
    seed,
    dataset: dataset.name,
    dataset_sha256: dataset.sha256,
    backend: engine.backend,
    device: engine.device,
    precision: engine.precision,
  };
}

function decidingSettings(row: ResultRow, { columns, settings }: RunPlan): Run["settings"] {
  const { epochs: _, ...trained } = columns;
  const { model, dataset, dataset_sha256, precision, weights, weights_sha256, backend } = row;
  return {
    ...{ model, seed: row.seed!, ...trained as Record<string, number> },
    ...{ dataset, dataset_sha256, precision },
    ...(weights !== "" && { weights, weights_sha256 }),
    // TensorFlow's runs have not said so since before there was another.
    ...(backend !== "tensorflow" && { backend }),
    ...settings,
  };
}

function describeRun({ model, epochs, seed, weights }: ResultRow): string {
  const parts = [
    ...(epochs === null ? [] : [`${epochs} epoch${epochs === 1 ? "" : "s"}`]),
    `seed ${seed}`,
    ...(weights === "" ? [] : [`${weights} weights`]),
  ];
  return `${model}: ${parts.join(", ")}`;
}
