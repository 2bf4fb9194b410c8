/**
 * Tells tfjs-core's test suite which backend to run against; imported before the tests, which ask
 * for it as they are loaded.
 *
 * @module
 */

import { setTestEnvs } from "@tensorflow/tfjs-core/dist/jasmine_util.js";

/** The bundle's address says it, as `?backend=NAME`. */
const backendName = new URL(import.meta.url).searchParams.get("backend")!;

/** Settings of tfjs under which the specs run. */
const FLAGS: Readonly<Record<string, Record<string, boolean>>> = {
  // Else small tensors are computed in JavaScript.
  webgpu: { WEBGPU_CPU_FORWARD: false },
};

/** Name of the environment in each spec's full name; tfjs-node's list of exceptions uses it. */
setTestEnvs([{
  name: `test-${backendName}`,
  backendName,
  flags: FLAGS[backendName] ?? {},
  isDataSync: true,
}]);
