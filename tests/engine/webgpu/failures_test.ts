/** A device that is lost or full: what computes on it says so at the next read, and nothing is wrong. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { StudyError } from "../../../io/errors.ts";
import { onAdapter, startOnAdapter } from "./adapter.ts";
import { kernels } from "./kernels.ts";

/** Turns of the event loop in which WebGPU tells what happened. */
const moment = () => new Promise((resolve) => setTimeout(resolve, 50));

/** A product, which is never computed on the host. */
const three = () => tf.tidy(() => [...tf.matMul([[1, 2]], [[1], [1]]).dataSync()]);

await onAdapter("failures of WebGPU", async () => {
  await startOnAdapter();

  Deno.test("a device that is lost is an error at the next read, and a new engine computes", async () => {
    const x = tf.tensor1d([1, 2]).square();
    kernels().device.destroy();
    const first = assertThrows(() => x.dataSync(), StudyError, "has stopped computing");
    assertMatch(first.message, /--resume/);
    await moment();
    // Once lost, it stays so.
    assertThrows(three, StudyError, "the device was lost");
    await assertRejectsRead(tf.tensor1d([1, 2]).square());
    await startOnAdapter();
    assertEquals(three(), [3]);
  });

  Deno.test("more tensors than there is memory are an error at a read, not wrong numbers", async () => {
    const { device } = kernels();
    const create = device.createBuffer.bind(device);
    // What comes of buffers that a driver has no memory for: they are there, and cannot be used.
    let left = 2;
    device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      if (left-- <= 0) buffer.destroy();
      return buffer;
    };
    const work = () =>
      tf.tidy(() => {
        const x = tf.matMul(tf.ones([300, 20]), tf.ones([20, 300]));
        return tf.matMul(x, x).sum().dataSync();
      });
    assertThrows(work, StudyError, "has stopped computing");
    await moment();
    assertThrows(work, StudyError, "has stopped computing");
    await startOnAdapter();
    const error = new GPUOutOfMemoryError("Not enough memory left");
    kernels().device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
    assertThrows(work, StudyError, "its memory is full");
    await startOnAdapter();
    assertEquals(three(), [3]);
  });

  Deno.test("a tensor without elements does no harm", () => {
    const shapes = tf.tidy(() => {
      const empty = tf.tensor2d([], [0, 3]);
      const product = tf.matMul(empty, tf.ones([3, 2]));
      const none = tf.relu(tf.tensor1d([])).add(tf.tensor1d([]));
      assertEquals([...product.dataSync(), ...none.dataSync()], []);
      return [product.shape, none.shape, tf.concat([empty, tf.ones([2, 3])]).shape];
    });
    assertEquals(shapes, [[0, 2], [0], [2, 3]]);
    // One that a program is bound to: no weights are all 1.
    const counts = tf.tidy(() => tf.bincount(tf.tensor1d([1, 1, 2], "int32"), tf.tensor1d([]), 3));
    assertEquals([...counts.dataSync()], [0, 2, 1]);
    counts.dispose();
    assertEquals(three(), [3]);
  });

  Deno.test("a tensor larger than the adapter's buffers is refused by its size", () => {
    const { maxBufferSize } = kernels().device.limits;
    const { numTensors } = tf.memory();
    const fill = () =>
      tf.tidy(() => tf.fill([Math.ceil(maxBufferSize / 4) + 1024], 1).add(1).dataSync());
    assertThrows(fill, StudyError, "--backend");
    assertEquals(tf.memory().numTensors, numTensors);
    assertEquals(three(), [3]);
  });
});

/** An asynchronous read ends in the same error. */
async function assertRejectsRead(x: tf.Tensor): Promise<void> {
  const outcome = await x.data().then(() => "read", (error) => error);
  assertMatch(`${outcome}`, /StudyError: The graphics adapter has stopped computing/);
}
