/** Runs that are killed: at random moments, and at each thing that they do to the disk. */

import { assert } from "@std/assert";
import { start } from "../scripts/part1_process.ts";
import type { Campaign } from "./campaign.ts";
import { Results, sleep, startWith, STOP } from "./small_run.ts";

export const RANDOM_KILLS: Campaign = {
  title: "killed at random moments",
  async run(work) {
    let results = await Results.begin(work);
    while (work.goesOn) {
      const ms = work.draw.below(Math.ceil(1000 * results.seconds));
      const isSound = await work.attempt(`killed after ${ms} ms`, async () => {
        const run = start(results.flags);
        await sleep(ms);
        try {
          run.kill("SIGKILL");
        } catch {
          // It was faster this time.
        }
        await run.end();
        await results.check();
        await results.resume();
      });
      if (!isSound) results = await Results.begin(work);
    }
  },
};

export const KILLS_AT_WRITES: Campaign = {
  title: "killed at each write",
  async run(work) {
    let results = await Results.begin(work);
    const { stdout, stderr } = await startWith(`--preload=${STOP}?at=0`, results.flags).end();
    const writes = Number(/^(\d+) writes$/m.exec(stdout)?.[1]);
    assert(writes > 0, `no writes were counted:\n${stdout}${stderr}`);
    await results.check();
    const left = Array.from({ length: writes }, (_, i) => i + 1);
    while (left.length > 0 && work.goesOn) {
      const [at] = left.splice(work.draw.below(left.length), 1);
      const isSound = await work.attempt(`killed at write ${at}`, async () => {
        const run = startWith(`--preload=${STOP}?at=${at}`, results.flags);
        await run.until(/^at write /m);
        run.kill("SIGKILL");
        await run.end();
        await results.check();
        await results.resume();
      });
      if (!isSound) results = await Results.begin(work);
    }
    work.note = `${writes - left.length} of ${writes} writes`;
  },
};
