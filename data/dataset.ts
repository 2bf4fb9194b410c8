/**
 * Digits in memory: 8-bit grey images of 28×28 pixels with their labels, split into a training and
 * a test part.
 *
 * @module
 */

/** Width and height of an image. */
export const IMAGE_SIDE = 28;
/** Pixels of an image. */
export const IMAGE_PIXELS: number = IMAGE_SIDE ** 2;

/** Images and labels of one part, in a fixed order. */
export interface ImageSet {
  /** Grey values 0 to 255, `[count * 784]`: image after image, row after row. */
  images: Uint8Array;
  /** Classes 0 to 9, `[count]`. */
  labels: Uint8Array;
  /** How many there are. */
  count: number;
}

/** A data set as a run uses it. */
export interface Dataset {
  /**
   * What the CSV's `dataset` column says: `mnist`, `fashion-mnist`, or `dir:<folder name>` for files
   * of one's own.
   */
  name: string;
  /** What the model is trained on. */
  train: ImageSet;
  /** What the model is tested on. */
  test: ImageSet;
  /**
   * SHA-256 of training images, training labels, test images and test labels, one after the other,
   * before any limit; lower-case hexadecimal.
   */
  sha256: string;
  /** Where the bytes came from, for people: a package, a mirror or a folder. */
  source: string;
  /** The folder that the files are in, where it is not the suite's own. */
  folder?: string;
}
