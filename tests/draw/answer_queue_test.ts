/** Requests to a server that come faster than models answer. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { AnswerQueue, OvertakenError } from "../../draw/answer_queue.ts";

Deno.test("of a thousand requests at once the newest few are answered, the others dropped", async () => {
  const queue = new AnswerQueue();
  let [running, most] = [0, 0];
  const results = await Promise.allSettled(
    Array.from({ length: 1000 }, (_, i) =>
      queue.run("model", async () => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return i;
      })),
  );
  const answered = results.flatMap((result) => result.status === "fulfilled" ? result.value : []);
  assertEquals(answered, [992, 993, 994, 995, 996, 997, 998, 999]);
  assertEquals(most, 1);
});

Deno.test("a flood of one kind drops nothing of another", async () => {
  const queue = new AnswerQueue();
  const first = queue.run("quiet", () => Promise.resolve("answer"));
  const flood = Promise.allSettled(
    Array.from({ length: 100 }, () => queue.run("loud", () => Promise.resolve())),
  );
  assertEquals(await first, "answer");
  const dropped = (await flood).filter(({ status }) => status === "rejected");
  assertEquals(dropped.length, 92);
  assert(dropped.every((result) => "reason" in result && result.reason instanceof OvertakenError));
});

Deno.test("a failure is its own request's and no other's", async () => {
  const queue = new AnswerQueue();
  const failing = queue.run("model", () => Promise.reject(new RangeError("no")));
  const next = queue.run("model", () => Promise.resolve(1));
  await assertRejects(() => failing, RangeError, "no");
  assertEquals(await next, 1);
});
