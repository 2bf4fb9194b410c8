/**
 * Kernels that are made anew where tfjs asks for them after it has disposed of them.
 *
 * @module
 */

import type { Backend } from "../backend.ts";

/** What is made: the kernels, and what is bound to them. */
interface Made {
  readonly kernels: { readonly isDisposed: boolean };
}

/** What was made last. */
export interface Restartable<T extends Made> {
  readonly current: T;
  readonly restart: NonNullable<Backend["restart"]>;
}

/**
 * Makes it, and again whenever it is asked to restart and the kernels have been disposed of.
 *
 * @param make Makes new ones.
 */
export async function restartable<T extends Made>(
  make: () => Promise<T>,
): Promise<Restartable<T>> {
  let current = await make();
  let restarting: Promise<void> | undefined;
  return {
    get current() {
      return current;
    },
    restart() {
      if (!current.kernels.isDisposed) return;
      return restarting ??= make().then((made) => void (current = made))
        .finally(() => restarting = undefined);
    },
  };
}
