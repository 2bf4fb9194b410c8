import { assertEquals, assertRejects } from "@std/assert";
import { setTimeout } from "node:timers/promises";
import { startChild } from "../../bench/child.ts";
import { measureMemory, MEMORY_CASES, peakUntilEnd } from "../../bench/memory.ts";
import { cacheDir } from "../../io/cache.ts";
import { StudyError } from "../../io/errors.ts";
import { benchContext } from "./bench_context.ts";

const ignore = Deno.build.os === "windows"; // A shell stands in for a part.

function shell(script: string): ReturnType<typeof startChild> {
  return startChild({ name: "a run", command: "sh", args: ["-c", script] });
}

Deno.test({
  name: "peakUntilEnd() waits for the reading that is under way when the program ends",
  ignore,
  fn: async () => {
    let readings = 0;
    const peak = await peakUntilEnd(shell("sleep 0.1"), async () => {
      readings++;
      await setTimeout(500);
      return 7;
    });
    assertEquals([peak, readings], [7, 1]);
  },
});

Deno.test({
  name: "peakUntilEnd() fails where nothing can be read, and the program with it",
  ignore,
  fn: async () => {
    const child = shell("exec sleep 60");
    const started = performance.now();
    const noCat = () => Promise.reject(new StudyError("there is no cat"));
    await assertRejects(() => peakUntilEnd(child, noCat), StudyError, "there is no cat");
    assertEquals(performance.now() - started < 30_000, true);
    await assertRejects(() => child.ended(), StudyError, "SIGKILL");
  },
});

Deno.test({
  name: "peakUntilEnd() fails as the program does",
  ignore,
  fn: async () => {
    await assertRejects(
      () => peakUntilEnd(shell("echo no data >&2; exit 3"), () => Promise.resolve(7)),
      StudyError,
      "a run ended with status 3: no data",
    );
  },
});

Deno.test({
  name: "peakUntilEnd() reads what a program has held",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const peak = await peakUntilEnd(shell("sleep 1"));
    assertEquals(peak > 100_000 && peak < 1e9, true, `${peak} bytes`);
  },
});

Deno.test({
  name: "what a run holds does not depend on the features that are in the cache",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    for (const name of MEMORY_CASES) {
      const context = benchContext({ train: 60_000, test: 10_000 });
      const [found] = await measureMemory(context, name, "/no/such/folder", ({ env }) => {
        const cache = env?.MNIST_STUDY_CACHE ?? cacheDir();
        const names = [...Deno.readDirSync(cache)].map((entry) => entry.name);
        assertEquals([cache === cacheDir(), names.includes("features")], [false, false], name);
        return Promise.resolve(2e9);
      });
      assertEquals(found!.value, 2);
    }
  },
});
