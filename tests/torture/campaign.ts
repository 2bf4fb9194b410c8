/** What a campaign of tortures is, and how long it may go on. */

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { shortened } from "../../io/printable.ts";

/** Characters of a fault that are shown. */
const LONGEST_FAULT = 1000;

/** One kind of torture, tried again and again. */
export interface Campaign {
  /** What it is, in the table. */
  title: string;
  /**
   * Tries until the time is up, at least once.
   *
   * @throws {Error} If the campaign itself cannot go on.
   */
  run: (work: Work) => Promise<void>;
}

/** Numbers that a seed decides. */
export class Draw {
  #random;

  constructor(seed: number) {
    this.#random = xoroshiro128plus(seed);
  }

  /** A whole number from 0 up to, and without, `limit`. */
  below(limit: number): number {
    return uniformInt(this.#random, 0, limit - 1);
  }

  /** One of several. */
  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

/** What a campaign works with, and what it has found. */
export class Work {
  tries = 0;
  readonly faults: string[] = [];
  /** Why it was left out, or what else is to be said. */
  note = "";
  readonly draw: Draw;
  /** A folder of its own, which stays where there are faults. */
  readonly folder: string;
  #end: number;
  #cost = 0;

  constructor(options: { seed: number; seconds: number; folder: string }) {
    this.draw = new Draw(options.seed);
    this.folder = options.folder;
    this.#end = performance.now() + 1000 * options.seconds;
  }

  /** Whether there is time for another try as long as the longest so far; always before the first. */
  get goesOn(): boolean {
    return this.tries === 0 || performance.now() + this.#cost < this.#end;
  }

  /**
   * One try: what it throws is a fault.
   *
   * @param count More than 1 where it stands for several.
   * @returns Whether all was well.
   */
  async attempt(what: string, action: () => Promise<void>, count = 1): Promise<boolean> {
    const started = performance.now();
    const before = this.faults.length;
    this.tries += count;
    try {
      await action();
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`;
      this.faults.push(shortened(`${what}: ${reason.replaceAll(/\s+/g, " ")}`, LONGEST_FAULT));
    }
    const isSound = this.faults.length === before;
    this.#cost = Math.max(this.#cost, performance.now() - started);
    return isSound;
  }
}
