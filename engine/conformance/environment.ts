/**
 * Tells tfjs-core's test suite which backend to run against; imported before the tests, which ask
 * for it as they are loaded.
 *
 * @module
 */

import { setTestEnvs } from "@tensorflow/tfjs-core/dist/jasmine_util.js";

/** Name of the environment in each spec's full name; tfjs-node's list of exceptions uses it. */
setTestEnvs([{
  name: "test-tensorflow",
  backendName: "tensorflow",
  flags: {},
  isDataSync: true,
}]);
