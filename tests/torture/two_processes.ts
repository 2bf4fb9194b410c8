/** Two processes that want the same run, or the same results, at the same moment. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { part1, start } from "../scripts/part1_process.ts";
import { join } from "node:path";
import { runFolder } from "../../report/record/run_folder.ts";
import { isRunning } from "../../report/record/run_lock.ts";
import type { Campaign } from "./campaign.ts";
import { Results, sleep, startWith, STOP } from "./small_run.ts";

const GOING_ON = /^error: Cannot resume \S+: it is going on in another process\./;

/**
 * Writes of a run that is resumed between which it holds its folder, and not the result files, for which
 * another would wait.
 */
const HELD_WRITES = { first: 20, last: 59 };

export const TWO_PROCESSES: Campaign = {
  title: "two processes in one run",
  async run(work) {
    let results = await Results.begin(work);
    for (let turn = 0; work.goesOn; turn++) {
      const [what, action] = WAYS[turn % WAYS.length]!;
      const drawn = work.draw.below(1000);
      const isSound = await work.attempt(`${what}, ${drawn}`, () => action(results, drawn));
      if (!isSound) results = await Results.begin(work);
    }
  },
};

/** What two processes may do at once, and how it goes with a number that is drawn. */
const WAYS: readonly (readonly [string, (results: Results, drawn: number) => Promise<void>])[] = [
  ["a second --resume while the first is held at a write", resumeBesideOneHeld],
  ["two that begin", twoThatBegin],
  ["two that resume", twoThatResume],
];

/** Leaves a run that was killed in its second epoch, when it had a checkpoint. */
async function cutShort({ flags }: Results): Promise<void> {
  const cut = start(flags);
  await cut.until(/^Train Epoch: 2 /m);
  cut.kill("SIGKILL");
  await cut.end();
}

/** One that has the run, and is held at some write of it, has it alone. */
async function resumeBesideOneHeld(results: Results, drawn: number): Promise<void> {
  await cutShort(results);
  const flags = [...results.flags, "--resume"];
  const at = HELD_WRITES.first + drawn % (HELD_WRITES.last - HELD_WRITES.first + 1);
  const first = startWith(`--preload=${STOP}?at=${at}`, flags);
  await first.until(/^at write/m);
  const runIds = [...Deno.readDirSync(join(results.out, "runs"))].map(({ name }) => name).sort();
  assert(await isRunning(runFolder(results.out, runIds.at(-1)!)), `nobody has it at write ${at}`);
  const second = await part1(flags);
  // It goes back to one that is finished, or refuses.
  if (second.code === 0) {
    assertMatch(second.stdout, /is going on in another process: passed over$/m);
  } else assertMatch(second.stderr, GOING_ON);
  first.kill("SIGKILL");
  await first.end();
  await results.resume();
}

/** Of two that would go on with one run, one does, or one after the other. */
async function twoThatResume(results: Results, ms: number): Promise<void> {
  await cutShort(results);
  const { flags } = results;
  const first = part1([...flags, "--resume"]);
  await sleep(ms);
  const ends = await Promise.all([first, part1([...flags, "--resume"])]);
  for (const { code, stderr } of ends) {
    assertEquals(code, stderr === "" ? 0 : 1, stderr);
    if (stderr === "") continue;
    assertMatch(stderr, GOING_ON);
  }
  assert(ends.some(({ code }) => code === 0), "neither went on");
  await results.resume();
}

/** Two new runs have a row each. */
async function twoThatBegin(results: Results, ms: number): Promise<void> {
  const before = (await results.check()).length;
  const first = part1(results.flags);
  await sleep(ms);
  for (const { code, stderr } of await Promise.all([first, part1(results.flags)])) {
    assertEquals([code, stderr], [0, ""]);
  }
  assertEquals((await results.check()).length, before + 2, "rows");
}
