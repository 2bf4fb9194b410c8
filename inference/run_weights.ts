/**
 * The weights that a run started from, found again: a run keeps only what it trained.
 *
 * @module
 */

import { isAbsolute, join } from "node:path";
import { cacheDir, userFolder } from "../io/cache.ts";
import { StudyError } from "../io/errors.ts";
import { exists } from "../io/path_kind.ts";
import type { Reporter } from "../io/reporter.ts";
import { sha256File } from "../io/sha256.ts";
import { RANDOM_LABEL, weightsKind, weightsLabel } from "../io/weights_label.ts";
import {
  cachedWeightsPath,
  obtainWeights,
  type PinnedWeights,
} from "../models/checkpoint/pretrained.ts";
import type { LocatedRun } from "../report/record/find_run.ts";
import { WEIGHTS_FILE } from "../report/record/run_folder.ts";

/** Options of {@linkcode weightsOfRun}. */
export interface WeightsOfRunOptions {
  /** The published file of the run's model. */
  source: PinnedWeights;
  /** The file, where it is no longer where the run had it. */
  weights?: string | undefined;
  /** Folder of the cache. */
  cache?: string | undefined;
  /** Where the progress of a download goes. */
  reporter: Reporter;
}

/** The weights that a run started from. */
export interface FoundWeights {
  /** As the results have it; `random` for weights drawn from the run's seed. */
  label: string;
  /** The file; `undefined` for random weights. */
  path: string | undefined;
}

/**
 * Finds the file that a run started from and makes sure that it is the same to the byte. Convolutions
 * that come with a package are fetched again where the cache has them no more; torchvision's own files
 * are not.
 *
 * @throws {StudyError} If it is not there, or is another file than the run's.
 */
export async function weightsOfRun(
  { runId, manifest }: LocatedRun,
  { source, weights, cache = cacheDir(), reporter }: WeightsOfRunOptions,
): Promise<FoundWeights> {
  const label = String(manifest.settings.weights ?? "");
  const expected = String(manifest.settings.weights_sha256 ?? "");
  if (weightsKind(label) === "random") return { label: RANDOM_LABEL, path: undefined };
  const path = weights ?? await usualPlace();
  if (path === undefined || !await exists(path)) {
    throw new StudyError(
      `Run ${runId} started from weights that it does not keep (${label || "unknown"}), and they ` +
        `are not where it had them${path === undefined ? "" : ` (${path})`}`,
      { remedy: "give their file with --weights, or as the option weights of loadModel" },
    );
  }
  const found = expected === "" ? "" : await sha256File(path);
  if (found === expected) return { label, path };
  throw new StudyError(`${path} is not the file that run ${runId} started from`, {
    details: [`its SHA-256 is ${found}, not ${expected}`],
    remedy: "give the run's own with --weights",
  });

  /** Where it should be; older manifests do not say where the user's own file was. */
  async function usualPlace(): Promise<string | undefined> {
    const { [WEIGHTS_FILE]: file, command } = manifest.settings;
    // Whatever folder the command line began in.
    const named = typeof file === "string" ? file : undefined;
    if (label === weightsLabel("torchvision", source.file)) {
      const cached = cachedWeightsPath(source, cache);
      // A file of the user's that is the published one has its label.
      return await exists(cached) ? cached : named ?? givenPath(command) ?? cached;
    }
    const { convolutions } = source;
    if (!named && convolutions && label === weightsLabel("convolutions", convolutions.label)) {
      const options = { weights: "convolutions", source, strict: true, reporter, cache };
      return (await obtainWeights(options)).path;
    }
    return named ?? givenPath(command);
  }
}

/** What `--weights` takes besides files. */
const WEIGHTS_WORDS: readonly string[] = ["pretrained", "convolutions", "random"];

/** The file that the run's command line named, where it still says. */
function givenPath(command: unknown): string | undefined {
  if (!Array.isArray(command)) return undefined;
  const words = command.map(String);
  const joined = words.find((word) => word.startsWith("--weights="))?.slice("--weights=".length);
  const at = words.indexOf("--weights");
  const path = joined ?? (at < 0 ? undefined : words[at + 1]);
  if (path === undefined || WEIGHTS_WORDS.includes(path)) return undefined;
  return isAbsolute(path) ? path : join(userFolder(), path);
}
