/**
 * How a run goes on that was begun before: whether as it began, as the last bits of its results depend
 * on more than its settings, and what it had used by then.
 *
 * @module
 */

import { isRecord } from "../io/is_record.ts";
import type { Reporter } from "../io/reporter.ts";
import { codeOf, isKnownToDiffer, type Manifest } from "../report/record/run_folder.ts";
import { NOTHING_USED, type ResourceUse } from "./provenance.ts";
import type { FoundRun } from "./resume.ts";

/** What decides a run's results, besides its settings. */
type Sitting = Pick<Manifest, "git" | "machine" | "versions">;

/** What decides the last bits: where it is in the manifest, and how it is called. */
const ARITHMETIC = [
  ["processor", ({ machine }: Sitting) => machine.processor],
  ["processor of", ({ machine }: Sitting) => machine.processor_model],
  ["cores", ({ machine }: Sitting) => machine.cores],
  ["threads", ({ machine }: Sitting) => machine.threads],
  ["device", ({ machine }: Sitting) => machine.device],
  ["tfjs", ({ versions }: Sitting) => versions.tfjs],
  ["TensorFlow", ({ versions }: Sitting) => versions.tensorflow],
  ["tfjs-backend-webgpu", ({ versions }: Sitting) => versions.webgpu],
  ["tfjs-backend-wasm", ({ versions }: Sitting) => versions.wasm],
] as const;

/** What decides more than that. */
const CODE = [["code", ({ git }: Sitting) => codeName(git)]] as const;

/**
 * How a run that goes on differs from where it was before: `cores 2, not 1`; nothing where both would
 * compute the same.
 */
function changesIn(
  things: readonly (readonly [name: string, of: (sitting: Sitting) => unknown])[],
  before: Sitting,
  now: Sitting,
): string[] {
  return things.flatMap(([name, of]) => {
    const [was, is] = [of(before), of(now)];
    // Older manifests lack some, and not every system tells the processor's model.
    return isKnownToDiffer(was, is) ? [`${name} ${is}, not ${was}`] : [];
  });
}

/** `0123abc with local changes`; of no repository nothing. */
function codeName(git: Manifest["git"]): string | undefined {
  return git === null
    ? undefined
    : `${git.commit.slice(0, 7)}${git.clean ? "" : " with local changes"}`;
}

/** Says, and notes in the manifest, that a run does not go on as it began. */
export function sayChanges(
  { runId, manifest: before }: FoundRun,
  { manifest, reporter }: { manifest: Manifest; reporter: Reporter },
): void {
  const earlier = new Map(codeOf(before).map((git) => [codeName(git), git]));
  earlier.delete(codeName(manifest.git));
  if (earlier.size > 0) manifest.earlier_git = [...earlier.values()];
  const ofCode = changesIn(CODE, before, manifest);
  const changes = [...ofCode, ...changesIn(ARITHMETIC, before, manifest)];
  const notes = [...before.changes ?? [], ...changes.length > 0 ? [changes.join("; ")] : []];
  if (notes.length > 0) manifest.changes = notes;
  if (changes.length === 0) return;
  reporter.warn(
    `Run ${runId} goes on with ${changes.join(", ")}: its results may differ ` +
      `${ofCode.length > 0 ? "" : "in their last bits "}from those of a run never interrupted`,
  );
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
