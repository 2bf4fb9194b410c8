/**
 * An empty `localStorage` while a package is loaded that asks for one.
 *
 * `lib-r-math.js` has a module for debugging that looks into it as it is imported. Deno's own makes a
 * folder in `DENO_DIR`, and fails where that cannot be written. Import this before the package.
 *
 * @module
 */

const own = Object.getOwnPropertyDescriptor(globalThis, "localStorage");

Object.defineProperty(globalThis, "localStorage", {
  configurable: true,
  value: { getItem: () => null },
});

/** Gives the global `localStorage` back. */
export function restoreStorage(): void {
  if (own === undefined) Reflect.deleteProperty(globalThis, "localStorage");
  else Object.defineProperty(globalThis, "localStorage", own);
}
