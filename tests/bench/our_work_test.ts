/** How our side does what it is timed for. */

import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { OurWork } from "../../bench/our_work.ts";
import type { Dataset, ImageSet } from "../../data/dataset.ts";
import { normalizeMnist } from "../../data/image_batches.ts";
import type { Engine } from "../../engine/engine.ts";
import { DATA, SIMPLE_CNN } from "../../study.ts";
import { testEngine } from "../engine/engine.ts";

const engine = await testEngine();
const { batchSize } = SIMPLE_CNN.training;

/** Black images, all of one class. */
function blank({ train, test }: { train: number; test: number }): Dataset {
  const set = (count: number): ImageSet => ({
    images: new Uint8Array(count * 784),
    labels: new Uint8Array(count),
    count,
  });
  return { name: "blank", sha256: "", source: "a test", train: set(train), test: set(test) };
}

const REQUEST = { do: "run", variant: "default", precision: "float32" } as const;

Deno.test("inference takes as many images in a call as the study's batches have, as PyTorch's does", async () => {
  const counts = new Set<number>();
  const dataset = blank({ train: 1, test: DATA.testImages });
  const work = new OurWork(engine, dataset, (pixels) => {
    counts.add(pixels.shape[0]!);
    return normalizeMnist(pixels);
  });
  await work.do({ ...REQUEST, case: "inference", seconds: 0 });
  assertEquals([...counts], [batchSize, DATA.testImages % batchSize]);
});

Deno.test("a timing of steps ends when what the last of them has made can be read", async () => {
  const log: string[] = [];
  const logging: Engine = Object.create(engine, {
    compile: {
      value: (...args: Parameters<Engine["compile"]>) =>
        new Proxy(engine.compile(...args), {
          apply(compiled, self, tensors) {
            log.push("step");
            return Reflect.apply(compiled, self, tensors);
          },
        }),
    },
  });
  const { prototype } = tf.Tensor;
  const { dataSync } = prototype;
  try {
    prototype.dataSync = function (this: tf.Tensor) {
      log.push("read");
      return dataSync.call(this);
    } as typeof dataSync;
    const work = new OurWork(logging, blank({ train: 100 * batchSize, test: 1 }), normalizeMnist);
    const { units } = await work.do({ ...REQUEST, case: "step", seconds: 0.5 }) as {
      units: number;
    };
    assertEquals(units > 0, true);
    assertEquals(log.at(-1), "read");
  } finally {
    prototype.dataSync = dataSync;
  }
});
