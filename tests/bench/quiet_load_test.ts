/** What the bench says while it waits for other programs to end. */

import { assertEquals, assertRejects } from "@std/assert";
import { quietLoad } from "../../bench/quiet_load.ts";
import { type Reporter, silentReporter } from "../../io/reporter.ts";

/** Waits on a machine of these load averages, the last of which stays. */
async function wait(
  loads: readonly number[],
  { settlingMs, signal = new AbortController().signal }: {
    settlingMs: number;
    signal?: AbortSignal;
  },
): Promise<{ load: number; lines: string[] }> {
  const lines: string[] = [];
  const reporter: Reporter = { ...silentReporter, line: (text) => lines.push(text) };
  const left = [...loads];
  const loadAverage = () => left.length > 1 ? left.shift()! : left[0]!;
  const load = await quietLoad({ threads: 2, settlingMs, reporter, signal, loadAverage });
  return { load, lines };
}

Deno.test("quietLoad() says in one line that it waits, and how long at most", async () => {
  assertEquals(await wait([9, 8.5, 0.1], { settlingMs: 100_000 }), {
    load: 0.1,
    lines: ["Waiting up to 100 s for the machine to become quiet (load average 9.00)"],
  });
});

Deno.test("quietLoad() says nothing where there is nothing to wait for", async () => {
  assertEquals(await wait([0.1], { settlingMs: 100_000 }), { load: 0.1, lines: [] });
  assertEquals(await wait([9], { settlingMs: 0 }), { load: 9, lines: [] });
});

Deno.test("quietLoad() ends when it is interrupted", async () => {
  const waiting = wait([9], { settlingMs: 100_000, signal: AbortSignal.abort(new Error("end")) });
  await assertRejects(() => waiting, Error, "end");
});
