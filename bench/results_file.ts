/**
 * `bench.json` and the page of it, while a run of the bench adds to them. Another run may do so too: what
 * is found is added, under a lock, to what is there then.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { withLock } from "../io/lock.ts";
import type { Reporter } from "../io/reporter.ts";
import {
  type BenchResults,
  type Measurement,
  type PairedTiming,
  readBenchResults,
} from "../report/record/bench_results.ts";
import {
  isComparable,
  recordFinding,
  type RecordOptions,
  type UnfinishedCases,
  withEarlier,
} from "./earlier_runs.ts";
import { renderPage } from "./page.ts";
import { readTrials, TRIALS_FILE } from "./recipe_trials.ts";

/** What is written into the folder: the findings, and a page of them. */
export const [RESULTS, PAGE] = ["bench.json", "bench.md"] as const;

/** The results of a run. */
export class ResultsFile {
  #started: BenchResults;
  #results: BenchResults;
  #folder: string;
  #reporter: Reporter;
  #unfinished: UnfinishedCases = new Map();

  /**
   * @param started The run, which has found nothing yet.
   * @param folder Where it writes; made if missing.
   */
  constructor(started: BenchResults, folder: string, reporter: Reporter) {
    this.#started = started;
    this.#results = { ...started };
    this.#folder = folder;
    this.#reporter = reporter;
  }

  /** What has been found, with what is known of other cases. */
  get results(): BenchResults {
    return this.#results;
  }

  /** Reads what is there of this machine. What cannot stand beside it is put aside, not lost. */
  async read(): Promise<void> {
    await this.#alone(() => this.#takeOver());
  }

  /** Adds a finding, and writes results and page; see {@linkcode recordFinding}. */
  async record(
    finding: PairedTiming | Measurement,
    { isLast = true }: Pick<RecordOptions, "isLast"> = {},
  ): Promise<void> {
    await this.#alone(async () => {
      await this.#takeOver();
      const results = this.#results;
      const putAside = recordFinding(results, finding, { isLast, unfinished: this.#unfinished });
      for (const { title } of putAside) {
        this.#reporter.warn(
          `${title}: an earlier run has found more of it, and that stays: it had PyTorch, or more ` +
            "pairs, seconds, epochs or steps",
        );
      }
      results.finished_at = new Date().toISOString();
      await writeFileAtomic(this.#path, `${JSON.stringify(results, null, 2)}\n`);
      await writePage(this.#folder, results);
    });
  }

  get #path(): string {
    return join(this.#folder, RESULTS);
  }

  async #alone(action: () => Promise<void>): Promise<void> {
    await withLock(join(this.#folder, ".lock"), action);
  }

  /** What another run has written since this one did. */
  async #takeOver(): Promise<void> {
    const found = await readBenchResults(this.#path);
    if (found === null || found.started_at === this.#started.started_at) return;
    if (isComparable(this.#started, found)) {
      this.#results = withEarlier(this.#started, found);
      return;
    }
    const path = this.#path;
    const aside = path.replace(/\.json$/, `-${found.started_at.replace(/[-:]|\.\d+/g, "")}.json`);
    await Deno.rename(path, aside);
    this.#reporter.warn(
      `${path} is not known to be of the same machine, data and backend: it is now ${aside}`,
    );
  }
}

/** Writes the page of results into their folder, with the recipes' trials that are there. */
export async function writePage(folder: string, results: BenchResults): Promise<void> {
  const trials = await readTrials(join(folder, TRIALS_FILE));
  await writeFileAtomic(join(folder, PAGE), renderPage(results, trials));
}
