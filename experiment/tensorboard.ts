/**
 * What TensorBoard is shown of a run: event files in its folder.
 *
 * A run that is resumed has the events of one never interrupted: what a killed process wrote after its
 * last checkpoint is taken back.
 *
 * @module
 */

import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { ImageSet } from "../data/dataset.ts";
import type { Engine, SummaryWriter } from "../engine/engine.ts";
import { failureReason } from "../io/disk_error.ts";
import { StudyError } from "../io/errors.ts";
import type { Reporter } from "../io/reporter.ts";
import type { BatchProgress, EpochResult, Trainer } from "../training/trainer.ts";
import { eventFiles, type EventMark, takeBackEvents, writeMarks } from "./event_marks.ts";
import { type Answers, misreadDigits } from "./misread_digits.ts";

/** What the picture's place in TensorBoard is called. */
export const MISREAD_TAG = "test/misread (row: true class, column: answer)";

/** What the test images yielded. */
interface TestResult {
  /** Mean of the batches' mean losses, where there is one. */
  loss?: number | undefined;
  /** A fraction, from 0 to 1. */
  accuracy: number;
}

/** What is needed of a run. */
export interface ShownRun {
  /** It exists, and this process has the run's lock. */
  folder: string;
  engine: Engine;
  reporter: Reporter;
  /** The images that the run is tested on. */
  dataset: { test: ImageSet };
  /** Epochs in the checkpoint that the run goes on from. */
  earlier: readonly unknown[];
}

/**
 * Makes sure that an engine can write events.
 *
 * @throws {StudyError} If its backend cannot.
 */
export function requireSummaries(engine: Engine): NonNullable<Engine["openSummaries"]> {
  if (engine.openSummaries !== undefined) return engine.openSummaries;
  throw new StudyError(
    "--tensorboard needs the tensorflow backend, whose library writes the events, and this is " +
      engine.backend,
    { remedy: "add --backend tensorflow, or leave --tensorboard out" },
  );
}

/**
 * Begins a run's events, or goes on with them.
 *
 * @throws {StudyError} If no event file can be written into the run's folder.
 */
export async function openRunEvents(run: ShownRun): Promise<RunEvents> {
  const { folder, engine, earlier } = run;
  const open = requireSummaries(engine);
  try {
    const marks = await takeBackEvents(folder, earlier.length);
    const before = await eventFiles(folder);
    await waitForLaterName(before);
    const writer = await open(folder);
    const made = (await eventFiles(folder)).find((name) => !before.includes(name));
    if (made === undefined) throw new Error("TensorFlow made no event file");
    const file = await renamed(folder, made, laterName(made, before));
    const events = new RunEvents(run, { writer, file, marks });
    await events.mark(earlier.length);
    return events;
  } catch (error) {
    throw new StudyError(`Cannot write TensorBoard's events to ${folder}`, {
      reason: failureReason(error),
      remedy: "make room there, choose another folder with --out, or leave --tensorboard out",
      cause: error,
    });
  }
}

/** The events of a run under way. Should the disk not take them, the run goes on without. */
export class RunEvents implements Disposable {
  readonly #folder: string;
  readonly #reporter: Reporter;
  readonly #test: ImageSet;
  readonly #file: string;
  #writer: SummaryWriter | undefined;
  #marks: EventMark[];
  /** Steps of training so far: the horizontal axis. */
  #step = 0;
  /** The step at which the test images were last classified. */
  #testedAt: number | undefined;
  /** What batches are made of. */
  #unit = "images";
  /** Where the pace was last taken: images done, and seconds since the epoch began. */
  #paced = { images: 0, seconds: 0 };

  /** Takes over the writer; {@linkcode openRunEvents} makes it. */
  constructor(
    run: Pick<ShownRun, "folder" | "reporter" | "dataset">,
    { writer, file, marks }: { writer: SummaryWriter; file: string; marks: EventMark[] },
  ) {
    this.#folder = run.folder;
    this.#reporter = run.reporter;
    this.#test = run.dataset.test;
    this.#writer = writer;
    this.#file = file;
    this.#marks = marks;
  }

  /** Says how many steps the checkpoint has that training goes on from, and what it trains on. */
  begin(step: number, unit: string): void {
    this.#step = step;
    this.#unit = unit;
  }

  /** Adds the losses and learning rates of the steps read back, and the pace. */
  batch(
    { batch, batches, seen, total, seconds, outcomes }: BatchProgress,
    { step, optimizer }: Pick<Trainer, "step" | "optimizer">,
  ): void {
    this.#step = step;
    if (batch === 0) this.#paced = { images: 0, seconds: 0 };
    if (outcomes.length === 0) return;
    this.#write((writer) => {
      const first = step + 1 - outcomes.length;
      for (const [i, [loss]] of outcomes.entries()) {
        writer.scalar("train/loss", first + i, loss);
        writer.scalar("train/learning_rate", first + i, optimizer.learningRate(first + i));
      }
      // The first batch alone says little: its step may have been compiled in it.
      if (batch === 0 && batches > 1) return;
      const images = batch === batches - 1 ? total : seen * (batch + 1) / batch;
      const pace = (images - this.#paced.images) / (seconds - this.#paced.seconds);
      writer.scalar(`train/${this.#unit}_per_second`, step, pace);
      this.#paced = { images, seconds };
    });
  }

  /** Adds what an epoch amounted to. What follows is taken back if the run goes on from here. */
  async epoch({ epoch, loss, correct, seen }: EpochResult): Promise<void> {
    this.#write((writer) => {
      writer.scalar("train/epoch_loss", this.#step, loss);
      writer.scalar("train/accuracy", this.#step, 100 * correct / seen);
    });
    await this.mark(epoch);
  }

  /** Adds how the test images were classified after an epoch; the accuracy is a fraction. */
  async evaluation(epochs: number, { loss, accuracy }: TestResult): Promise<void> {
    this.#write((writer) => this.#addTest(writer, { loss, accuracy }));
    await this.mark(epochs);
  }

  /** Adds how far a detector has come with the test images, which stays whatever follows. */
  async detection(
    epochs: number,
    { predictions, milliseconds }: {
      predictions: readonly number[];
      milliseconds: readonly number[];
    },
  ): Promise<void> {
    const images = predictions.length;
    this.#write((writer) => {
      const correct = predictions.filter((answer, i) => answer === this.#test.labels[i]).length;
      const seconds = milliseconds.reduce((sum, ms) => sum + ms, 0) / 1000;
      writer.scalar("detection/accuracy_of_all", images, 100 * correct / images);
      writer.scalar("detection/images_per_second", images, images / seconds);
    });
    await this.mark(epochs);
  }

  /** Adds the run's result, fractions, and its misread images. */
  result({ loss, accuracy, f1 }: TestResult & { f1: number }, answers: Answers): void {
    this.#write((writer) => {
      if (this.#testedAt !== this.#step) this.#addTest(writer, { loss, accuracy });
      writer.scalar("test/f1", this.#step, f1);
      const picture = misreadDigits(this.#test, answers);
      if (picture !== undefined) writer.image(MISREAD_TAG, this.#step, picture);
      writer.flush();
    });
  }

  [Symbol.dispose](): void {
    this.#write((writer) => writer[Symbol.dispose]());
    this.#writer = undefined;
  }

  #addTest(writer: SummaryWriter, { loss, accuracy }: TestResult): void {
    if (loss !== undefined) writer.scalar("test/loss", this.#step, loss);
    writer.scalar("test/accuracy", this.#step, 100 * accuracy);
    this.#testedAt = this.#step;
  }

  /** Notes that all so far belongs to as many epochs: a run that goes on after them keeps it. */
  async mark(epochs: number): Promise<void> {
    this.#write((writer) => writer.flush());
    if (this.#writer === undefined) return;
    try {
      const { size: bytes } = await Deno.stat(join(this.#folder, this.#file));
      const file = this.#file;
      const others = this.#marks.filter((mark) => mark.epochs !== epochs || mark.file !== file);
      this.#marks = [...others, { epochs, file, bytes }];
      await writeMarks(this.#folder, this.#marks);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #write(action: (writer: SummaryWriter) => void): void {
    if (this.#writer === undefined) return;
    try {
      action(this.#writer);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    const writer = this.#writer;
    this.#writer = undefined;
    this.#reporter.warn(
      `From here on there are no events for TensorBoard (${
        failureReason(error)
      }): the run goes on ` +
        "without them",
    );
    try {
      writer?.[Symbol.dispose]();
    } catch {
      // What cannot be written now is lost, as has just been said.
    }
  }
}

/** TensorBoard reads files in the order of their names, which tell the second. */
async function waitForLaterName(names: readonly string[]): Promise<void> {
  const now = Date.now();
  if (latestSecond(names) === Math.floor(now / 1000)) await setTimeout(1000 - now % 1000);
}

/** An open file under another name, by which it is written to all the same, or its own where that fails. */
async function renamed(folder: string, file: string, name: string): Promise<string> {
  if (file === name) return file;
  try {
    await Deno.rename(join(folder, file), join(folder, name));
    return name;
  } catch {
    // Windows may not rename what TensorFlow has open. Curves then lack what came before.
    return file;
  }
}

/** The name that a file needs to be read after others: its own, unless theirs are of a clock ahead. */
function laterName(name: string, others: readonly string[]): string {
  const latest = latestSecond(others);
  if (latestSecond([name]) > latest) return name;
  return name.replace(SECOND, `.tfevents.${latest + 1}.`);
}

function latestSecond(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => Number(SECOND.exec(name)?.[1] ?? 0)));
}

/** What of an event file's name tells when it was made. */
const SECOND = /\.tfevents\.(\d+)\./;
