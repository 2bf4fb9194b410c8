/** What a checkpoint is checked for, on a model of two parameters. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { StudyError } from "../../io/errors.ts";
import { loadCheckpoint, openCheckpoint } from "../../models/checkpoint/open_checkpoint.ts";
import { openSafetensors, saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import { bias, linearWeight, Parameters } from "../../models/parameters.ts";
import { Adam } from "../../training/adam.ts";
import {
  checkpointBytes,
  readProgress,
  restoreTraining,
  saveTraining,
} from "../../training/checkpoint.ts";
import { testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";

await testEngine();

const EPOCH = { epoch: 1, loss: 0.5, correct: 9, seen: 10, seconds: 2 };
const PROGRESS = { settings: { seed: 1 }, history: [EPOCH] };

/** A model of 15 numbers with its optimiser, freed at the end of the block. */
class Tiny implements Disposable {
  readonly parameters: Parameters;
  readonly optimizer: Adam;
  step = 4;

  constructor() {
    const layouts = new Map([["fc.weight", linearWeight(4, 3)], ["fc.bias", bias(3, 4)]]);
    this.parameters = new Parameters(layouts, ({ torchShape }) => tf.fill([...torchShape], 0.25));
    this.optimizer = new Adam(this.parameters.variables, { learningRate: 0.1 });
  }

  /** Replaces the bias. */
  setBias(values: number[]): void {
    tf.tidy(() => this.parameters.variables.get("fc.bias")!.assign(tf.tensor1d(values)));
  }

  [Symbol.dispose](): void {
    this.optimizer.dispose();
    this.parameters.dispose();
  }
}

Deno.test("restoreTraining() refuses a checkpoint with any bit of a tensor or note flipped", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    using tiny = new Tiny();
    await saveTraining(path, tiny, tiny, PROGRESS);
    assertEquals((await restoreTraining(path, tiny, tiny)).history, [EPOCH]);
    const whole = await Deno.readFile(path);
    const header = Number(new DataView(whole.buffer).getBigUint64(0, true));
    const text = new TextDecoder().decode(whole.subarray(8, 8 + header));
    const inTensors = Array.from({ length: 45 }, (_, i) => 8 + header + 4 * i + i % 4);
    const inNotes = [text.indexOf('\\"loss\\":0.5') + 12, text.indexOf("sha256") + 10]
      .map((at) => 8 + at);
    for (const at of [...inTensors, ...inNotes]) {
      const flipped = whole.slice();
      flipped[at]! ^= 1;
      await Deno.writeFile(path, flipped);
      const { message } = await assertRejects(() => restoreTraining(path, tiny, tiny), StudyError);
      assertEquals(message, `${path} is damaged: start a new run without --resume`, `byte ${at}`);
    }
  }));

Deno.test("loadCheckpoint() refuses a run's checkpoint with any tensor or note changed, and no file of others", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    using tiny = new Tiny();
    await saveTraining(path, tiny, tiny, PROGRESS);
    const sound = await loadCheckpoint(path);
    using checkpoint = await openCheckpoint(path);
    const { metadata } = checkpoint;
    await saveCheckpoint(path, sound, metadata);
    assertEquals(await loadCheckpoint(path), sound);
    const training = metadata.training!.replace("0.5", "0.4");
    await saveCheckpoint(path, sound, { ...metadata, training });
    const message = `Cannot read checkpoint ${path}: its tensors or notes are not what its own ` +
      "checksum is of; the file is damaged: restore it from a copy, or make the run again";
    assertEquals((await assertRejects(() => loadCheckpoint(path), StudyError)).message, message);
    for (const [name, tensor] of sound) {
      const changed = { ...tensor, data: (tensor.data as Float32Array).with(0, 1000) };
      const state = new Map([...sound, [name, changed]]);
      await saveCheckpoint(path, state, metadata);
      assertEquals((await assertRejects(() => loadCheckpoint(path), StudyError)).message, message);
      const { training: _, ...foreign } = metadata;
      await saveCheckpoint(path, state, foreign);
      assertEquals(await loadCheckpoint(path), state);
    }
  }));

Deno.test("restoreTraining() takes a checkpoint of earlier versions, which has no checksum", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    using tiny = new Tiny();
    await saveTraining(path, tiny, tiny, PROGRESS);
    const state = new Map();
    {
      using checkpoint = await openSafetensors(path);
      for (const name of checkpoint.names()) state.set(name, await checkpoint.read(name));
    }
    await saveCheckpoint(path, state, { training: JSON.stringify({ ...PROGRESS, step: 7 }) });
    await restoreTraining(path, tiny, tiny);
    assertEquals(tiny.step, 7);
  }));

Deno.test("saveTraining() keeps the last checkpoint when a parameter is not finite", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    using tiny = new Tiny();
    await saveTraining(path, tiny, tiny, PROGRESS);
    const before = await Deno.readFile(path);
    for (const value of [NaN, Infinity]) {
      tiny.setBias([0, value, 0]);
      const { message } = await assertRejects(
        () => saveTraining(path, tiny, tiny, PROGRESS),
        StudyError,
      );
      assertEquals(
        message,
        "fc.bias has values that are not finite after step 4: lower the learning rate with --lr",
      );
      assertEquals(await Deno.readFile(path), before);
      assertEquals([...Deno.readDirSync(folder)].length, 1);
    }
  }));

Deno.test("checkpointBytes() is the size of the tensors", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    using tiny = new Tiny();
    await saveTraining(path, tiny, tiny, PROGRESS);
    const header = Number(new DataView((await Deno.readFile(path)).buffer).getBigUint64(0, true));
    assertEquals(checkpointBytes(tiny, tiny), (await Deno.stat(path)).size - header - 8);
  }));

Deno.test("readProgress() refuses what no training can have left", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    const read = async (notes: unknown) => {
      const training = typeof notes === "string" ? notes : JSON.stringify(notes);
      await saveCheckpoint(path, new Map(), { training });
      return await readProgress(path);
    };
    const second = { ...EPOCH, epoch: 2 };
    const sound = { ...PROGRESS, history: [EPOCH, second], step: 8 };
    assertEquals(await read(sound), sound);
    assertEquals((await read({ ...sound, history: [], step: 0 })).history, []);
    const history = (changes: object) => ({
      ...sound,
      history: [EPOCH, { ...second, ...changes }],
    });
    const wrong: unknown[] = [
      ...["", "null", "[]", "7", "{", '"text"', "{}"],
      ...[-8, 7, 0, 1.5, "8", null, undefined].map((step) => ({ ...sound, step })),
      ...[null, [], "x", undefined].map((settings) => ({ ...sound, settings })),
      ...[null, {}, "ab", [null, null], [second, EPOCH]].map((rows) => ({
        ...sound,
        history: rows,
      })),
      ...[1, 3, "2", null].map((epoch) => history({ epoch })),
      ...["loss", "correct", "seen", "seconds"].flatMap((name) =>
        [null, "1", undefined].map((value) => history({ [name]: value }))
      ),
      ...[{ correct: -1 }, { correct: 11 }, { seen: 0 }, { seen: 9.5 }, { seconds: -1 }].map(
        history,
      ),
    ];
    for (const notes of wrong) {
      const { message } = await assertRejects(() => read(notes), StudyError);
      assertStringIncludes(message, "checkpoint.safetensors is damaged: start a new run");
    }
  }));
