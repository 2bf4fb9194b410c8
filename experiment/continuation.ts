/**
 * How a run goes on that was begun before: whether as it began, as the last bits of its results depend
 * on more than its settings, and what it had used by then.
 *
 * @module
 */

import { join } from "node:path";
import { isRecord } from "../io/is_record.ts";
import { exists } from "../io/path_kind.ts";
import type { Reporter } from "../io/reporter.ts";
import {
  codeName,
  codeOf,
  isKnownToDiffer,
  MACHINE_PARTS,
  type Manifest,
} from "../report/record/run_folder.ts";
import { NOTHING_USED, type ResourceUse } from "./provenance.ts";
import type { FoundRun } from "./resume.ts";

/** What decides the last bits of a run's results, besides its settings and its code. */
type Sitting = Pick<Manifest, "machine" | "versions">;

/** What decides the last bits: how it is called, and its value. */
const ARITHMETIC: readonly [name: string, of: (sitting: Sitting) => unknown][] = [
  ...Object.entries(MACHINE_PARTS).map(([name, key]) =>
    [name, ({ machine }: Sitting) => machine[key]] satisfies [string, unknown]
  ),
  ["tfjs", ({ versions }) => versions.tfjs],
  ["TensorFlow", ({ versions }) => versions.tensorflow],
  ["tfjs-backend-webgpu", ({ versions }) => versions.webgpu],
  ["tfjs-backend-wasm", ({ versions }) => versions.wasm],
];

/** `cores 2, not 1`; nothing where both are the same, or one is not known. */
function changeOf(name: string, was: unknown, is: unknown): string[] {
  // Older manifests lack some, and not every system tells the processor's model.
  return isKnownToDiffer(was, is) ? [`${name} ${is}, not ${was}`] : [];
}

/** Says, and notes in the manifest, that a run does not go on as it began. */
export function sayChanges(
  { runId, manifest: before }: FoundRun,
  { manifest, reporter }: { manifest: Manifest; reporter: Reporter },
): void {
  const earlier = new Map(codeOf(before).map((git) => [codeName(git), git]));
  earlier.delete(codeName(manifest.git));
  if (earlier.size > 0) manifest.earlier_git = [...earlier.values()];
  const ofCode = changeOf("code", codeName(before.git), codeName(manifest.git));
  const ofArithmetic = ARITHMETIC.flatMap(([name, of]) => changeOf(name, of(before), of(manifest)));
  const changes = [...ofCode, ...ofArithmetic];
  const notes = [...before.changes ?? [], ...changes.length > 0 ? [changes.join("; ")] : []];
  if (notes.length > 0) manifest.changes = notes;
  if (changes.length === 0) return;
  reporter.warn(
    `Run ${runId} is resumed with ${changes.join(", ")}: its results may differ ` +
      `${ofCode.length > 0 ? "" : "in their last bits "}from those of an uninterrupted run`,
  );
}

/**
 * Removes the evaluations of earlier sittings where these were on another number of test images, and
 * says so. It comes before the new manifest, which no longer tells.
 */
export async function dropEvaluations(
  { manifest: before }: FoundRun,
  { folder, manifest, reporter }: { folder: string; manifest: Manifest; reporter: Reporter },
): Promise<void> {
  const [was, is] = [before, manifest].map(({ settings }) => settings.test_images);
  const path = join(folder, "evaluations.csv");
  if (!isKnownToDiffer(was, is) || !await exists(path)) return;
  await Deno.remove(path);
  reporter.line(beginsAnew(was, is));
}

/** Says that evaluations so far do not count, as these are of another number of test images. */
export function beginsAnew(was: unknown, is: unknown): string {
  return `evaluations.csv begins anew: so far it was of ${was} test images, not ${is}`;
}

/** What a run had used when it was left; `undefined` where its manifest does not say. */
export function usedBefore(
  found: Pick<FoundRun, "manifest"> | undefined,
): ResourceUse | undefined {
  if (found === undefined) return NOTHING_USED;
  const { measured, used = measured?.resources } = found.manifest;
  if (!isRecord(used)) return undefined;
  const names = Object.keys(NOTHING_USED);
  if (!names.every((name) => typeof used[name] === "number")) return undefined;
  return used as ResourceUse;
}
