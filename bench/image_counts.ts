/**
 * How many images the data set has, and findings that are of so many.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import { formatCount } from "../report/analysis/format_numbers.ts";
import { DATA } from "../study.ts";

/** Images of a data set. */
export interface ImageCounts {
  train: number;
  test: number;
}

/** The study's, of which titles and targets speak. */
const STUDY_IMAGES: ImageCounts = { train: DATA.trainImages, test: DATA.testImages };

/**
 * For a finding whose title or target says how many images it is of.
 *
 * @param needed Those counts: the study's unless others are given.
 * @throws {StudyError} If the data set has other ones.
 */
export function checkStudyImages(
  images: ImageCounts,
  needed: Partial<ImageCounts> = STUDY_IMAGES,
): void {
  const { train = images.train, test = images.test } = needed;
  if (images.train !== train || images.test !== test) throw mismatch(describe(needed), images);
}

/**
 * For a finding that takes a part of the data set.
 *
 * @throws {StudyError} If the data set has fewer.
 */
export function checkEnoughImages(images: ImageCounts, least: Partial<ImageCounts>): void {
  const { train = 0, test = 0 } = least;
  if (images.train < train || images.test < test) {
    throw mismatch(`at least ${describe(least)}`, images);
  }
}

/** A remark on whole runs where the data set is not of the study's size. */
export function sizeNote(images: ImageCounts): string | undefined {
  const { train, test } = STUDY_IMAGES;
  if (images.train === train && images.test === test) return undefined;
  return `with ${describe(images)} instead of the study's ${describe(STUDY_IMAGES)}`;
}

function mismatch(needed: string, images: ImageCounts): StudyError {
  return new StudyError(`this takes ${needed}: the data set has ${describe(images)}`);
}

function describe({ train, test }: Partial<ImageCounts>): string {
  const counts = [
    ...(train === undefined ? [] : [`${formatCount(train)} training`]),
    ...(test === undefined ? [] : [`${formatCount(test)} test`]),
  ];
  return `${counts.join(" and ")} images`;
}
