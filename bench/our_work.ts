/**
 * The units of work that the bench times on our side.
 *
 * @module
 */

import type * as TF from "@tensorflow/tfjs";
import type { Dataset } from "../data/dataset.ts";
import type { Engine } from "../engine/engine.ts";
import { InterruptedError, StudyError } from "../io/errors.ts";
import type { Classifier } from "../models/classifier.ts";
import { simpleCnn } from "../models/simple_cnn.ts";
import type { Timing } from "../report/record/bench_results.ts";
import { DATA, SIMPLE_CNN } from "../study.ts";
import { evaluate } from "../training/evaluate.ts";
import { ImageBatches } from "../data/image_batches.ts";
import { Adam } from "../training/adam.ts";
import { Trainer } from "../training/trainer.ts";
import { ADAM_PARAMETERS, CONV2, MATRIX } from "./flops.ts";
import { type Growth, type GrowthSample, sampleAt } from "./growth.ts";
import { checkEnoughImages, checkStudyImages } from "./image_counts.ts";
import { TransferWork } from "./transfer_work.ts";
import type { WorkRequest } from "./worker.ts";

declare global {
  /** Collects garbage; there where V8 was started with `--expose-gc`. */
  var gc: ((options: typeof THOROUGH) => void) | undefined;
}

const { batchSize: BATCH_SIZE, learningRate, weightDecay } = SIMPLE_CNN.training;
const ADAM = { learningRate, weightDecay } as const;
/** Work done before the first timing of a kind. */
const WARM_UP_SECONDS = 1;
/** Steps of an epoch, at least, for its last, whose batch may be smaller, not to count. */
const LEAST_STEPS = 100;
/** Steps between two samples. */
const SAMPLE_EVERY = 50;
/** A collection that gives V8's free pages back as well: how many it keeps changes by megabytes. */
const THOROUGH = { type: "major", execution: "sync", flavor: "last-resort" } as const;

/** What {@linkcode OurWork.do} can be asked for. */
export type OurRequest =
  | { do: "run" } & WorkRequest
  | { do: "growth"; from: number; to: number };

/** Does what it is asked for, one thing at a time. */
export class OurWork {
  #engine: Engine;
  #training: ImageBatches;
  #test: ImageBatches;
  #model: Classifier;
  #trainer: Trainer | undefined;
  #epoch = 0;
  #kernels = new Map<string, () => void>();
  #transfer: TransferWork;
  #warm = new Set<string>();

  /** Builds the model; everything else is built when it is first asked for. */
  constructor(
    engine: Engine,
    dataset: Dataset,
    transform: (pixels: TF.Tensor) => TF.Tensor4D,
  ) {
    this.#engine = engine;
    this.#training = new ImageBatches(dataset.train, transform);
    this.#test = new ImageBatches(dataset.test, transform);
    this.#model = simpleCnn({ seed: 1 });
    this.#transfer = new TransferWork(engine);
  }

  async do(request: OurRequest): Promise<Timing | Growth> {
    if (request.do === "growth") return await this.#growth(request.from, request.to);
    if (!this.#warm.has(request.case)) {
      await this.#run(request.case, WARM_UP_SECONDS);
      this.#warm.add(request.case);
    }
    return await this.#run(request.case, request.seconds);
  }

  async #run(work: WorkRequest["case"], seconds: number): Promise<Timing> {
    const images = { train: this.#training.count, test: this.#test.count };
    switch (work) {
      case "step":
        checkEnoughImages(images, { train: LEAST_STEPS * BATCH_SIZE });
        return await this.#steps(seconds);
      case "inference":
        checkStudyImages(images, { test: DATA.testImages });
        return await timeUnits(seconds, () => this.#inference());
      case "matmul":
      case "conv":
      case "adam":
        return await timeUnits(seconds, this.#kernel(work));
      default:
        return await timeUnits(seconds, this.#transfer.unit(work));
    }
  }

  /** Steps of the trainer's own loop, which are cut off when time is up. */
  async #steps(seconds: number): Promise<Timing> {
    const started = performance.now();
    const elapsed = () => (performance.now() - started) / 1000;
    const units = await this.#train(() => elapsed() >= seconds);
    // A device may run ahead: what its last step has made of a parameter is there when all steps are done.
    [...this.#model.parameters.variables.values()].at(-1)!.dataSync();
    return { units, seconds: elapsed() };
  }

  /** Trains until `enough` after a batch; returns the steps made. */
  async #train(enough: (step: number) => boolean): Promise<number> {
    const trainer = this.#trainer ??= new Trainer(this.#engine, this.#model, this.#training, {
      batchSize: BATCH_SIZE,
      adam: ADAM,
      seed: 1,
    });
    const before = trainer.step;
    const stop = new AbortController();
    while (!stop.signal.aborted) {
      try {
        await trainer.trainEpoch(++this.#epoch, () => {
          if (enough(trainer.step)) stop.abort();
        }, stop.signal);
      } catch (error) {
        if (!(error instanceof InterruptedError)) throw error;
      }
    }
    return trainer.step - before;
  }

  async #inference(): Promise<void> {
    await evaluate(this.#engine, this.#model, this.#test, {
      batchSize: BATCH_SIZE,
      // In calls of as many images as PyTorch's.
      chunk: BATCH_SIZE,
    });
  }

  /** What shows the machine's limits, made when it is first asked for. */
  #kernel(work: "matmul" | "conv" | "adam"): () => void {
    const made = this.#kernels.get(work);
    if (made !== undefined) return made;
    const kernel = work === "adam" ? this.#makeUpdate() : this.#makeProduct(work);
    this.#kernels.set(work, kernel);
    return kernel;
  }

  /** A compiled product of two tensors made for it; one number of the result is read. */
  #makeProduct(work: "matmul" | "conv"): () => void {
    const { tf } = this.#engine;
    const { product, shapes } = work === "matmul" ? this.#matmul() : this.#conv();
    const compiled = this.#engine.compile(product);
    const [a, b] = shapes.map((shape) => tf.randomNormal(shape));
    return () => tf.tidy(() => void compiled(a!, b!).dataSync());
  }

  #matmul() {
    const { tf } = this.#engine;
    const { size, products } = MATRIX;
    const product = (a: TF.Tensor, b: TF.Tensor): TF.Tensor => {
      let c = a;
      for (let i = 0; i < products; i++) c = tf.matMul(c, b);
      return c.slice([0, 0], [1, 1]);
    };
    return { product, shapes: [[size, size], [size, size]] };
  }

  #conv() {
    const { tf } = this.#engine;
    const { height, width, inChannels, outChannels, kernelSize } = CONV2;
    const product = (x: TF.Tensor, weight: TF.Tensor): TF.Tensor =>
      tf.conv2d(x as TF.Tensor4D, weight as TF.Tensor4D, 1, "same")
        .slice([0, 0, 0, 0], [1, 1, 1, 1]);
    return {
      product,
      shapes: [
        [BATCH_SIZE, height, width, inChannels],
        [kernelSize, kernelSize, inChannels, outChannels],
      ],
    };
  }

  /** An update of many parameters; one of them is read. */
  #makeUpdate(): () => void {
    const { tf } = this.#engine;
    const parameter = tf.tidy(() => tf.variable(tf.zeros([ADAM_PARAMETERS])));
    const adam = new Adam(new Map([["weight", parameter]]), { learningRate });
    const compiled = this.#engine.compile((gradient: TF.Tensor, scalars: TF.Tensor1D) => {
      adam.apply({ [parameter.name]: gradient }, scalars);
      return parameter.slice(0, 1);
    });
    const gradient = tf.randomNormal([ADAM_PARAMETERS]);
    const scalars = tf.tensor1d(adam.stepScalars(1));
    return () => tf.tidy(() => void compiled(gradient, scalars).dataSync());
  }

  /** What the engine holds: libtensorflow's own count, else tfjs'. */
  #handles(): number {
    const engine = this.#engine;
    return engine.backend === "tensorflow"
      ? engine.binding.getNumOfTensors()
      : engine.tf.memory().numTensors;
  }

  /** Garbage comes and goes; what is left when it has been collected does not, but where there is a leak. */
  async #growth(from: number, to: number): Promise<Growth> {
    const { gc: collectGarbage } = globalThis;
    if (collectGarbage === undefined) throw new StudyError("V8 was started without --expose-gc");
    const samples: GrowthSample[] = [];
    await this.#train((step) => {
      // Most of what hangs on the collected is freed on the way to the next step.
      if ((step + 1) % SAMPLE_EVERY === 0) collectGarbage(THOROUGH);
      if (step % SAMPLE_EVERY === 0) {
        samples.push({ step, handles: this.#handles(), rss: Deno.memoryUsage().rss });
      }
      return step >= to;
    });
    return { from: sampleAt(samples, from), to: sampleAt(samples, to), samples };
  }
}

async function timeUnits(seconds: number, unit: () => void | Promise<void>): Promise<Timing> {
  const started = performance.now();
  let units = 0;
  let elapsed = 0;
  do {
    await unit();
    units++;
    elapsed = (performance.now() - started) / 1000;
  } while (elapsed < seconds);
  return { units, seconds: elapsed };
}
