/**
 * The case `scaling`: whether an image costs as much among many as among few.
 *
 * @module
 */

import type { Measurement } from "../report/record/bench_results.ts";
import { DATA } from "../study.ts";
import type { BenchContext } from "./context.ts";
import { checkEnoughImages } from "./image_counts.ts";
import { part1Rows } from "./program_times.ts";

/** How many times the smaller set is gone through, for as many images as the whole one has. */
const PASSES = 10;

/** Images that either is tested on. */
const TEST_IMAGES = 1_000;

/**
 * Trains on the whole set once and on a tenth of it ten times: as many images, and steps.
 *
 * @throws {StudyError} If a run fails, or there are fewer images than the study's.
 */
export async function measureScaling(
  context: BenchContext,
  folder: string,
): Promise<Measurement[]> {
  checkEnoughImages(context.images, { train: DATA.trainImages, test: TEST_IMAGES });
  const few = DATA.trainImages / PASSES;
  const seconds = [];
  for (
    const [images, epochs] of [[few, PASSES], [DATA.trainImages, 1]] as const
  ) {
    context.reporter.live(`Training on ${images} images, epochs: ${epochs}`);
    const size = [
      "--limit",
      `${images}`,
      "--test-limit",
      `${TEST_IMAGES}`,
      "--epochs",
      `${epochs}`,
    ];
    const [row] = await part1Rows(context, size, folder);
    seconds.push(Number(row!.training_time_s));
  }
  const [short, long] = seconds as [number, number];
  return [{
    ...{ case: "scaling", unit: "times", on: context.ours, value: long / short },
    title: `Seconds of an image among ${DATA.trainImages}, of those among ${few}`,
    note: `${long.toFixed(1)} s for one epoch, ${short.toFixed(1)} s for ${PASSES}`,
  }];
}
