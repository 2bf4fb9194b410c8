/** Runs that are killed: at random moments, and at each thing that they do to the disk. */

import { assert } from "@std/assert";
import { start } from "../scripts/part1_process.ts";
import type { Campaign } from "./campaign.ts";
import { Results, sleep, SMALL_RUN, startWith } from "./small_run.ts";

const STOP = new URL("./stop_at_write.ts", import.meta.url);

export const RANDOM_KILLS: Campaign = {
  title: "killed at random moments",
  async run(work) {
    const results = new Results(`${work.folder}/results`);
    const seconds = await results.begin();
    while (work.goesOn) {
      const ms = work.draw.below(Math.ceil(1000 * seconds));
      await work.attempt(`killed after ${ms} ms`, async () => {
        const run = start([...SMALL_RUN, "--out", results.out]);
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
    }
  },
};

export const KILLS_AT_WRITES: Campaign = {
  title: "killed at each write",
  async run(work) {
    const results = new Results(`${work.folder}/results`);
    await results.begin();
    const flags = [...SMALL_RUN, "--out", results.out];
    const counted = await startWith(`--preload=${STOP}?at=0`, flags).end();
    const writes = Number(/^(\d+) writes$/m.exec(counted.stdout)?.[1]);
    assert(writes > 0, `no writes were counted:\n${counted.stdout}${counted.stderr}`);
    await results.check();
    const left = Array.from({ length: writes }, (_, i) => i + 1);
    while (left.length > 0 && work.goesOn) {
      const [at] = left.splice(work.draw.below(left.length), 1);
      await work.attempt(`killed at write ${at}`, async () => {
        const run = startWith(`--preload=${STOP}?at=${at}`, flags);
        await run.until(/^at write /m);
        run.kill("SIGKILL");
        await run.end();
        await results.check();
        await results.resume();
      });
    }
    work.note = `${writes - left.length} of ${writes} writes`;
  },
};
