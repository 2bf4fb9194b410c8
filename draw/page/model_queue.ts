/**
 * Drawings on their way to a model.
 *
 * @module
 */

import { LatestOnly } from "./latest_only.ts";
import { type Answer, BusyError } from "./protocol.ts";

/** A drawing as a model reads it. */
export interface Drawing {
  /** [784] grey values, light on dark. */
  pixels: Uint8Array;
  /** Counted up with every change of the paper. */
  number: number;
  /** When the paper was changed, as `performance.now()`. */
  changedAt: number;
}

/** A model that takes longer is asked when the drawing pauses: it would keep the quick ones waiting. */
const SLOW_MS = 30;
const PAUSE_MS = 100;

/** Before a model that had no time is asked again: about as long as one of 224×224 takes. */
const RETRY_MS = 200;

/** Options of {@linkcode ModelQueue}. */
export interface ModelQueueOptions {
  ask: (pixels: Uint8Array) => Promise<Answer>;
  onAnswer: (answer: Answer, drawing: Drawing) => void;
  onFailure: (reason: string, drawing: Drawing) => void;
  /**
   * How long an answer took the model before.
   *
   * @default {0}
   */
  milliseconds?: number;
}

/** Asks a model about the newest drawing; those that it has no time for are never asked about. */
export class ModelQueue {
  #latest: LatestOnly<Drawing>;
  #isSlow: boolean;
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** Drawings before this one are of no interest any more. */
  #first = 0;

  constructor({ ask, onAnswer, onFailure, milliseconds = 0 }: ModelQueueOptions) {
    this.#isSlow = milliseconds > SLOW_MS;
    const askUntilThereIsTime = async (drawing: Drawing): Promise<Answer | undefined> => {
      for (;;) {
        try {
          return await ask(drawing.pixels);
        } catch (error) {
          if (!(error instanceof BusyError)) throw error;
        }
        // Other pages may be asking as well; what is drawn last is answered in the end.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        if (this.#latest.isWaiting || drawing.number < this.#first) return undefined;
      }
    };
    this.#latest = new LatestOnly(async (drawing) => {
      try {
        const answer = await askUntilThereIsTime(drawing);
        if (answer === undefined) return;
        this.#isSlow = answer.milliseconds > SLOW_MS;
        if (drawing.number >= this.#first) onAnswer(answer, drawing);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (drawing.number >= this.#first) onFailure(reason, drawing);
      }
    });
  }

  /** Asks about a drawing unless a newer one comes first. */
  push(drawing: Drawing): void {
    clearTimeout(this.#pause);
    const ask = () => this.#latest.push(drawing);
    if (this.#isSlow) this.#pause = setTimeout(ask, PAUSE_MS);
    else ask();
  }

  /** Forgets the drawings before a number, also those that are being read. */
  forgetBefore(number: number): void {
    clearTimeout(this.#pause);
    this.#latest.clear();
    this.#first = number;
  }
}
