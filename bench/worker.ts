/**
 * A process that works on request and otherwise waits: ours (`our_worker.ts`) or the peer
 * (`reference/peer.py`). Both read a JSON request a line and answer each with a line.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import type {
  ComputedOn,
  MeasuredData,
  Precision,
  Timing,
} from "../report/record/bench_results.ts";
import { type Child, type Program, startChild } from "./child.ts";
import type { ImageCounts } from "./image_counts.ts";
import type { TransferCase } from "./transfer_work.ts";

/** What a worker says of itself when it is ready. */
export interface WorkerInfo {
  versions: Record<string, string>;
  on?: ComputedOn;
  /** The peer's alone: its device in PyTorch's words, such as `cuda:0`. */
  torch_device?: string;
  /** The peer's alone: whether PyTorch rounds what convolutions multiply to TF32 unless told otherwise. */
  tf32?: boolean;
  /** Ours alone, as what follows: the formats that it multiplies in. */
  precisions?: Precision[];
  /** How many images it has loaded. */
  images?: ImageCounts;
  /** The data set that those are of. */
  dataset?: MeasuredData;
  machine?: Record<string, string | number>;
  git?: { commit: string; clean: boolean } | null;
}

/** A request for some units of work. */
export interface WorkRequest {
  case: "step" | "inference" | "matmul" | "conv" | "adam" | TransferCase;
  /** A key of the peer's `VARIANTS`; ours has one way only. */
  variant: string;
  precision: Precision;
  /** Stop after the unit that ends beyond so many seconds. */
  seconds: number;
}

export class Worker {
  readonly info: WorkerInfo;
  #name: string;
  #child: Child;
  #remarks: string[] = [];

  private constructor(name: string, child: Child, info: WorkerInfo) {
    this.#name = name;
    this.#child = child;
    this.info = info;
  }

  /**
   * Starts the program and waits until it is ready.
   *
   * @throws {StudyError} If it cannot be started or says why it cannot work.
   */
  static async start(program: Program): Promise<Worker> {
    const child = startChild(program);
    try {
      const { answer } = await nextAnswer(program.name, child);
      return new Worker(program.name, child, answer as WorkerInfo);
    } catch (error) {
      await child.kill();
      throw error;
    }
  }

  /** Has it do units of work. */
  async run(request: WorkRequest): Promise<Timing> {
    return await this.ask({ do: "run", ...request }) as Timing;
  }

  /**
   * Sends a request and waits for the answer.
   *
   * @throws {StudyError} If the answer is an error, or the process ends.
   */
  async ask(request: object): Promise<unknown> {
    try {
      await this.#child.write(JSON.stringify(request));
    } catch (error) {
      // It has ended since its last answer.
      await this.#child.ended();
      throw new StudyError(`${this.#name} takes no more requests`, { cause: error });
    }
    const { answer, remarks } = await nextAnswer(this.#name, this.#child);
    this.#remarks.push(...remarks);
    return answer;
  }

  /** What it has printed besides answers since it was last asked for. */
  takeRemarks(): string[] {
    return this.#remarks.splice(0);
  }

  async stop(): Promise<void> {
    await this.#child.kill();
  }
}

/** The next line that is an answer, an object in JSON, and what libraries have printed before it. */
async function nextAnswer(
  name: string,
  child: Child,
): Promise<{ answer: unknown; remarks: string[] }> {
  const remarks: string[] = [];
  for (;;) {
    const { value, done } = await child.lines.next();
    if (done) {
      await child.ended();
      throw new StudyError(`${name} ended without an answer`);
    }
    if (!value.startsWith("{")) {
      remarks.push(value);
      continue;
    }
    const answer = JSON.parse(value);
    if (typeof answer.error === "string") throw new StudyError(answer.error);
    return { answer, remarks };
  }
}
