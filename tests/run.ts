/**
 * Runs the tests, each file in a process of its own, and two of them at a time where the machine has room
 * for that. A file's engine, memory and environment are then its own, and while the test of one waits for
 * a program that it has started, the other computes.
 *
 *     deno task test                  # all of them
 *     deno task test tests/metrics    # what `deno test` makes of these words, in one process
 *
 * What a file prints appears when it has ended; the last line counts all of them, as `deno test` does.
 *
 * @module
 */

import { join, relative } from "node:path";
import { repositoryRoot } from "../io/cache.ts";
import { filesIn } from "./scripts/files_in.ts";
import { addCounts, countsIn, formatCounts, NO_TESTS } from "./test_counts.ts";

/** What a file's process takes at most, with what it starts: VGG16 in training, and PyTorch beside it. */
const MOST_BYTES = 6e9;

/** Files that take longest, begun first: none of them is left to run alone at the end. */
const LONGEST = [
  "engine/wasm/parity",
  "scripts/part4_script",
  "draw/page",
  "scripts/dry_run",
  "scripts/offline",
  "scripts/part1_script",
  "workflow/workflow",
].map((name) => join("tests", `${name}_test.ts`));

const ROOT = repositoryRoot();
const LOCK = "--lock=deno.full.lock";
const TEST = ["test", "-q", LOCK, "-P=test"];

async function main(): Promise<number> {
  if (Deno.args.length > 0) return (await deno([...TEST, ...Deno.args], "inherit")).code;
  const started = performance.now();
  const failed: string[] = [];
  let counts = NO_TESTS;
  const files = filesIn(join(ROOT, "tests")).map((path) => relative(ROOT, path))
    .filter((path) => path.endsWith("_test.ts")).sort();
  const jobs = ["types", ...LONGEST, ...files.filter((file) => !LONGEST.includes(file))];
  const work = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const isTypes = job === "types";
      const args = isTypes ? ["check", "-q", LOCK, "tests/"] : [...TEST, "--no-check", job];
      const { code, output } = await deno(args, "piped");
      console.log(output.trim());
      const found = countsIn(output);
      if (found !== undefined) counts = addCounts(counts, found);
      if (code === 0 && (isTypes || found !== undefined)) continue;
      failed.push(`${job} ended with status ${code}`);
      // It died on the way, or did not come to its tests.
      if (!found?.failed) counts = addCounts(counts, { ...NO_TESTS, failed: 1 });
    }
  };
  await Promise.all(Array.from({ length: atATime() }, work));
  if (failed.length > 0) console.log(`\nFailed:\n${failed.map((line) => `  ${line}\n`).join("")}`);
  console.log(`\n${formatCounts(counts, (performance.now() - started) / 1000)}`);
  return failed.length === 0 ? 0 : 1;
}

/** How many files at a time: one for each core and {@linkcode MOST_BYTES} of memory, two at most. */
function atATime(): number {
  const room = Math.floor(Deno.systemMemoryInfo().available / MOST_BYTES);
  return Math.max(1, Math.min(2, navigator.hardwareConcurrency, room));
}

/** Runs Deno in the repository's folder. */
async function deno(
  args: string[],
  stdout: "inherit" | "piped",
): Promise<{ code: number; output: string }> {
  const streams = { stdin: "null", stdout, stderr: stdout } as const;
  const child = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, ...streams }).spawn();
  if (stdout === "inherit") return { code: (await child.status).code, output: "" };
  const result = await child.output();
  const decoder = new TextDecoder();
  return {
    code: result.code,
    output: decoder.decode(result.stdout) + decoder.decode(result.stderr),
  };
}

if (import.meta.main) Deno.exit(await main());
