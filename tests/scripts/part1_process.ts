/** Part 1 in a process of its own, for its tests. */

import { assertEquals, assertFalse } from "@std/assert";
import { join } from "node:path";
import { findLibrary } from "../../engine/library/find_library.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { silentReporter } from "../../io/reporter.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, type ResultRow } from "../../report/record/results.ts";
import { taskArgs } from "../task.ts";

export { filesIn } from "./files_in.ts";

const library = await findLibrary({ reporter: silentReporter });

/** What Deno is called with for `deno task part1`. */
export const TASK = taskArgs("part1");

/** Environment of the processes. */
export const ENV = { NO_COLOR: "1", TERM: "xterm", LIBTENSORFLOW_PATH: library.path };

/** 101 steps an epoch: one more than between two log lines. */
export const SMALL = ["--data=mnist", "--limit=101", "--batch-size=1", "--test-limit=40"];

/** A single step. */
export const TINY = ["--limit=1", "--test-limit=1", "--epochs=1"];

/** More epochs than any test waits for. */
export const ENDLESS = ["--epochs", "1000"];

/** A program that is running, and what it has written so far. */
export class Program {
  stdout = "";
  stderr = "";
  #child: Deno.ChildProcess;
  #streams: Promise<unknown>;
  #waiting: (() => void)[] = [];

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      cwd: repositoryRoot(),
      env: { ...ENV, ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#streams = Promise.all([this.#follow("stdout"), this.#follow("stderr")]);
  }

  async #follow(stream: "stdout" | "stderr"): Promise<void> {
    for await (const text of this.#child[stream].pipeThrough(new TextDecoderStream())) {
      this[stream] += text;
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  /** Waits until standard output matches; the program is killed if it has not within a minute. */
  async until(pattern: RegExp): Promise<void> {
    let ended = false;
    this.#streams.then(() => {
      ended = true;
      for (const wake of this.#waiting.splice(0)) wake();
    });
    const timer = setTimeout(() => this.kill("SIGKILL"), 60_000);
    try {
      while (!pattern.test(this.stdout)) {
        assertFalse(ended, `no ${pattern} in\n${this.stdout}\n${this.stderr}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Types on the program's standard input. */
  async type(text: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    writer.releaseLock();
  }

  async end(): Promise<{ code: number; stdout: string; stderr: string }> {
    const [{ code }] = await Promise.all([this.#child.status, this.#streams]);
    await this.#child.stdin.close().catch(() => {});
    return { code, stdout: this.stdout, stderr: this.stderr };
  }
}

/** Starts part 1. */
export function start(args: readonly string[], env: Record<string, string> = {}): Program {
  return new Program(Deno.execPath(), [...TASK, ...args], env);
}

/** Runs part 1 to its end. */
export function part1(args: readonly string[], env: Record<string, string> = {}) {
  return start(args, env).end();
}

/** Runs a task that loads a run's model, and presses Ctrl-C while it does. */
export async function stoppedWhileLoading(task: string, args: readonly string[]) {
  const [run, ...rest] = taskArgs(task);
  const preload = ["--preload", `${import.meta.dirname}/slow_checkpoint.ts`];
  const program = new Program(Deno.execPath(), [run!, ...preload, ...rest, ...args]);
  await program.until(/Loading/);
  program.kill("SIGINT");
  return await program.end();
}

/** The rows of `out`'s part1.csv, which is without problems. */
export async function rowsOf(out: string): Promise<ResultRow[]> {
  const problems = new ProblemList();
  const rows = await readResults(join(out, "part1.csv"), problems);
  assertEquals(problems.list(), []);
  return rows.map(({ row }) => row);
}
