/** What a model is asked about, and what becomes of answers that come too late. */

import { assertEquals } from "@std/assert";
import { ModelQueue } from "../../../draw/page/model_queue.ts";

const PIXELS = new Uint8Array(784);

/** A queue for a model that answers when it is told to, and what has come of it. */
function questioned(milliseconds: number, before?: number) {
  const asked: (() => void)[] = [];
  const answered: number[] = [];
  const queue = new ModelQueue({
    ask: () =>
      new Promise((resolve) =>
        asked.push(() => resolve({ probabilities: [], view: "", milliseconds }))
      ),
    onAnswer: (_, { number }) => answered.push(number),
    onFailure: (reason) => answered.push(Number(reason)),
    ...(before === undefined ? {} : { milliseconds: before }),
  });
  const answerAll = async () => {
    for (let i = 0; i < asked.length; i++) {
      asked[i]!();
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  const push = (number: number) => queue.push({ pixels: PIXELS, number, changedAt: 0 });
  return { queue, push, asked, answered, answerAll };
}

Deno.test("a model is asked about the newest drawing when it has answered, never about all", async () => {
  const { push, asked, answered, answerAll } = questioned(1);
  for (let number = 1; number <= 1000; number++) push(number);
  await answerAll();
  assertEquals(asked.length, 2);
  assertEquals(answered, [1, 1000]);
});

Deno.test("an answer about a drawing that is gone is not shown", async () => {
  const { queue, push, answered, answerAll } = questioned(1);
  push(1);
  push(2);
  queue.forgetBefore(3);
  await answerAll();
  assertEquals(answered, []);
});

Deno.test("a slow model is asked once the drawing pauses", async () => {
  const { push, asked, answered, answerAll } = questioned(500);
  push(1);
  await answerAll();
  for (let number = 2; number <= 9; number++) push(number);
  await answerAll();
  assertEquals(asked.length, 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await answerAll();
  assertEquals(answered, [1, 9]);
});

Deno.test("a model that is known to be slow is asked so from the first drawing on", async () => {
  const { push, asked, answered, answerAll } = questioned(500, 500);
  for (let number = 1; number <= 9; number++) push(number);
  assertEquals(asked.length, 0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await answerAll();
  assertEquals(answered, [9]);
});

Deno.test("one that was slow before and no longer is is asked at once", async () => {
  const { push, asked, answerAll } = questioned(1, 500);
  push(1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await answerAll();
  push(2);
  assertEquals(asked.length, 2);
});
