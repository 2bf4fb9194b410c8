/**
 * A script's work with fewer permissions than the script was started with.
 *
 * Which folder a user names is not known when `deno.json` is written, so a task that may write into any
 * has to be given all of them. What the script does once it knows the folder is done in a worker that
 * may write there and nowhere else; nothing that it reads can change that.
 *
 * @module
 */

import { inspect } from "node:util";
import { InterruptedError, StudyError, UsageError } from "./errors.ts";

/** Whether this is such a worker. */
export const isConfined: boolean = "WorkerGlobalScope" in globalThis;

/** What a worker says when it ends; an error cannot be sent as it is. */
type End = { error?: { name: string; message: string; stack: string } };

/**
 * Runs a script again, as a worker that may write to these files and folders only.
 *
 * @param script Its URL; there, {@linkcode isConfined} is true.
 * @throws What the worker's {@linkcode runInConfinement} throws.
 */
export async function confine(
  script: string,
  { write }: { write: readonly string[] },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new Worker(script, {
    type: "module",
    deno: { permissions: { read: "inherit", env: "inherit", write: [...write] } },
  });
  worker.onmessage = ({ data: { error } }: MessageEvent<End>) =>
    error === undefined ? resolve() : reject(revived(error));
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  try {
    await promise;
  } finally {
    worker.terminate();
  }
}

/** Runs the work of a worker, and has {@linkcode confine} end as it does. */
export async function runInConfinement(work: () => Promise<void>): Promise<void> {
  const end: End = {};
  try {
    await work();
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(inspect(error));
    end.error = { name, message, stack: inspect(error) };
  }
  Reflect.apply(Reflect.get(globalThis, "postMessage"), globalThis, [end]);
}

function revived({ name, message, stack }: NonNullable<End["error"]>): Error {
  const Kind = [UsageError, InterruptedError, StudyError].find((kind) => kind.name === name);
  const error = Kind === undefined ? new Error(message) : new Kind(message);
  error.name = name;
  error.stack = stack;
  return error;
}
