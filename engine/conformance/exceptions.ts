/**
 * Specs of tfjs-core's test suite that fail on the `tensorflow` backend for a reason in TensorFlow
 * itself.
 *
 * `deno task conformance` runs them anyway and reports any that passes. What tfjs-node-gpu
 * leaves out already is not repeated here.
 *
 * @module
 */

/** A spec that is known to fail, and why. */
export interface ConformanceException {
  /** The spec's full name, or the beginning of several; any if absent. */
  spec?: string;
  /** What the first line of its message has in it; anything if absent. */
  message?: string;
  /** What makes it fail, in one line. */
  reason: string;
}

export const CONFORMANCE_EXCEPTIONS: readonly ConformanceException[] = [
  {
    spec: "round test-tensorflow {} int32",
    reason:
      "libtensorflow 2.21's CPU kernel Round<int32> returns zeros; tf.raw_ops.Round does so " +
      "in Python too (there tf.round() returns integers as they are, without calling it)",
  },
];
