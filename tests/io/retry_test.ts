import { assertEquals, assertRejects } from "@std/assert";
import { InterruptedError } from "../../io/errors.ts";
import { retried } from "../../io/retry.ts";

class Broken extends Error {}

/** Runs attempts that end so, one after the other; with what was said of them. */
async function attempts(ends: readonly (Error | string)[], signal?: AbortSignal) {
  const lines: string[] = [];
  let count = 0;
  const work = retried(() => {
    const end = ends[count++]!;
    return end instanceof Error ? Promise.reject(end) : Promise.resolve(end);
  }, {
    ...{ delaysMs: [1, 1], after: Broken, signal },
    describe: ({ message }) => message,
    reporter: { line: (text) => void lines.push(text) },
  });
  return { result: await work.catch((error) => error), count, lines };
}

Deno.test("retried() does work again as often as there are delays, and says so", async () => {
  const [first, second, third] = ["one", "two", "three"].map((text) => new Broken(text));
  const done = await attempts([first!, "done"]);
  assertEquals([done.result, done.count, done.lines.length], ["done", 2, 1]);
  assertEquals(done.lines[0]!.startsWith("one; trying again in "), true);
  const failed = await attempts([first!, second!, third!, "never"]);
  assertEquals([failed.result, failed.count, failed.lines.length], [third, 3, 2]);
});

Deno.test("retried() ends with any other error, and while it waits when it is aborted", async () => {
  const other = new Error("other");
  const ended = await attempts([other, "never"]);
  assertEquals([ended.result, ended.count, ended.lines], [other, 1, []]);
  const stop = new AbortController();
  const waiting = retried(() => Promise.reject(new Broken("one")), {
    ...{ delaysMs: [60_000], after: Broken, signal: stop.signal },
    describe: ({ message }) => message,
    reporter: { line: () => stop.abort(new InterruptedError("Interrupted")) },
  });
  await assertRejects(() => waiting, InterruptedError);
});
