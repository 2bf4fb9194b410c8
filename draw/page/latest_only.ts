/**
 * Work on the newest of many requests.
 *
 * @module
 */

/**
 * Does one thing at a time: what comes meanwhile waits, and of that the newest alone is done. So a
 * thousand requests in a moment are two pieces of work, and the last of them is always done.
 */
export class LatestOnly<T> {
  #work: (request: T) => Promise<void>;
  #waiting: { request: T } | undefined;
  #running: Promise<void> | undefined;

  /** @param work Handles its own failures: what it throws is lost. */
  constructor(work: (request: T) => Promise<void>) {
    this.#work = work;
  }

  /** Whether a request waits for the one that is worked on. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Ends once nothing is done or waits. */
  get idle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /** Does this next, in place of what waits. */
  push(request: T): void {
    this.#waiting = { request };
    this.#running ??= this.#runAll();
  }

  /** Forgets the request that waits, if any does. */
  clear(): void {
    this.#waiting = undefined;
  }

  async #runAll(): Promise<void> {
    while (this.#waiting !== undefined) {
      const { request } = this.#waiting;
      this.#waiting = undefined;
      await this.#work(request).catch(() => {});
    }
    this.#running = undefined;
  }
}
