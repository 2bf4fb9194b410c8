/** Part 1 as campaigns run it, and what must hold of its results whatever was done to it. */

import { assert, assertEquals } from "@std/assert";
import { dirname, join, relative } from "node:path";
import { exists } from "../../io/path_kind.ts";
import { formatRow, HEADER, type ResultRow } from "../../report/record/results.ts";
import { runFolder } from "../../report/record/run_folder.ts";
import { filesIn, part1, Program, rowsOf, TASK } from "../scripts/part1_process.ts";
import type { Work } from "./campaign.ts";

/** Two epochs of a few steps. */
export const SMALL_RUN: readonly string[] = [
  ...["--data=mnist", "--limit=96", "--batch-size=32", "--test-limit=40", "--epochs=2"],
];

/** Stops a run at a write: to be loaded before it. */
export const STOP = new URL("./stop_at_write.ts", import.meta.url);

/** Starts part 1 with something loaded before it. */
export function startWith(preload: string, flags: readonly string[]): Program {
  return new Program(Deno.execPath(), [...TASK.slice(0, -1), preload, TASK.at(-1)!, ...flags]);
}

/** Copies a folder into one that is made if missing. */
export async function copyFolder(from: string, to: string): Promise<void> {
  for (const path of filesIn(from)) {
    const copy = join(to, relative(from, path));
    await Deno.mkdir(dirname(copy), { recursive: true });
    await Deno.copyFile(path, copy);
  }
}

/** Milliseconds from now. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A results folder with a run that nothing happened to, and what was last known of it. */
export class Results {
  readonly out: string;
  /** Seconds that the run took. */
  readonly seconds: number;
  /** Flags of a run that goes there. */
  readonly flags: readonly string[];
  /** The rows that it must go on having, by run. */
  #known = new Map<string, string>();
  /** What a run that nothing happened to answers. */
  #predictions = "";

  constructor(out: string, seconds = 0) {
    this.out = out;
    this.seconds = seconds;
    this.flags = [...SMALL_RUN, "--out", out];
  }

  /** A new one in a campaign's folder; its first run is made once for all campaigns. */
  static async begin({ folder, tries }: Pick<Work, "folder" | "tries">): Promise<Results> {
    const whole = join(dirname(folder), "undisturbed");
    const time = join(dirname(folder), "undisturbed-seconds");
    if (!await exists(time)) {
      const started = performance.now();
      const { code, stderr } = await part1([...SMALL_RUN, "--out", whole]);
      assertEquals([code, stderr], [0, ""]);
      await Deno.writeTextFile(time, `${(performance.now() - started) / 1000}`);
    }
    const seconds = Number(await Deno.readTextFile(time));
    const results = new Results(join(folder, `results-${tries}`), seconds);
    await copyFolder(whole, results.out);
    const [row] = await results.check();
    results.#predictions = await results.#predictionsOf(row!);
    return results;
  }

  /** Goes on with what was cut short, which must end well, and checks the results. */
  async resume(): Promise<void> {
    const { code, stderr } = await part1([...this.flags, "--resume"]);
    assertEquals([code, stderr], [0, ""], "--resume");
    const rows = await this.check();
    for (const row of rows) {
      if (row.status !== "ok") continue;
      assertEquals(await this.#predictionsOf(row), this.#predictions, `answers of ${row.run_id}`);
    }
    await this.#checkFolders(rows);
  }

  /** Rows are whole, of one run each, and none that was there is gone or another. */
  async check(): Promise<ResultRow[]> {
    const path = join(this.out, "part1.csv");
    const text = await exists(path) ? await Deno.readTextFile(path) : "";
    if (text === "") {
      assertEquals(this.#known.size, 0, "part1.csv is gone");
      return [];
    }
    assert(text.startsWith(`${HEADER}\n`) && text.endsWith("\n"), "part1.csv is not whole");
    const rows = await rowsOf(this.out);
    const lines = new Map(rows.map((row) => [row.run_id, formatRow(row)]));
    assertEquals(lines.size, rows.length, "a run has several rows");
    for (const [runId, line] of this.#known) assertEquals(lines.get(runId), line, "a row is lost");
    // One that was interrupted is replaced when it goes on.
    this.#known = new Map(
      rows.filter(({ status }) => status === "ok").map((
        { run_id },
      ) => [run_id, lines.get(run_id)!]),
    );
    return rows;
  }

  /** Nothing half done is left, and no run that could go on has been passed over. */
  async #checkFolders(rows: readonly ResultRow[]): Promise<void> {
    assertEquals(filesIn(this.out).filter((path) => path.endsWith(".tmp")), [], "half files");
    const finished = new Set(rows.map(({ run_id }) => run_id));
    for (const { name } of Deno.readDirSync(join(this.out, "runs"))) {
      const checkpoint = join(runFolder(this.out, name), "checkpoint.safetensors");
      assert(finished.has(name) || !await exists(checkpoint), `${name} was passed over`);
    }
  }

  #predictionsOf({ run_id }: ResultRow): Promise<string> {
    return Deno.readTextFile(join(runFolder(this.out, run_id), "predictions.csv"));
  }
}
