/**
 * Whether a disk has room for features.
 *
 * @module
 */

import { diskRemedy, isDiskFull } from "../../io/disk_error.ts";
import { StudyError } from "../../io/errors.ts";
import { freeSpace } from "../../io/free_space.ts";
import { formatBytes, type Reporter } from "../../io/reporter.ts";
import { systemReason } from "../../io/system_reason.ts";

/** What helps a run whose features find no room, besides another folder. */
export interface FewerFeatures {
  /** How there are fewer. */
  fewer: string;
  /** How none are kept, where a run can do without. */
  none?: string;
}

const OF_IMAGES: FewerFeatures = {
  fewer: "use fewer images with --limit and --test-limit",
  none: "compute features again in every epoch with --no-feature-cache",
};

/** What helps where there is no room for them. */
function roomRemedy({ fewer, none }: FewerFeatures): string {
  const others = none === undefined ? `or ${fewer}` : `${fewer}, or ${none}`;
  return `free space there, name a folder on another disk in MNIST_STUDY_CACHE, ${others}`;
}

/**
 * The error for a file of features that could not be written.
 *
 * @param without What helps besides another folder; by default what part 4 has.
 */
export function featureStoreError(
  folder: string,
  error: unknown,
  without: FewerFeatures = OF_IMAGES,
): StudyError {
  const { none } = without;
  const remedy = isDiskFull(error)
    ? roomRemedy(without)
    : `${diskRemedy(error)} with MNIST_STUDY_CACHE${none === undefined ? "" : `, or ${none}`}`;
  return new StudyError(`Cannot keep features in ${folder} (${systemReason(error)}): ${remedy}`, {
    cause: error,
  });
}

/**
 * Says how much disk features need, and makes sure that there is as much.
 *
 * @param bytes What they need; nothing is said of 0.
 * @param folder Where they go; it need not exist yet.
 * @param options `without` is what helps besides another folder, by default what part 4 has.
 * @throws {StudyError} If there is less.
 */
export async function requireRoom(
  bytes: number,
  folder: string,
  { reporter, without = OF_IMAGES }: { reporter: Reporter; without?: FewerFeatures },
): Promise<void> {
  if (bytes === 0) return;
  const free = await freeSpace(folder);
  const room = free === undefined ? "" : ` of the ${formatBytes(free)} that are free`;
  reporter.line(`Features will take ${formatBytes(bytes)}${room} in ${folder}`);
  if (free !== undefined && bytes > free) {
    throw new StudyError(
      `Not enough room for features: they take ${formatBytes(bytes)} and ${folder} has ` +
        `${formatBytes(free)}: ${roomRemedy(without)}`,
    );
  }
}
