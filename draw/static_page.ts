/**
 * The page as files that need no server: SimpleCNN is computed in the browser.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportTfjs } from "../inference/export_tfjs.ts";
import { writeFileAtomic } from "../io/atomic.ts";
import { StudyError } from "../io/errors.ts";
import { checkMayWrite } from "../io/may_write.ts";
import { refuseForeign, textIfReadable } from "../io/own_files.ts";
import type { Reporter } from "../io/reporter.ts";
import { byRank, type LocatedRun } from "../report/record/find_run.ts";
import { refuseInsideRun } from "../report/record/run_folders.ts";
import { DATA, RECIPES, SIMPLE_CNN } from "../study.ts";
import { bundlePage } from "./bundle.ts";
import { findMisread } from "./misread_digits.ts";
import { toBase64 } from "./page/base64.ts";
import { DATA_GLOBAL, MODEL_GLOBAL, type StoredModel, WASM_FILE } from "./page/stored_model.ts";
import { isWrittenBy, pageFiles } from "./page_files.ts";
import { describeModel, loadTrained } from "./trained_models.ts";

/** What a page without a server says that it was written by. */
const GENERATOR = "deno task draw --static";

/** The document, which comes first: where it is the page's, so is all beside it. */
const DOCUMENT = "index.html";

/** What a page without a server may load: its own files alone. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The networks that a browser computes at once. */
const SMALL: readonly string[] = Object.values(RECIPES).map(({ name }) => name);

/**
 * Never called: Deno fetches the packages that a program may import, and the bundle is made of these.
 *
 * @internal
 */
export const BUNDLED_PACKAGES = (): Promise<unknown> => import("./page/read_here.ts");

const LICENCES_FILE = "licences.txt";

/**
 * What is said of what is in the files.
 *
 * @param misread How many test images are shown.
 * @param dataset What they are of, as the run's row has it.
 */
export function licences(misread: number, dataset: string | undefined): string {
  return `page.js, index.html, page.css: MNIST study in TypeScript, MIT License
page.js and ${WASM_FILE} contain TensorFlow.js, Copyright Google LLC, Apache License 2.0
  (https://www.apache.org/licenses/LICENSE-2.0), and what it is built with: long.js (Apache License
  2.0), seedrandom (MIT License)
data.js: ${misread === 0 ? "what your own training run found" : imageTerms(dataset)}
model.js: weights of your own training run
`;
}

function imageTerms(dataset: string | undefined): string {
  if (dataset === DATA.name) {
    return "digits of MNIST, Yann LeCun and Corinna Cortes, CC BY-SA 3.0\n" +
      "  (https://creativecommons.org/licenses/by-sa/3.0/)";
  }
  return "test images out of a folder of your own, whose terms are not known here";
}

/** A page that can be written, as far as could be told without an engine. */
export interface PlannedPage {
  /** The run whose network it has. */
  readonly run: LocatedRun;
  /**
   * Writes it; an engine must be running. The files refer to each other by relative addresses and to
   * nothing else.
   *
   * @returns The size of all files, in bytes.
   */
  write(reporter: Reporter): Promise<number>;
}

/**
 * Looks for the best SimpleCNN among some runs, and whether its page may be written to a folder.
 *
 * @throws {StudyError} If none of them is of SimpleCNN, or the folder is a run's or has files of others
 *   in the page's place.
 */
export async function planStaticPage(
  folder: string,
  runs: readonly LocatedRun[],
): Promise<PlannedPage> {
  const run = runs.filter(({ manifest }) => SMALL.includes(manifest.model))
    .sort(({ row: a }, { row: b }) => byRank(a, b))[0];
  if (run === undefined) {
    throw new StudyError(
      `--static takes a trained ${SIMPLE_CNN.title}, and there is none in these results: train one ` +
        "with `deno task part1 --recipe fast`",
    );
  }
  await refuseInsideRun(folder, "--static");
  await checkMayWrite(folder);
  const scripts = ["data.js", "model.js", "page.js"];
  const files = await pageFiles(DOCUMENT, { scripts, policy: POLICY, generator: GENERATOR });
  const isOwn = async () => isWrittenBy(GENERATOR, await textIfReadable(join(folder, DOCUMENT)));
  const names = [...files.keys(), ...scripts, WASM_FILE, LICENCES_FILE];
  await refuseForeign(
    names.map((name) => ({ path: join(folder, name), isOwn })),
    { command: GENERATOR, flag: "--static" },
  );
  return { run, write: (reporter) => writePage(folder, { run, files, reporter }) };
}

async function writePage(
  folder: string,
  { run, files, reporter }: {
    run: LocatedRun;
    /** The document and what goes with it. */
    files: Awaited<ReturnType<typeof pageFiles>>;
    reporter: Reporter;
  },
): Promise<number> {
  const [model] = await loadTrained([run], reporter);
  using loaded = model!;
  const misread = await findMisread([run]);
  const dataset = run.row?.dataset;
  if (misread.length > 0 && dataset !== DATA.name) {
    reporter.warn(
      `The page's data.js has ${misread.length} of your own test images, which the model misread: who ` +
        "has the page has them",
    );
  }
  const data = { models: [describeModel(loaded)], misread };
  const stored = await storeModel(loaded);
  const contents = new Map<string, string | Uint8Array>([
    ...[...files].map(([name, { content }]) => [name, content] as const),
    ["data.js", `globalThis.${DATA_GLOBAL} = ${scriptValue(data)};\n`],
    ["model.js", `globalThis.${MODEL_GLOBAL} = ${scriptValue(stored)};\n`],
    ["page.js", await bundlePage("read_here.ts")],
    [WASM_FILE, await wasmBinary()],
    [LICENCES_FILE, licences(misread.length, dataset)],
  ]);
  let bytes = 0;
  for (const [name, content] of contents) {
    const encoded = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await writeFileAtomic(join(folder, name), encoded);
    bytes += encoded.length;
  }
  return bytes;
}

/** A value as a script may have it. */
function scriptValue(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u2028\u2029]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16)}`,
  );
}

/** The model in tfjs' form, as one value. */
async function storeModel(model: Parameters<typeof exportTfjs>[0]): Promise<StoredModel> {
  const folder = await Deno.makeTempDir();
  try {
    await exportTfjs(model, folder);
    const { modelTopology, weightsManifest } = JSON.parse(
      await Deno.readTextFile(join(folder, "model.json")),
    );
    const paths: string[] = weightsManifest.flatMap(({ paths }: { paths: string[] }) => paths);
    const parts = await Promise.all(paths.map((path) => Deno.readFile(join(folder, path))));
    const packed = new Blob(parts).stream().pipeThrough(new CompressionStream("gzip"));
    return {
      modelTopology,
      weightSpecs: weightsManifest.flatMap(({ weights }: { weights: unknown[] }) => weights),
      weights: toBase64(new Uint8Array(await new Response(packed).arrayBuffer())),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** tfjs' kernels for processors, in the form that all browsers of today take. */
async function wasmBinary(): Promise<Uint8Array> {
  const entry = fileURLToPath(import.meta.resolve("@tensorflow/tfjs-backend-wasm"));
  return await Deno.readFile(join(dirname(entry), WASM_FILE));
}
