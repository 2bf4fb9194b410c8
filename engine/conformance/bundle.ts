/**
 * Makes one module of tfjs-core's test suite, tfjs' sources and our backend.
 *
 * tfjs' packages have a self-contained bundle as their main file, while the tests import single
 * source files; imported side by side these would be two engines that know nothing of each other.
 *
 * @module
 */

import { createRequire, isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { type Plugin, rolldown } from "rolldown";

/**
 * Bundles `suite.ts` and all it imports.
 *
 * @param folder Where the bundle is written.
 * @returns The bundle's file URL.
 */
export async function bundleSuite(folder: string): Promise<string> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL("./suite.ts", import.meta.url)),
    platform: "node",
    // tfjs-core declares its tests free of side effects, so they would be left out.
    treeshake: false,
    plugins: [resolveThroughDeno, constructSuperclass, loadPackageSources],
    logLevel: "silent",
  });
  try {
    const { output } = await bundle.write({
      dir: folder,
      format: "esm",
      entryFileNames: "suite.mjs",
      codeSplitting: false,
    });
    return new URL(output[0].fileName, `file://${folder}/`).href;
  } finally {
    await bundle.close();
  }
}

/** Finds npm packages where Deno has put them, and tfjs' sources instead of its bundles. */
const resolveThroughDeno: Plugin = {
  name: "resolve-through-deno",
  resolveId(source, importer) {
    if (isBuiltin(source)) return { id: source, external: true };
    if (importer === undefined || /^[./]/.test(source)) return null;
    try {
      // The import map serves the suite's own files, the package's dependencies all others.
      const path = importer.endsWith(".ts")
        ? fileURLToPath(import.meta.resolve(source))
        : createRequire(importer).resolve(source);
      return path.replace(/(\/@tensorflow\/.*\/dist\/)tf(-[a-z-]+)?\.node\.js$/, "$1index.js");
    } catch {
      return null;
    }
  },
};

/** Has backends load the sources of their packages, which are bundled, instead of the packages. */
const loadPackageSources: Plugin = {
  name: "load-package-sources",
  transform(code, path) {
    const backend = /engine\/(wasm|webgpu)\/package\.ts$/.exec(path.replaceAll("\\", "/"))?.[1];
    if (backend === undefined) return null;
    const sources = `@tensorflow/tfjs-backend-${backend}/dist/index.js`;
    return code.replace("import(CODE)", `import("${sources}")`);
  },
};

/** Lets tfjs-node-gpu's functions from before `class` inherit from the classes in tfjs' sources. */
const constructSuperclass: Plugin = {
  name: "construct-superclass",
  transform(code, path) {
    if (!path.includes("tfjs-node-gpu")) return null;
    return code.replaceAll(
      "_super.call(this) || this",
      "Reflect.construct(_super, [], new.target)",
    );
  },
};
