/** What a model is asked about, and what becomes of answers that come too late. */

import { assertEquals } from "@std/assert";
import { ModelQueue } from "../../../draw/page/model_queue.ts";
import { BusyError } from "../../../draw/page/protocol.ts";

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

Deno.test("a model that has no time is asked again, about the newest drawing", async () => {
  const asked: number[] = [];
  const shown: (number | string)[] = [];
  const queue = new ModelQueue({
    ask: ([number]) => {
      asked.push(number!);
      return asked.length < 4
        ? Promise.reject(new BusyError("A newer request has taken its place"))
        : Promise.resolve({ probabilities: [], view: "", milliseconds: 1 });
    },
    onAnswer: (_, { number }) => shown.push(number),
    onFailure: (reason) => shown.push(reason),
  });
  const push = (number: number) =>
    queue.push({ pixels: Uint8Array.of(number), number, changedAt: 0 });
  push(1);
  push(2);
  for (let wait = 0; wait < 200 && shown.length === 0; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals([asked, shown], [[1, 2, 2, 2], [2]]);
});

Deno.test("a model is not asked again about a drawing that is gone", async () => {
  let asked = 0;
  const queue = new ModelQueue({
    ask: () => (asked++, Promise.reject(new BusyError("A newer request has taken its place"))),
    onAnswer: () => asked++,
    onFailure: () => asked++,
  });
  queue.push({ pixels: PIXELS, number: 1, changedAt: 0 });
  queue.forgetBefore(2);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertEquals(asked, 1);
});
