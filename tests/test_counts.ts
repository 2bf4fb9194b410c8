/**
 * The line in which `deno test` counts what it has run.
 *
 * @module
 */

/** What came of some tests. */
export interface TestCounts {
  passed: number;
  /** Parts of tests that passed. */
  steps: number;
  failed: number;
  ignored: number;
}

/** Of no test at all. */
export const NO_TESTS: TestCounts = { passed: 0, steps: 0, failed: 0, ignored: 0 };

/** What a run of `deno test` counted at its end; `undefined` if it did not come to that. */
export function countsIn(output: string): TestCounts | undefined {
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\x1b\[[\d;]*m/g, "");
  const line = plain.match(/^(?:ok|FAILED) \| \d+ passed.*$/gm)?.at(-1);
  if (line === undefined) return undefined;
  const count = (pattern: RegExp) => Number(pattern.exec(line)?.[1] ?? 0);
  return {
    passed: count(/(\d+) passed/),
    steps: count(/passed \((\d+) steps?\)/),
    failed: count(/(\d+) failed/),
    ignored: count(/(\d+) ignored/),
  };
}

/** What two runs counted together. */
export function addCounts(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    steps: one.steps + other.steps,
    failed: one.failed + other.failed,
    ignored: one.ignored + other.ignored,
  };
}

/** The same line for them. */
export function formatCounts(
  { passed, steps, failed, ignored }: TestCounts,
  seconds: number,
): string {
  const time = seconds < 60
    ? `${seconds.toFixed(0)}s`
    : `${Math.floor(seconds / 60)}m${Math.floor(seconds % 60)}s`;
  const parts = [
    `${passed} passed${steps > 0 ? ` (${steps} steps)` : ""}`,
    `${failed} failed`,
    ...(ignored > 0 ? [`${ignored} ignored`] : []),
  ];
  return `${failed === 0 ? "ok" : "FAILED"} | ${parts.join(" | ")} (${time})`;
}
