/**
 * A run's weights alone, to be used elsewhere: `deno task export RUN --format safetensors --out PATH`.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { startEngine } from "../engine/engine.ts";
import { DEFAULT_OUT, SHARED_FLAGS } from "../experiment/flags.ts";
import { mentionEngine } from "../experiment/provenance.ts";
import { exportTfjs, requireLayers, tfjsFiles } from "../inference/export_tfjs.ts";
import { inputAndOutput } from "../inference/input_and_output.ts";
import { locateModel } from "../inference/load_model.ts";
import type { LoadedModel } from "../inference/loaded_model.ts";
import { writeFileAtomic } from "../io/atomic.ts";
import { userPath } from "../io/cache.ts";
import { StudyError, UsageError } from "../io/errors.ts";
import { type HelpOptions, readWords } from "../io/help_text.ts";
import { checkMayWrite } from "../io/may_write.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { printableJson } from "../io/printable.ts";
import { createReporter } from "../io/reporter.ts";
import { type OwnFile, refuseForeign, textIfReadable } from "../io/own_files.ts";
import { isFolder } from "../io/path_kind.ts";
import { runScript } from "../io/run_script.ts";
import { exportNotes, isExportNoted } from "../models/checkpoint/export_notes.ts";
import { openSafetensors, saveCheckpoint } from "../models/checkpoint/safetensors.ts";
import { isModelCard, modelCard } from "../report/page/model_card.ts";
import { BEST_ORDER, requireRunWord } from "../report/record/find_run.ts";
import { refuseInsideRun } from "../report/record/run_folders.ts";

const { backend, device, libtensorflow, quiet, verbose, help } = SHARED_FLAGS;

const FLAGS = {
  format: {
    kind: "choice",
    choices: ["safetensors", "tfjs"],
    default: "safetensors",
    help:
      "safetensors has PyTorch's names and layouts; tfjs is for tf.loadLayersModel in a browser",
  },
  out: {
    kind: "path",
    folder: true,
    orEnding: ".safetensors",
    help: "where to: a .safetensors file, or a folder",
  },
  model: { kind: "text", placeholder: "NAME", help: "restrict best to the runs of this model" },
  results: {
    kind: "path",
    existing: "folder",
    default: DEFAULT_OUT,
    help: "folder that runs are looked for in",
  },
  weights: {
    kind: "path",
    existing: "file",
    help: "the file of weights that the run started from, where it has been moved",
  },
  backend,
  device,
  libtensorflow,
  quiet,
  verbose,
  help,
} as const satisfies FlagTable;

const HELP: HelpOptions<typeof FLAGS> = {
  usage: "deno task export RUN --out PATH [flags]",
  description:
    "Writes the weights of a run alone, without its optimiser, and a short model card beside " +
    "them. RUN is a run's id or the beginning of it, its folder, a file of weights, or best " +
    `(${BEST_ORDER}).`,
  table: FLAGS,
  examples: [
    "deno task export best --out simple_cnn.safetensors",
    "deno task export best --model SimpleCNN --format tfjs --out web/model",
  ],
};

async function main(): Promise<void> {
  const given = readWords(HELP);
  if (given === undefined) return;
  const { words, flags } = given;
  const [run] = words;
  if (run === undefined || words.length > 1) {
    throw new UsageError(`Give one run, not ${words.length}: ${HELP.usage}; see --help`);
  }
  if (flags.out === undefined) {
    throw new UsageError(`Say where the weights are to go with --out PATH: ${HELP.usage}`);
  }
  const isFileName = flags.out.endsWith(".safetensors") && !await isFolder(flags.out);
  if (flags.format === "tfjs" && isFileName) {
    throw new UsageError(`--out ${basename(flags.out)}: --format tfjs writes a folder; name one`);
  }
  await requireRunWord(run);
  const target = flags.format === "tfjs" ? tfjsTarget(flags.out) : safetensorsTarget(flags.out);
  await refuseInsideRun(flags.out, "--out");
  await checkMayWrite(isFileName ? dirname(flags.out) : flags.out);
  await refuseForeign(await target.existing(), { command: "deno task export", flag: "--out" });
  const reporter = createReporter({ quiet: flags.quiet, verbose: flags.verbose });
  const accept = flags.format === "tfjs" ? requireLayers : undefined;
  const located = await locateModel(userPath(run), { ...flags, reporter }, accept);
  using engine = await startEngine({ ...flags, reporter });
  mentionEngine(engine, reporter);
  using model = await located.load();
  for (const file of await target.write(model)) reporter.line(`Written: ${file}`);
}

/** What is written in a format, and where. */
interface Target {
  /** The files that it may take the place of. */
  existing(): Promise<OwnFile[]>;
  /** @returns The paths to be named to the user. */
  write(model: LoadedModel): Promise<string[]>;
}

/** PyTorch's names and layouts in one file, the card beside it under the same name. */
function safetensorsTarget(out: string): Target {
  const path = out.endsWith(".safetensors") ? out : join(out, "model.safetensors");
  const card = path.replace(/\.safetensors$/, ".md");
  return {
    existing: () => Promise.resolve([{ path, isOwn: isExported }, { path: card, isOwn: isCard }]),
    write: async (model) => {
      await saveCheckpoint(path, model.stateDict(), exportNotes(model));
      await writeFileAtomic(card, safetensorsCard(model, basename(path)));
      return [path, card];
    },
  };
}

function safetensorsCard(model: LoadedModel, name: string): string {
  // Python reads a string of JSON as TypeScript does.
  const quoted = printableJson(name);
  const usage = [
    "```python",
    "from safetensors.torch import load_file",
    `model.load_state_dict(load_file(${quoted}))  # names and shapes as PyTorch has them`,
    "```",
    "",
    "```ts",
    `const model = await loadModel(${quoted}); // from this suite's mod.ts`,
    "```",
  ].join("\n");
  return modelCard({ ...facts(model, ["n", "c", "h", "w"]), files: [name], usage });
}

/** Whether a file of weights came from here, and is not the checkpoint of a run or of others. */
async function isExported(path: string): Promise<boolean> {
  try {
    using file = await openSafetensors(path);
    return isExportNoted(file.metadata);
  } catch (error) {
    if (error instanceof StudyError) return false;
    throw error;
  }
}

async function isCard(path: string): Promise<boolean> {
  return isModelCard(await textIfReadable(path));
}

/** `model.json` with its weights in a folder, the card as its README. */
function tfjsTarget(folder: string): Target {
  const card = join(folder, "README.md");
  return {
    existing: async () => [...await tfjsFiles(folder), { path: card, isOwn: isCard }],
    write: async (model) => {
      const files = await exportTfjs(model, folder);
      // A network of another size has its weights in another number of files.
      for (const { path } of await tfjsFiles(folder)) {
        if (!files.includes(basename(path))) await Deno.remove(path);
      }
      await writeFileAtomic(card, tfjsCard(model, files));
      return [join(folder, "model.json"), card];
    },
  };
}

function tfjsCard(model: LoadedModel, files: readonly string[]): string {
  const usage = [
    "```js",
    'const model = await tf.loadLayersModel("model.json"); // @tensorflow/tfjs 4',
    "```",
  ].join("\n");
  return modelCard({ ...facts(model, ["n", "h", "w", "c"]), files, usage });
}

function facts(model: LoadedModel, order: readonly string[]) {
  const { title, weights, run } = model;
  return { title, weights, run, inputAndOutput: inputAndOutput(model, order) };
}

if (import.meta.main) await runScript(main);
