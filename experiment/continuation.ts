/**
 * Whether a run goes on as it began: the last bits of its results depend on more than its settings.
 *
 * @module
 */

import type { Reporter } from "../io/reporter.ts";
import { isKnownToDiffer, type Manifest } from "../report/record/run_folder.ts";
import type { FoundRun } from "./resume.ts";

/** What decides the last bits of a run's results, besides its settings. */
type Arithmetic = Pick<Manifest, "machine" | "versions">;

/** Where it is in the manifest, and how it is called. */
const ARITHMETIC = [
  ["processor", ({ machine }: Arithmetic) => machine.processor],
  ["processor of", ({ machine }: Arithmetic) => machine.processor_model],
  ["cores", ({ machine }: Arithmetic) => machine.cores],
  ["threads", ({ machine }: Arithmetic) => machine.threads],
  ["device", ({ machine }: Arithmetic) => machine.device],
  ["TensorFlow", ({ versions }: Arithmetic) => versions.tensorflow],
] as const;

/**
 * How a run that goes on differs from where it was before: `cores 2, not 1`; nothing where both would
 * compute the same bits.
 */
function arithmeticChanges(before: Arithmetic, now: Arithmetic): string[] {
  return ARITHMETIC.flatMap(([name, of]) => {
    const [was, is] = [of(before), of(now)];
    // Older manifests lack some, and not every system tells the processor's model.
    return isKnownToDiffer(was, is) ? [`${name} ${is}, not ${was}`] : [];
  });
}

/** Says, and notes in the manifest, that a run does not go on as it began. */
export function sayChanges(
  { runId, manifest: before }: FoundRun,
  { manifest, reporter }: { manifest: Manifest; reporter: Reporter },
): void {
  const changes = arithmeticChanges(before, manifest);
  const notes = [...before.changes ?? [], ...changes.length > 0 ? [changes.join("; ")] : []];
  if (notes.length > 0) manifest.changes = notes;
  if (changes.length === 0) return;
  reporter.warn(
    `Run ${runId} goes on with ${changes.join(", ")}: its results may differ in their last bits ` +
      "from those of a run never interrupted",
  );
}
