/**
 * What every part does around its runs: it starts the engine, loads the data, and makes one run
 * after the other, which Ctrl-C may end.
 *
 * @module
 */

import { resolve } from "node:path";
import type { Dataset } from "../data/dataset.ts";
import { isOwnFolder, loadDataset, type LoadDatasetOptions } from "../data/load_dataset.ts";
import {
  type BackendName,
  type Engine,
  type EngineOptions,
  startEngine,
} from "../engine/engine.ts";
import { repositoryRoot } from "../io/cache.ts";
import { type Failure, InterruptedError, StudyError } from "../io/errors.ts";
import { printableJson } from "../io/printable.ts";
import { createReporter, type Reporter, warnOf, writeText } from "../io/reporter.ts";
import { giveUpPrograms } from "../io/run_command.ts";
import { interruptible } from "../io/run_script.ts";
import { shellQuote } from "../io/shell_quote.ts";
import { noticeStops, stopsAfter } from "../io/stop_notice.ts";
import { removeLeftovers } from "../report/record/leftovers.ts";
import { checkResultsFile, type ResultRow, resultsPath } from "../report/record/results.ts";
import type { PartNumber } from "../study.ts";
import { DEFAULT_OUT, PRECISIONS } from "./flags.ts";
import { describeEngine, gitState } from "./provenance.ts";
import { addKeptRows, waitVisibly } from "./recording.ts";
import { backendToResume, type PlannedRuns, precisionToResume } from "./resumed_backend.ts";

/** The flags that decide it. */
export interface SetUpFlags
  extends Omit<EngineOptions, "precision" | "reporter">, Omit<LoadDatasetOptions, "reporter"> {
  backend: "auto" | BackendName;
  out: string;
  resume: boolean;
  tensorboard: boolean;
  quiet: boolean;
  json: boolean;
  precision: keyof typeof PRECISIONS | undefined;
  /**
   * Whether a run may still have to start programs: pip, for weights.
   *
   * @default {false}
   */
  mayStartPrograms?: boolean;
  /**
   * The runs that are to be made, of which some may be resumed.
   *
   * @default {any of the part}
   */
  planned?: PlannedRuns;
}

/** Where a part's runs happen. */
export interface Setup extends Disposable {
  readonly part: PartNumber;
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly reporter: Reporter;
  /** Folder of the results. */
  readonly out: string;
  /** Whether a run that was interrupted is resumed. */
  readonly resume: boolean;
  /**
   * Whether events for TensorBoard are written.
   *
   * @default {false}
   */
  readonly tensorboard?: boolean;
  /** Whether rows are printed as JSON. */
  readonly json: boolean;
  /** The command line, for the manifest. */
  readonly command: readonly string[];
}

/** A setup while runs are made in it. */
export interface RunningSetup extends Setup {
  /** Aborts the run at its next batch. */
  readonly signal: AbortSignal;
}

/**
 * Makes sure that results can be written, starts the engine and loads the data, and says which. After
 * that no program can be started, unless one may be needed.
 *
 * @throws {StudyError} If any of it fails.
 */
export async function setUp(part: PartNumber, flags: SetUpFlags): Promise<Setup> {
  const { out, resume, json, quiet, verbose = false, tensorboard } = flags;
  const reporter = createReporter({ quiet, verbose, stream: json ? "stderr" : "stdout" });
  await checkResultsFile(out, part, waitVisibly(out, reporter));
  await removeLeftovers(out);
  if (resume) await addKeptRows(part, { out, reporter });
  const resumed = resume ? await backendToResume(out, part, flags.planned) : undefined;
  const asked = PRECISIONS[flags.precision ?? "fp32"];
  const precision = precisionToResume(asked, { ...flags, resumed });
  // Files of the user's may be wrong, which is told before an engine is fetched.
  const own = isOwnFolder(flags.data) ? await loadDataset({ ...flags, reporter }) : undefined;
  const engine = await startEngine({ ...flags, precision, reporter, prefer: resumed });
  reporter.line(describeEngine(engine));
  if (precision !== asked) reporter.line(`Precision: ${precision}, ${resumed!.reason}`);
  if (tensorboard) (await import("./tensorboard.ts")).requireSummaries(engine);
  const dataset = own ?? await loadDataset({ ...flags, reporter });
  await gitState();
  if (!flags.mayStartPrograms) await giveUpPrograms();
  reporter.line(
    `Data: ${dataset.name}, ${dataset.train.count} training and ${dataset.test.count} test ` +
      `images (${dataset.source})`,
  );
  return {
    ...{ part, engine, dataset, reporter, out, resume, tensorboard, json, command: Deno.args },
    [Symbol.dispose]: () => engine.dispose(),
  };
}

/** A run to be made. */
export interface PlannedRun {
  /** How it is called where it fails: `SimpleCNN (seed 1)`. */
  title: string;
  start: (setup: RunningSetup) => Promise<ResultRow>;
}

/**
 * Makes runs one after the other, and says where their rows are. One that fails does not stop the
 * others.
 *
 * @throws {InterruptedError} After Ctrl-C, once what is finished is kept.
 * @throws {StudyError} If runs failed, once all others are done; of a single run its own error.
 */
export async function runEach(setup: Setup, runs: readonly PlannedRun[]): Promise<void> {
  const { part, reporter, out, json } = setup;
  const failures: { title: string; error: unknown }[] = [];
  using stack = new DisposableStack();
  if (reporter.terminal) stack.use(noticeStops(json ? "stderr" : "stdout"));
  await interruptible(async (signal) => {
    for (const { title, start } of runs) {
      signal.throwIfAborted();
      stopsAfter(undefined);
      try {
        const row = await start({ ...setup, signal });
        reporter.line(`Run ${row.run_id} is in ${resultsPath(out, part)}`);
        if (!json) continue;
        const unprinted = writeText(Deno.stdout, printableJson(row) + "\n");
        if (unprinted === undefined) continue;
        // It is in the results all the same, and further runs go on.
        reporter.warn(`The row could not be printed (${unprinted.message})`);
        Deno.exitCode = 1;
      } catch (error) {
        if (error instanceof InterruptedError || runs.length === 1) throw error;
        failures.push({ title, error });
        warnOf(reporter, failureOf(error), `${title} failed: `);
      }
    }
  });
  const isDefault = resolve(out) === resolve(repositoryRoot(), DEFAULT_OUT);
  reporter.line(
    `See the comparison with: deno task compare${
      isDefault ? "" : ` --out ${shellQuote(resolve(out))}`
    }`,
  );
  if (failures.length === 0) return;
  throw new StudyError(
    `${failures.length} of ${runs.length} runs failed: ` +
      `${
        listed(failures.map(({ title }) => title))
      }; the reasons are above and, of those that were ` +
      `begun, in ${resultsPath(out, part)}`,
    { cause: failures[0]!.error },
  );
}

function failureOf(error: unknown): Failure {
  if (error instanceof StudyError) return error;
  return { what: error instanceof Error ? error.message : String(error) };
}

/** Names of the first few, and how many there are besides. */
function listed(titles: readonly string[]): string {
  const shown = 3;
  const more = titles.length > shown ? ` and ${titles.length - shown} more` : "";
  return titles.slice(0, shown).join(", ") + more;
}
