/** The campaigns of `deno task torture`, in short: each tries once or twice. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { withFolder } from "../report/result_rows.ts";
import { type Campaign, Work } from "./campaign.ts";
import { FULL_DISK } from "./full_disk.ts";
import {
  HOSTILE_ARCHIVES,
  HOSTILE_CHECKPOINTS,
  HOSTILE_CSV,
  HOSTILE_IDX,
  readAll,
} from "./hostile_files.ts";
import { KILLS_AT_WRITES, RANDOM_KILLS } from "./kills.ts";
import { Results } from "./small_run.ts";
import { TWO_PROCESSES } from "./two_processes.ts";

const ignore = Deno.build.os === "windows";
if (ignore) console.log("skipped: tortures (no signals can be sent on Windows)");

Deno.test({
  name: "what torture does in earnest holds in short",
  ignore,
  fn: () =>
    withFolder({}, async (root) => {
      const campaigns: readonly Campaign[] = [
        ...[RANDOM_KILLS, KILLS_AT_WRITES, TWO_PROCESSES, FULL_DISK],
        ...[HOSTILE_CHECKPOINTS, HOSTILE_IDX, HOSTILE_CSV, HOSTILE_ARCHIVES],
      ];
      for (const [i, { title, run }] of campaigns.entries()) {
        const folder = join(root, `${i}`);
        await Deno.mkdir(folder);
        const seed = Math.floor(Math.random() * 2 ** 31);
        const work = new Work({ seed, seconds: 0.5, folder });
        await run(work);
        assertEquals(work.faults, [], `${title}, seed ${seed}`);
        assert(work.tries > 0 || work.note.startsWith("skipped"), title);
        if (work.note.startsWith("skipped")) console.log(`${title}: ${work.note}`);
      }
    }),
});

Deno.test("a campaign tells of rows that are lost, and of readers that fail or write elsewhere", () =>
  withFolder({}, async (folder) => {
    const work = new Work({ seed: 1, seconds: 1, folder });
    const results = new Results(join(folder, "results"));
    await Deno.mkdir(results.out);
    const header = "run_id,model,status\n";
    await Deno.writeTextFile(join(results.out, "part1.csv"), header.slice(0, -1));
    await work.attempt("half a line", async () => void await results.check());
    await work.attempt(
      "a reader's own error",
      () => readAll(work, [["throws.fault", new Uint8Array()]]),
    );
    await work.attempt("a writer", () => readAll(work, [["writes.fault", new Uint8Array()]]));
    assertEquals(work.tries, 3);
    const words = ["part1.csv is not whole", "RangeError: on purpose", "NotCapable"];
    assertEquals(work.faults.length, words.length, `${work.faults}`);
    for (const [i, word] of words.entries()) assertStringIncludes(work.faults[i]!, word);
  }));
