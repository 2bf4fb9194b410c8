/**
 * Whether the Deno that runs is new enough.
 *
 * @module
 */

import { compareVersions } from "./compare_versions.ts";
import { StudyError } from "./errors.ts";

/** The oldest Deno that has all that the suite calls, such as Node's `process.resourceUsage()`. */
export const OLDEST_DENO = "2.9";

/** Why the suite does not run on a Deno, with what helps; `undefined` if it does. */
export function denoProblem(version: string = Deno.version.deno): StudyError | undefined {
  if (compareVersions(version, OLDEST_DENO) >= 0) return undefined;
  return new StudyError(`This is Deno ${version}, and ${OLDEST_DENO} or newer is needed`, {
    remedy: "run deno upgrade, or update Deno as it was installed",
  });
}
