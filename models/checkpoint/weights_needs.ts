/**
 * Whether weights are on this machine, and what would be fetched if not; nothing is.
 *
 * @module
 */

import { cacheDir } from "../../io/cache.ts";
import { formatBytes, silentReporter } from "../../io/reporter.ts";
import { RANDOM_LABEL } from "../../io/weights_label.ts";
import { cachedWeightsPath, obtainWeights, type PinnedWeights } from "./pretrained.ts";
import { cachedConvolutionsPath, type PinnedConvolutions } from "./pretrained_convolutions.ts";

/** Weights that are here, or what a run would fetch first. */
export type WeightsNeeds =
  | { state: "here"; label: string }
  | {
    state: "missing";
    file: string;
    from: string;
    /** 0 where it is not known. */
    bytes: number;
    /** What is taken where that is not available. */
    otherwise: string;
  };

/** Options of {@linkcode weightsNeeds}. */
export interface WeightsNeedsOptions {
  /** As in {@linkcode obtainWeights}. */
  weights: string;
  source: PinnedWeights;
  /** Whether a run fails rather than take less than the published file. */
  strict: boolean;
  /** Refuses a file of one's own that the model does not take. */
  check?: (path: string) => Promise<void>;
  /** @default {cacheDir()} */
  cache?: string;
}

/**
 * Looks for the weights that `--weights` asks for. Files of the cache are known by name and size; a run
 * compares their SHA-256 too. A file of one's own is read as a whole.
 *
 * @throws {StudyError} If a file of one's own cannot be used.
 */
export async function weightsNeeds(options: WeightsNeedsOptions): Promise<WeightsNeeds> {
  const { weights, source, strict, check, cache = cacheDir() } = options;
  const { file, urls, bytes = 0, convolutions } = source;
  const pip = { state: "missing", from: "pip's package index" } as const;
  switch (weights) {
    case "pretrained": {
      if (await hasSize(cachedWeightsPath(source, cache), bytes)) {
        return { state: "here", label: file };
      }
      const otherwise = strict
        ? "none, because of --strict"
        : convolutions === undefined
        ? RANDOM_LABEL
        : `${convolutions.label} ${await sizeNote(convolutions, cache)}, then ${RANDOM_LABEL}`;
      return { state: "missing", file, from: new URL(urls[0]!).host, bytes, otherwise };
    }
    case "convolutions": {
      if (convolutions === undefined) break;
      const { label, archive } = convolutions;
      if (await areCached(convolutions, cache)) return { state: "here", label };
      return { ...pip, file: archive.file, bytes: archive.bytes, otherwise: "none" };
    }
  }
  // Words and files of one's own, which are not fetched.
  const { label, path } = await obtainWeights({
    weights,
    source,
    strict,
    reporter: silentReporter,
    cache,
  });
  if (path !== undefined) await check?.(path);
  return { state: "here", label };
}

/** What convolutions cost, in brackets. */
async function sizeNote(convolutions: PinnedConvolutions, cache: string): Promise<string> {
  if (await areCached(convolutions, cache)) return "(in the cache)";
  return `(with pip, ${formatBytes(convolutions.archive.bytes)})`;
}

function areCached(convolutions: PinnedConvolutions, cache: string): Promise<boolean> {
  return hasSize(cachedConvolutionsPath(convolutions, cache), convolutions.bytes);
}

async function hasSize(path: string, bytes: number): Promise<boolean> {
  const { size } = await Deno.stat(path).catch(() => ({ size: -1 }));
  return size === bytes || (bytes === 0 && size > 0);
}
