/**
 * What the suite's files import from each other, read from their source.
 *
 * @module
 */

import { dirname, join } from "node:path/posix";

/** What a file imports, types included. */
export interface Imports {
  /** Files of the suite, as paths from its top: `io/cache.ts`. */
  files: string[];
  /** Everything else, as written: `@std/csv`, `node:path`. */
  packages: string[];
}

const SKIPPED = /^(\.|node_modules$|data\/cache$|results$)/;

/** `import … from "x"`, `export … from "x"`, `import "x"` at the start of a line; `import("x")`. */
const IMPORT =
  /^(?:import|export)\b[^;"]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*["`]([^"`]+)["`]/gm;

/**
 * Reads the imports of every TypeScript file in the suite.
 *
 * @param root The suite's folder.
 * @returns For each file, as a path from `root`, what it imports; sorted by path.
 */
export async function readImports(root: string): Promise<Map<string, Imports>> {
  const paths = (await sourceFiles(root, "")).sort();
  const sources = await Promise.all(paths.map((path) => Deno.readTextFile(join(root, path))));
  return new Map(paths.map((path, i) => [path, importsOf(path, sources[i]!)]));
}

/** What one file imports: `path` is where it lies, from the suite's top. */
export function importsOf(path: string, source: string): Imports {
  const files = new Set<string>();
  const packages = new Set<string>();
  for (const [, from, bare, dynamic] of source.matchAll(IMPORT)) {
    const specifier = (from ?? bare ?? dynamic)!;
    if (specifier.startsWith(".")) files.add(join(dirname(path), specifier));
    else packages.add(specifier);
  }
  return { files: [...files], packages: [...packages] };
}

/** The room that a file belongs to: the folder at the top, or the file itself where it lies there. */
export function roomOf(path: string): string {
  return path.split("/")[0]!;
}

async function sourceFiles(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    const path = join(folder, name);
    if (SKIPPED.test(path)) continue;
    if (isDirectory) found.push(...await sourceFiles(root, path));
    else if (name.endsWith(".ts")) found.push(path);
  }
  return found;
}
