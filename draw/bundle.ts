/**
 * Makes one script for browsers of a module in `page/` and all it imports.
 *
 * @module
 */

import { createRequire, isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { type Plugin, rolldown } from "rolldown";

/** Modules in `page/` that a page can start with. */
export type PageEntry = "ask_server.ts" | "read_here.ts";

/**
 * Bundles an entry of the page and all it imports.
 *
 * @returns A classic script, which a page opened as a file can load too.
 */
export async function bundlePage(entry: PageEntry): Promise<string> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL(`./page/${entry}`, import.meta.url)),
    platform: "browser",
    plugins: [resolveThroughDeno],
    logLevel: "silent",
  });
  try {
    const { output } = await bundle.generate({ format: "iife", minify: true, comments: false });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}

/** Packages that tfjs imports and uses in Node alone. */
const NOT_FOR_BROWSERS: readonly string[] = ["node-fetch"];

/** A module with nothing in it, for what a browser does not have. */
const EMPTY = "\0empty";

/** Finds npm packages where Deno has put them, and of tfjs' packages their modules. */
const resolveThroughDeno: Plugin = {
  name: "resolve-through-deno",
  resolveId(source, importer) {
    if (isBuiltin(source) || NOT_FOR_BROWSERS.includes(source)) return EMPTY;
    if (importer === undefined || /^[./]/.test(source)) return null;
    // The import map serves the suite's own files, the package's dependencies all others.
    const path = importer.endsWith(".ts")
      ? fileURLToPath(import.meta.resolve(source))
      : createRequire(importer).resolve(source);
    return path.replace(/(\/@tensorflow\/.*\/dist\/)tf(-[a-z-]+)?\.node\.js$/, "$1index.js");
  },
  load: (id) => id === EMPTY ? "export default {}" : null,
};
