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

/** What helps wherever features cannot be stored. */
const WITHOUT_CACHE = "or compute features again in every epoch with --no-feature-cache";

/** What helps where there is no room for them. */
const ROOM_REMEDY = "free space there, name a folder on another disk in MNIST_STUDY_CACHE, " +
  `use fewer images with --limit and --test-limit, ${WITHOUT_CACHE}`;

/** The error for a file of features that could not be written. */
export function featureStoreError(folder: string, error: unknown): StudyError {
  const remedy = isDiskFull(error)
    ? ROOM_REMEDY
    : `${diskRemedy(error)} with MNIST_STUDY_CACHE, ${WITHOUT_CACHE}`;
  return new StudyError(`Cannot keep features in ${folder} (${systemReason(error)}): ${remedy}`, {
    cause: error,
  });
}

/**
 * Says how much disk features need, and makes sure that there is as much.
 *
 * @param bytes What they need; nothing is said of 0.
 * @param folder Where they go; it need not exist yet.
 * @throws {StudyError} If there is less.
 */
export async function requireRoom(
  bytes: number,
  folder: string,
  reporter: Reporter,
): Promise<void> {
  if (bytes === 0) return;
  const free = await freeSpace(folder);
  const room = free === undefined ? "" : ` of the ${formatBytes(free)} that are free`;
  reporter.line(`Features will take ${formatBytes(bytes)}${room} in ${folder}`);
  if (free !== undefined && bytes > free) {
    throw new StudyError(
      `Not enough room for features: they take ${formatBytes(bytes)} and ${folder} has ` +
        `${formatBytes(free)}: ${ROOM_REMEDY}`,
    );
  }
}
