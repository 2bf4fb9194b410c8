/** Two processes that want the same run, or the same results, at the same moment. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { part1, start } from "../scripts/part1_process.ts";
import type { Campaign } from "./campaign.ts";
import { Results, sleep, SMALL_RUN } from "./small_run.ts";

export const TWO_PROCESSES: Campaign = {
  title: "two processes in one run",
  async run(work) {
    const results = new Results(`${work.folder}/results`);
    await results.begin();
    const flags = [...SMALL_RUN, "--out", results.out];
    while (work.goesOn) {
      const ms = work.draw.below(1000);
      await work.attempt(`a second --resume after ${ms} ms`, async () => {
        const cut = start(flags);
        await cut.until(/^Epoch 1: /m);
        cut.kill("SIGKILL");
        await cut.end();
        const first = part1([...flags, "--resume"]);
        await sleep(ms);
        const ends = await Promise.all([first, part1([...flags, "--resume"])]);
        for (const { code, stderr } of ends) {
          assertEquals(code, stderr === "" ? 0 : 1, stderr);
          if (stderr !== "") {
            assertMatch(stderr, /^error: Cannot resume \S+: it is going on in another process\./);
          }
        }
        assert(ends.some(({ code }) => code === 0), "neither went on");
        await results.resume();
      });
      if (!work.goesOn) break;
      await work.attempt(`a second run after ${ms} ms`, async () => {
        const before = (await results.check()).length;
        const first = part1(flags);
        await sleep(ms);
        for (const { code, stderr } of await Promise.all([first, part1(flags)])) {
          assertEquals([code, stderr], [0, ""]);
        }
        assertEquals((await results.check()).length, before + 2, "rows");
      });
    }
  },
};
