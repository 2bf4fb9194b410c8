/**
 * Signals to programs that were started here.
 *
 * @module
 */

/** Sends a signal to a program, if it still runs. */
export function signalChild(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended by itself.
  }
}

/** Hands an abort on to a program, as Ctrl-C, until disposed. */
export function passAbortOn(signal: AbortSignal | undefined, child: Deno.ChildProcess): Disposable {
  const interrupt = () => signalChild(child, "SIGINT");
  signal?.addEventListener("abort", interrupt);
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", interrupt) };
}
