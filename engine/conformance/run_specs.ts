/**
 * Runs jasmine specs and collects how each ended.
 *
 * @module
 */

import jasmineRequire from "jasmine-core/lib/jasmine-core/jasmine.js";

/** How one spec ended. */
export interface SpecResult {
  /** Full name, the groups' names first. */
  name: string;
  /** True unless an expectation failed or something was thrown. */
  passed: boolean;
  /** First line of each failed expectation's message. */
  messages: string[];
  /** Milliseconds. */
  duration: number;
}

/** Options of {@linkcode runSpecs}. */
export interface RunSpecsOptions {
  /** Loads the modules that define the specs. */
  load: () => Promise<void>;
  /** Whether to run the spec of this full name. */
  select: (name: string) => boolean;
  /** Called after each spec that ran, with the number of specs to run. */
  onResult: (result: SpecResult, total: number) => void;
}

/**
 * Defines specs with jasmine's functions as globals, then runs those selected, in order.
 *
 * @throws {Error} If something fails outside of any spec.
 */
export async function runSpecs({ load, select, onResult }: RunSpecsOptions): Promise<void> {
  const jasmine = jasmineRequire.core(jasmineRequire);
  const env = jasmine.getEnv();
  Object.assign(globalThis, jasmineRequire.interface(jasmine, env));
  await load();
  let total = 0;
  env.configure({ random: false, specFilter: (spec) => select(spec.getFullName()) });
  env.clearReporters();
  env.addReporter({
    jasmineStarted: ({ totalSpecsDefined }) => void (total = totalSpecsDefined),
    specDone({ status, fullName, failedExpectations, duration }) {
      if (status !== "passed" && status !== "failed") return;
      const messages = failedExpectations.map(({ message }) => message.trim().split("\n")[0]!);
      onResult(
        { name: fullName, passed: status === "passed", messages, duration: duration ?? 0 },
        total,
      );
    },
  });
  const { overallStatus, failedExpectations } = await env.execute();
  const [failure] = failedExpectations;
  if (failure !== undefined) throw new Error(`Outside of any spec: ${failure.message}`);
  if (overallStatus === "incomplete" && total === 0) throw new Error("No specs were defined");
}
