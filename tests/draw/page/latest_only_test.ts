/** Requests that come faster than they are dealt with. */

import { assertEquals } from "@std/assert";
import { LatestOnly } from "../../../draw/page/latest_only.ts";

Deno.test("LatestOnly deals with the first and the last of a thousand requests in a moment", async () => {
  const done: number[] = [];
  const latest = new LatestOnly<number>(async (request) => {
    await Promise.resolve();
    done.push(request);
  });
  for (let i = 0; i < 1000; i++) latest.push(i);
  await latest.idle;
  assertEquals(done, [0, 999]);
});

Deno.test("LatestOnly goes on after a failure and after a pause", async () => {
  const done: number[] = [];
  const latest = new LatestOnly<number>((request) => {
    done.push(request);
    return request === 1 ? Promise.reject(new Error("no")) : Promise.resolve();
  });
  latest.push(1);
  latest.push(2);
  await latest.idle;
  latest.push(3);
  await latest.idle;
  assertEquals(done, [1, 2, 3]);
});

Deno.test("LatestOnly forgets what waits when it is cleared", async () => {
  const done: number[] = [];
  const latest = new LatestOnly<number>(async (request) => {
    await Promise.resolve();
    done.push(request);
  });
  latest.push(1);
  latest.push(2);
  latest.clear();
  await latest.idle;
  assertEquals(done, [1]);
});
