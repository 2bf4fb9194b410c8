/**
 * Requests to models, of which the server does one at a time.
 *
 * @module
 */

/** Requests of one kind that may wait; a page sends its next when it has its answer. */
const MOST_WAITING = 8;

/** Why a request has no answer: newer ones came. */
export class OvertakenError extends Error {
  override name = "OvertakenError";
}

interface Waiting {
  kind: string;
  start: () => Promise<void>;
  drop: () => void;
}

/**
 * Does one thing after the other. Of each kind only the newest few wait: what is older is dropped, so
 * that a flood of requests costs no more than what is still wanted.
 */
export class AnswerQueue {
  #waiting: Waiting[] = [];
  /** Ends when nothing waits any more; `undefined` while nothing is done. */
  #running: Promise<void> | undefined;

  /**
   * Does something when its turn comes.
   *
   * @param kind What it is one of, such as a model's name.
   * @throws {OvertakenError} If it was dropped.
   */
  run<T>(kind: string, action: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const drop = () => reject(new OvertakenError("A newer request has taken its place"));
      const start = () => action().then(resolve, reject);
      this.#waiting.push({ kind, start, drop });
      const same = this.#waiting.filter((other) => other.kind === kind);
      for (const oldest of same.slice(0, -MOST_WAITING)) {
        this.#waiting.splice(this.#waiting.indexOf(oldest), 1);
        oldest.drop();
      }
      this.#running ??= this.#runAll();
    });
  }

  /** Drops what waits, and ends when what is being done is done. */
  async close(): Promise<void> {
    for (const { drop } of this.#waiting.splice(0)) drop();
    await this.#running;
  }

  async #runAll(): Promise<void> {
    for (;;) {
      // A model computes in one go: requests that came meanwhile are read before the next starts.
      await new Promise((resolve) => setTimeout(resolve));
      const next = this.#waiting.shift();
      if (next === undefined) break;
      await next.start();
    }
    this.#running = undefined;
  }
}
