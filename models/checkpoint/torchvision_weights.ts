/**
 * torchvision's published files of weights: fetched once into the cache, checked at every use.
 *
 * @module
 */

import { join } from "node:path";
import { cacheDir, cacheError } from "../../io/cache.ts";
import { download, UndeliveredError } from "../../io/download.ts";
import { withLock } from "../../io/lock.ts";
import { RecentFailures } from "../../io/recent_failures.ts";
import type { Reporter } from "../../io/reporter.ts";
import { describeSum, inspectWeights, type PinnedFile, weightsFolder } from "./cached_weights.ts";
import {
  ALEXNET_CONVOLUTIONS,
  type PinnedConvolutions,
  VGG16_CONVOLUTIONS,
} from "./pretrained_convolutions.ts";

/** A published file of weights. */
export interface PinnedWeights {
  /** Its name. torchvision puts the first eight digits of the SHA-256 into it. */
  readonly file: string;
  /** Addresses, tried in this order. */
  readonly urls: readonly string[];
  /** Size in bytes. */
  readonly bytes?: number;
  /** How the SHA-256 begins, hexadecimal. */
  readonly sha256Prefix: string;
  /** Who offers its convolutions without the rest; absent if nobody. */
  readonly convolutions?: PinnedConvolutions;
}

/** VGG16, trained on ImageNet (`VGG16_Weights.IMAGENET1K_V1`). */
export const VGG16_WEIGHTS: PinnedWeights = {
  ...torchvision("vgg16-397923af.pth", 553_433_881),
  convolutions: VGG16_CONVOLUTIONS,
};
/** AlexNet, trained on ImageNet (`AlexNet_Weights.IMAGENET1K_V1`). */
export const ALEXNET_WEIGHTS: PinnedWeights = {
  ...torchvision("alexnet-owt-7be5be79.pth", 244_408_911),
  convolutions: ALEXNET_CONVOLUTIONS,
};
/** Faster R-CNN with ResNet-50-FPN, COCO (`FasterRCNN_ResNet50_FPN_Weights.COCO_V1`). */
export const FASTER_RCNN_WEIGHTS: PinnedWeights = torchvision(
  "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
  167_502_836,
);

/** Where a published file lies in the cache. */
export function cachedWeightsPath({ file }: PinnedWeights, cache: string = cacheDir()): string {
  return join(weightsFolder(cache), file);
}

/** Whether a SHA-256 is that of a published file. */
export function isPublished({ sha256Prefix }: PinnedWeights, actual: string): boolean {
  return actual.startsWith(sha256Prefix);
}

/** The SHA-256 that a published file must have, in words. */
export function publishedSum({ sha256Prefix }: PinnedWeights): string {
  return describeSum(sha256Prefix);
}

/** Files that nobody delivered lately, by path: not asked for again for every run. */
const undelivered = new RecentFailures();

/** How a file is fetched. */
interface FetchOptions {
  /** Folder of the cache. */
  cache: string;
  /** Where progress and warnings go. */
  reporter: Reporter;
  /** Ends a download; what has arrived is kept. */
  signal?: AbortSignal | undefined;
}

/**
 * A published file, from the cache or its address.
 *
 * @returns Where it lies, and its SHA-256.
 * @throws {StudyError} If it could not be fetched or kept.
 */
export async function obtainPublishedWeights(
  source: PinnedWeights,
  { cache, reporter, signal }: FetchOptions,
): Promise<{ path: string; sha256: string }> {
  const folder = weightsFolder(cache);
  const path = cachedWeightsPath(source, cache);
  const pinned: PinnedFile = { ...source, sha256: source.sha256Prefix };
  const onWait = () => reporter.line(`${source.file}: waiting for another run's download`);
  try {
    const cached = await inspectWeights(path, pinned, reporter);
    if (cached.state === "valid") return { path, sha256: cached.sha256 };
    const known = undelivered.get(path);
    if (known !== undefined) throw known;
    const fetchIt = () => fetchUnlessThere(pinned, { path, urls: source.urls, reporter, signal });
    const waiting = { onWait, ...(signal && { signal }) };
    return { path, sha256: await withLock(join(folder, ".lock"), fetchIt, waiting) };
  } catch (error) {
    if (error instanceof UndeliveredError) undelivered.add(path, error);
    throw cacheError(error, "weights", folder);
  }
}

/**
 * Downloads a file, unless another run has done so meanwhile.
 *
 * @returns Its SHA-256.
 */
async function fetchUnlessThere(
  pinned: PinnedFile,
  { path, urls, reporter, signal }:
    & { path: string; urls: readonly string[] }
    & Omit<FetchOptions, "cache">,
): Promise<string> {
  const cached = await inspectWeights(path, pinned, reporter);
  if (cached.state === "valid") return cached.sha256;
  if (cached.state === "damaged") {
    reporter.warn(`${path} is damaged (${cached.reason}); fetching it again`);
  }
  const { sha256 } = await download({
    urls,
    path,
    sha256: pinned.sha256,
    label: pinned.file,
    reporter,
    signal,
    connectTimeoutMs: 5_000,
    ...(pinned.bytes !== undefined && { size: pinned.bytes }),
  });
  return sha256;
}

function torchvision(file: string, bytes: number): PinnedWeights {
  return {
    file,
    urls: [`https://download.pytorch.org/models/${file}`],
    bytes,
    sha256Prefix: /-([0-9a-f]{8})\.pth$/.exec(file)![1]!,
  };
}
