/**
 * Runs jasmine specs and tells how each ended.
 *
 * @module
 */

import jasmineRequire from "jasmine-core/lib/jasmine-core/jasmine.js";

/** How one spec ended. */
export interface SpecResult {
  /** Full name, the groups' names first. */
  name: string;
  /** `pending` if the suite itself has switched it off. */
  status: "passed" | "failed" | "pending";
  /** First line of the first failure's message; empty unless failed. */
  message: string;
}

export interface RunSpecsOptions {
  /** Loads the modules that define the specs. */
  load: () => Promise<void>;
  /** Whether to run the spec of this full name. */
  select: (name: string) => boolean;
  /** Called after each selected spec, with the number of specs defined. */
  onResult: (result: SpecResult, total: number) => void;
}

/** What is used of jasmine, whose package has no types. */
interface Jasmine {
  core(self: Jasmine): { getEnv(): JasmineEnv };
  interface(jasmine: unknown, env: JasmineEnv): Record<string, unknown>;
}

interface JasmineEnv {
  configure(options: {
    random: boolean;
    specFilter: (spec: { getFullName(): string }) => boolean;
  }): void;
  clearReporters(): void;
  addReporter(reporter: {
    jasmineStarted(info: { totalSpecsDefined: number }): void;
    specDone(result: JasmineResult & { status: string; fullName: string }): void;
    suiteDone(result: JasmineResult): void;
  }): void;
  execute(): Promise<JasmineResult>;
}

interface JasmineResult {
  failedExpectations: readonly { message: string }[];
}

/**
 * Defines specs with jasmine's functions as globals, then runs those selected, in order.
 *
 * @throws {Error} If something fails outside of the specs, or there are none.
 */
export async function runSpecs({ load, select, onResult }: RunSpecsOptions): Promise<void> {
  const { core, interface: globals }: Jasmine = jasmineRequire;
  const jasmine = core(jasmineRequire);
  const env = jasmine.getEnv();
  Object.assign(globalThis, globals(jasmine, env));
  await load();
  let total = 0;
  env.configure({ random: false, specFilter: (spec) => select(spec.getFullName()) });
  env.clearReporters();
  env.addReporter({
    jasmineStarted: ({ totalSpecsDefined }) => void (total = totalSpecsDefined),
    specDone({ status, fullName, failedExpectations }) {
      if (status === "excluded") return;
      const result = status === "passed" || status === "pending" ? status : "failed";
      onResult({ name: fullName, status: result, message: firstLine(failedExpectations) }, total);
    },
    suiteDone: ({ failedExpectations }) => refuse(failedExpectations),
  });
  const { failedExpectations } = await env.execute();
  refuse(failedExpectations);
  if (total === 0) throw new Error("The suite has defined no specs");
}

/** Failures of a group, or of the whole run, belong to no spec. */
function refuse(failures: JasmineResult["failedExpectations"]): void {
  if (failures.length > 0) throw new Error(`Failure outside of the specs: ${firstLine(failures)}`);
}

function firstLine([first]: JasmineResult["failedExpectations"]): string {
  return first?.message.trim().split("\n")[0] ?? "";
}
