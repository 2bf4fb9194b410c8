/**
 * Pretrained weights: torchvision's published files, a file of one's own, or none.
 *
 * Published files are fetched once into the cache and checked at every use. Where they cannot be had,
 * random weights take their place, which is said loudly, or with `strict` is an error.
 *
 * @module
 */

import { basename, join } from "node:path";
import { cacheDir } from "../../io/cache.ts";
import { download } from "../../io/download.ts";
import { InterruptedError, StudyError, UsageError } from "../../io/errors.ts";
import { exists } from "../../io/exists.ts";
import { withLock } from "../../io/lock.ts";
import { formatBytes, type Reporter } from "../../io/reporter.ts";
import { sha256File } from "../../io/sha256.ts";
import { openCheckpoint } from "./open_checkpoint.ts";

/** A published file of weights. */
export interface PinnedWeights {
  /** Its name. torchvision puts the first eight digits of the SHA-256 into it. */
  readonly file: string;
  /** Addresses, tried in this order. */
  readonly urls: readonly string[];
  /** Size in bytes. */
  readonly bytes?: number;
  /** SHA-256, hexadecimal. */
  readonly sha256?: string;
  /** How the SHA-256 begins. */
  readonly sha256Prefix: string;
}

/** VGG16, trained on ImageNet (`VGG16_Weights.IMAGENET1K_V1`). */
export const VGG16_WEIGHTS: PinnedWeights = torchvision("vgg16-397923af.pth", 553_433_881);
/** AlexNet, trained on ImageNet (`AlexNet_Weights.IMAGENET1K_V1`). */
export const ALEXNET_WEIGHTS: PinnedWeights = torchvision("alexnet-owt-7be5be79.pth", 244_408_911);
/** Faster R-CNN with ResNet-50-FPN, trained on COCO (`FasterRCNN_ResNet50_FPN_Weights.COCO_V1`). */
export const FASTER_RCNN_WEIGHTS: PinnedWeights = torchvision(
  "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
  167_502_836,
);

/** Options of {@linkcode obtainWeights}. */
export interface ObtainWeightsOptions {
  /** `pretrained`, `random`, or a `.pth` or `.safetensors` file. */
  weights: string;
  /** The published file of this model. */
  source: PinnedWeights;
  /** Whether `pretrained` fails rather than fall back to random weights. */
  strict: boolean;
  /** Where progress and warnings go. */
  reporter: Reporter;
  /**
   * Folder of the cache; weights have a folder of their own in it.
   *
   * @default {cacheDir()}
   */
  cache?: string;
}

/** Which weights a run has. */
export interface ObtainedWeights {
  /** For the CSV: `torchvision:<file>`, `file:<name>` or `random`. */
  label: string;
  /** SHA-256 of the file, lower-case hexadecimal; empty for random weights. */
  sha256: string;
  /** The file, checked; absent for random weights. */
  path: string | undefined;
}

const RANDOM: ObtainedWeights = { label: "random", sha256: "", path: undefined };

/**
 * Finds the weights that `--weights` asks for, fetching them where needed.
 *
 * @throws {UsageError} When `weights` is neither a known word nor a file.
 * @throws {StudyError} When a file of one's own is damaged, and with `strict` when the published file
 *   cannot be had.
 */
export async function obtainWeights(options: ObtainWeightsOptions): Promise<ObtainedWeights> {
  const { weights, source, strict, reporter } = options;
  if (weights === "random") return RANDOM;
  if (weights !== "pretrained") return await ownFile(weights, options);
  let reason: string;
  try {
    return await published(options);
  } catch (error) {
    if (!(error instanceof StudyError) || error instanceof InterruptedError) throw error;
    reason = error.message;
  }
  const remedy = `download ${source.urls[0]} elsewhere and pass it with --weights PATH`;
  if (strict) {
    throw new StudyError(
      `Cannot have the pretrained weights ${source.file}, and --strict allows no substitute: ` +
        `${reason} Run again, or ${remedy}.`,
    );
  }
  reporter.warn(
    `RANDOM WEIGHTS: the pretrained weights ${source.file} cannot be had, so this run starts from ` +
      `seeded random ones, and its results say nothing of the pretrained model. Why: ${reason} ` +
      `For the real ones run again when the network is there, or ${remedy}.`,
  );
  return RANDOM;
}

/** Where a published file lies in the cache. */
export function cachedWeightsPath({ file }: PinnedWeights, cache = cacheDir()): string {
  return join(cache, "weights", file);
}

/** A file of the user's, which may be the published one. */
async function ownFile(
  path: string,
  { source, reporter }: ObtainWeightsOptions,
): Promise<ObtainedWeights> {
  if (!await exists(path)) {
    throw new UsageError(
      `Cannot use --weights ${JSON.stringify(path)}: there is no such file. Choose pretrained, ` +
        "random, or a .pth or .safetensors file.",
    );
  }
  // Says what is wrong with a damaged file before it is read as a whole.
  (await openCheckpoint(path)).close();
  const sha256 = await hash(path, reporter);
  if (isPublished(source, sha256)) return { label: `torchvision:${source.file}`, sha256, path };
  const name = basename(path);
  if (name === source.file) {
    throw new StudyError(
      `${path} is damaged, or another file under that name: its SHA-256 is ${sha256}, not ` +
        `${expectedSum(source)}. Fetch it again from ${source.urls[0]}, or rename it.`,
    );
  }
  return { label: `file:${name}`, sha256, path };
}

async function published(options: ObtainWeightsOptions): Promise<ObtainedWeights> {
  const { source, reporter, cache = cacheDir() } = options;
  const folder = join(cache, "weights");
  const path = cachedWeightsPath(source, cache);
  const label = `torchvision:${source.file}`;
  const onWait = () => reporter.line(`${source.file}: waiting for another run's download`);
  try {
    const cached = await inspect(path, source, reporter);
    if (cached !== undefined && "sha256" in cached) return { label, sha256: cached.sha256, path };
    const sha256 = await withLock(join(folder, ".lock"), () => fetchUnlessThere(path, options), {
      onWait,
    });
    return { label, sha256, path };
  } catch (error) {
    throw readable(error, folder);
  }
}

/**
 * Downloads a published file, unless another run has done so meanwhile.
 *
 * @returns Its SHA-256.
 */
async function fetchUnlessThere(
  path: string,
  { source, reporter }: ObtainWeightsOptions,
): Promise<string> {
  const cached = await inspect(path, source, reporter);
  if (cached !== undefined && "sha256" in cached) return cached.sha256;
  if (cached !== undefined) {
    reporter.warn(`${path} is damaged (${cached.damage}); fetching it again`);
  }
  const { sha256 } = await download({
    urls: source.urls,
    path,
    sha256: source.sha256 ?? source.sha256Prefix,
    label: source.file,
    reporter,
    connectTimeoutMs: 5_000,
    ...(source.bytes !== undefined && { size: source.bytes }),
  });
  return sha256;
}

/** What the cache has under a published file's name; `undefined` if nothing. */
async function inspect(
  path: string,
  source: PinnedWeights,
  reporter: Reporter,
): Promise<{ sha256: string } | { damage: string } | undefined> {
  let size: number;
  try {
    ({ size } = await Deno.stat(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  if (source.bytes !== undefined && size !== source.bytes) {
    return { damage: `${size} bytes, expected ${source.bytes}` };
  }
  const sha256 = await hash(path, reporter);
  if (isPublished(source, sha256)) return { sha256 };
  return { damage: `SHA-256 ${sha256}, expected ${expectedSum(source)}` };
}

function expectedSum({ sha256, sha256Prefix }: PinnedWeights): string {
  return sha256 ?? `${sha256Prefix}…`;
}

function isPublished({ sha256, sha256Prefix }: PinnedWeights, actual: string): boolean {
  return actual.startsWith(sha256 ?? sha256Prefix);
}

async function hash(path: string, reporter: Reporter): Promise<string> {
  const { size } = await Deno.stat(path);
  reporter.live(`Checking ${basename(path)} (${formatBytes(size)})`);
  const sha256 = await sha256File(path);
  reporter.live("");
  return sha256;
}

/** A cache folder that cannot be used is the user's to mend. */
function readable(error: unknown, folder: string): unknown {
  if (error instanceof StudyError || !(error instanceof Error)) return error;
  if (!("code" in error) && !(error instanceof Deno.errors.NotCapable)) return error;
  return new StudyError(
    `Cannot keep weights in ${folder}: ${error.message}. Make it writable, or set ` +
      "MNIST_STUDY_CACHE to a folder that is.",
    { cause: error },
  );
}

function torchvision(file: string, bytes: number): PinnedWeights {
  return {
    file,
    urls: [`https://download.pytorch.org/models/${file}`],
    bytes,
    sha256Prefix: /-([0-9a-f]{8})\.pth$/.exec(file)![1]!,
  };
}
