/**
 * What a terminal says at once when Ctrl-C is pressed.
 *
 * The work of a batch holds the process's own event loop, which hears of the signal when the batch is
 * done, seconds later. So a worker listens too, and says that it will be.
 *
 * @module
 */

/** What is finished before the process stops; `undefined` while it stops without that. */
let unit: string | undefined;
const workers = new Set<Worker>();
/** 1 once a worker has heard of Ctrl-C. */
const heard = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Whether a worker has heard of Ctrl-C, which this process may not have yet. */
export function stopIsAsked(): boolean {
  return Atomics.load(heard, 0) === 1;
}

/** Says what is done piece by piece from now on: a `batch`, an `image`. */
export function stopsAfter(next: string | undefined): void {
  if (next === unit) return;
  unit = next;
  for (const worker of workers) worker.postMessage(noticeOf(unit));
}

/**
 * From now until it is disposed of, the first Ctrl-C is answered on a stream with what the process
 * stops after, as {@linkcode stopsAfter} has it.
 */
export function noticeStops(stream: "stdout" | "stderr"): Disposable {
  const address = new URL("./stop_notice_worker.ts", import.meta.url);
  const worker = new Worker(address, { type: "module", name: stream });
  // Nothing but the notice is lost with it.
  worker.addEventListener("error", (event) => event.preventDefault());
  Atomics.store(heard, 0, 0);
  worker.postMessage(heard);
  worker.postMessage(noticeOf(unit));
  workers.add(worker);
  return {
    [Symbol.dispose]() {
      workers.delete(worker);
      worker.terminate();
    },
  };
}

function noticeOf(unit: string | undefined): string {
  return unit === undefined ? "" : `stopping after this ${unit}…`;
}
