/**
 * The backend and the number format that `auto` takes with `--resume`: those of the run which is to go
 * on, as with others it would be refused.
 *
 * @module
 */

import { join } from "node:path";
import type { BackendName, EngineOptions } from "../engine/engine.ts";
import { isFile } from "../io/path_kind.ts";
import { ProblemList } from "../report/record/problems.ts";
import { readResults, resultsPath } from "../report/record/results.ts";
import { type Manifest, runFolder } from "../report/record/run_folder.ts";
import { listRunFolders, ownManifest } from "../report/record/run_folders.ts";
import type { ResumePoint } from "./resume.ts";

/** The runs that a command is to make. */
export interface PlannedRuns extends Pick<ResumePoint, "file"> {
  /** Their models, as the results name them. */
  models: readonly string[];
  seeds: readonly number[];
}

/** What a run is resumed with. */
export interface ResumedWith {
  backend: BackendName;
  /** Why, in a phrase. */
  reason: string;
  /** Its number format, if it is unfinished, every machine has that, and no other run has another. */
  precision?: "float32";
}

const BACKENDS: readonly string[] = ["tensorflow", "webgpu", "wasm"] satisfies BackendName[];

/**
 * The backend of the newest run that can be resumed or, if there is none, of the newest that is finished:
 * one with more epochs goes on where that ended.
 *
 * @param planned Other runs are passed over; without it any of the part will do.
 * @returns Nothing if there is no such run, or it does not say.
 */
export async function backendToResume(
  out: string,
  part: number,
  planned?: PlannedRuns,
): Promise<ResumedWith | undefined> {
  const { models, seeds, file = "manifest.json" } = planned ?? {};
  const finished = await finishedRuns(out, part);
  const runs: Manifest[] = [];
  for (const runId of (await listRunFolders(out)).runIds) {
    const folder = runFolder(out, runId);
    // Whoever looks for the run itself says what is wrong with its folder.
    const manifest = await ownManifest(folder, runId);
    if (manifest?.part !== part) continue;
    const { model, settings: { seed } } = manifest;
    const isPlanned = (models?.includes(model) ?? true) &&
      (seeds?.some((one) => one === seed) ?? true);
    if (!isPlanned) continue;
    if (finished.has(runId) || await isFile(join(folder, file)).catch(() => false)) {
      runs.push(manifest);
    }
  }
  const [run] = runs.sort((a, b) =>
    Number(finished.has(a.run_id)) - Number(finished.has(b.run_id)) ||
    (a.started_at < b.started_at ? 1 : -1)
  );
  if (run === undefined) return undefined;
  // TensorFlow's runs do not say what they ran on.
  const { backend = "tensorflow", precision } = run.settings;
  if (!isBackend(backend)) return undefined;
  // With one of these formats the runs that have the other would be made again.
  const isOnlyFormat = runs.every(({ settings }) =>
    (settings.backend ?? "tensorflow") !== backend || settings.precision === precision
  );
  const isTaken = precision === "float32" && isOnlyFormat && !finished.has(run.run_id);
  return {
    backend,
    reason: `as run ${run.run_id} has it, which --resume goes on with`,
    ...(isTaken && { precision }),
  };
}

/**
 * The number format to start an engine with: `auto` takes that of the run which goes on. One in bfloat16
 * goes on where `auto` is that, and is refused elsewhere.
 */
export function precisionToResume(
  asked: NonNullable<EngineOptions["precision"]>,
  { backend, resumed }: { backend: EngineOptions["backend"]; resumed: ResumedWith | undefined },
): NonNullable<EngineOptions["precision"]> {
  const isItsBackend = backend === "auto" || backend === resumed?.backend;
  return asked === "auto" && isItsBackend ? resumed?.precision ?? asked : asked;
}

async function finishedRuns(out: string, part: number): Promise<Set<string>> {
  const rows = await readResults(resultsPath(out, part), new ProblemList()).catch(() => []);
  return new Set(rows.filter(({ row }) => row.status === "ok").map(({ row }) => row.run_id));
}

function isBackend(value: unknown): value is BackendName {
  return typeof value === "string" && BACKENDS.includes(value);
}
