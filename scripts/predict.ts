/**
 * Which digit is in a picture: `deno task predict PICTURE...` asks a trained model.
 *
 * @module
 */

import { basename, join, resolve } from "node:path";
import { IMAGE_PIXELS } from "../data/dataset.ts";
import { startEngine } from "../engine/engine.ts";
import { DEFAULT_OUT, SHARED_FLAGS } from "../experiment/flags.ts";
import { mentionEngine } from "../experiment/provenance.ts";
import { answerOf, percentOf } from "../inference/answer.ts";
import { digitBlocks, digitPng, isDigitPng } from "../inference/digit_view.ts";
import { type DigitInput, digitInputs } from "../inference/digit_inputs.ts";
import { locateModel } from "../inference/load_model.ts";
import type { LoadedModel } from "../inference/loaded_model.ts";
import { checkWritable, writeFileAtomic } from "../io/atomic.ts";
import { userFolder, userPath } from "../io/cache.ts";
import { StudyError, UsageError } from "../io/errors.ts";
import { eventTurn } from "../io/event_turn.ts";
import { type HelpOptions, readWords } from "../io/help_text.ts";
import { refuseForeign, textIfReadable } from "../io/own_files.ts";
import type { FlagTable, FlagValues } from "../io/parse_flags.ts";
import { printable, printableJson } from "../io/printable.ts";
import { createReporter, printWhileRead, type Reporter } from "../io/reporter.ts";
import { interruptible, runScript } from "../io/run_script.ts";
import { BEST, BEST_ORDER, requireRunWord } from "../report/record/find_run.ts";
import { DATA } from "../study.ts";

const { backend, device, libtensorflow, verbose, help } = SHARED_FLAGS;

const FLAGS = {
  run: {
    kind: "text",
    placeholder: "RUN",
    default: BEST,
    help:
      "run whose model answers: its id or the beginning of it, its folder, a .pth or .safetensors " +
      `file, or best (${BEST_ORDER})`,
  },
  model: {
    kind: "text",
    placeholder: "NAME",
    help: "restrict best to the runs of this model: SimpleCNN, alexnet, vgg16, ...",
  },
  ink: {
    kind: "choice",
    choices: ["auto", "dark", "light"],
    default: "auto",
    help: "whether the digit is darker or lighter than what it is on; auto finds out",
  },
  explain: { kind: "boolean", help: "show what the model saw, and all ten probabilities" },
  saveViews: {
    kind: "path",
    folder: true,
    help: "folder to write what the model saw into, a PNG each",
  },
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
  json: {
    kind: "boolean",
    help: "print a line of JSON for each digit, and for what cannot be read",
  },
  backend,
  device,
  libtensorflow,
  quiet: { kind: "boolean", help: "print answers and errors only" },
  verbose,
  help,
} as const satisfies FlagTable;

const HELP: HelpOptions<typeof FLAGS> = {
  usage: "deno task predict PICTURE... [flags]",
  description:
    "Says which digit is in each picture: PNG or JPEG of up to 50 million pixels, a folder of " +
    "them, an IDX file, or - for standard input. A picture is prepared as MNIST was made: ink found, cropped, " +
    "scaled to 20×20 and centred by mass in 28×28; digits of an IDX file are taken as they are. " +
    "Exit status: 1 if any could not be read, 2 for a wrong command line.",
  table: FLAGS,
  examples: [
    "deno task predict seven.png",
    "deno task predict photos/ --explain",
    "deno task predict digit.jpg --model alexnet --json",
    "deno task predict - --run results/runs/20260131T235959123Z-part1-SimpleCNN-seed1-3f9a2c41",
  ],
};

type Flags = FlagValues<typeof FLAGS>;

async function main(): Promise<void> {
  const given = readWords(HELP);
  if (given === undefined) return;
  const { words, flags } = given;
  if (words.length === 0) {
    throw new UsageError(
      "Give at least one picture: deno task predict PICTURE...; see --help for what else there is",
    );
  }
  await requireRunWord(flags.run, "--run");
  const reporter = createReporter({
    quiet: flags.quiet,
    verbose: flags.verbose,
    stream: flags.json ? "stderr" : "stdout",
  });
  if (flags.saveViews !== undefined) await checkWritable(flags.saveViews);
  const located = await locateModel(userPath(flags.run), { ...flags, reporter });
  using engine = await startEngine({ ...flags, reporter });
  mentionEngine(engine, reporter);
  using model = await located.load();
  describeModel(model, reporter);
  // Before that, Ctrl-C ends the process at once.
  await interruptible((signal) => predict(words, { model, flags, reporter, signal }));
}

async function predict(
  words: readonly string[],
  { model, flags, reporter, signal }: {
    model: LoadedModel;
    flags: Flags;
    reporter: Reporter;
    signal: AbortSignal;
  },
): Promise<void> {
  const pathOf = (word: string) => resolve(userFolder(), word);
  const views = flags.saveViews === undefined
    ? undefined
    : new ViewFolder(flags.saveViews, reporter);
  // Where nobody reads the answers any more, views alone are worth going on for.
  const isOver = (line: string) => !printWhileRead(line) && views === undefined;
  for await (const input of digitInputs(words, { pathOf, ink: flags.ink, signal })) {
    await eventTurn(signal);
    if ("error" in input) {
      Deno.exitCode = 1;
      reporter.warn(`error: ${input.error}`);
      const { name: picture, error } = input;
      if (flags.json && isOver(printableJson({ picture, error }))) return;
      continue;
    }
    for await (const [i, scores] of eachScores(input, model, signal)) {
      if (linesOf(input, i, { scores, model, flags }).some(isOver)) return;
      await views?.save(input, i);
    }
  }
  if (views !== undefined && views.end() > 0) Deno.exitCode = 1;
}

/** The scores of each digit by its index; those of a batch come as soon as it has been answered. */
async function* eachScores(
  { images }: DigitInput,
  model: LoadedModel,
  signal: AbortSignal,
): AsyncGenerator<[index: number, scores: Float32Array]> {
  const size = model.batchSize * IMAGE_PIXELS;
  for (let at = 0; at < images.length; at += size) {
    const scores = await model.probabilities(images.subarray(at, at + size), signal);
    for (let start = 0; start < scores.length; start += DATA.classes) {
      const index = at / IMAGE_PIXELS + start / DATA.classes;
      yield [index, scores.subarray(start, start + DATA.classes)];
    }
  }
}

/** Says who answers, and warns of one that has learnt something else. */
function describeModel({ name, run, weights }: LoadedModel, reporter: Reporter): void {
  const accuracy = run?.row?.accuracy;
  const tested = accuracy == null ? "" : `, ${accuracy.toFixed(2)} % of its test images`;
  reporter.line(
    run === undefined
      ? `Model: ${name} from ${weights}`
      : `Model: ${name}, run ${run.runId}${tested} (weights: ${weights})`,
  );
  const dataset = run?.manifest.settings.dataset;
  if (typeof dataset === "string" && dataset !== DATA.name) {
    reporter.warn(
      `NOT TRAINED ON ${DATA.name.toUpperCase()}: the model learnt from ${
        printable(dataset)
      }, so ` +
        "its classes may be other things than digits",
    );
  }
}

/** What is printed of one digit. */
function linesOf(
  input: DigitInput,
  index: number,
  { scores, model, flags }: { scores: Float32Array; model: LoadedModel; flags: Flags },
): string[] {
  const { picture } = input;
  const { best, runnerUp } = answerOf(scores);
  if (flags.json) {
    return [printableJson({
      picture: input.name,
      ...(picture === undefined && { index }),
      digit: best?.digit ?? null,
      probability: best?.probability ?? null,
      runner_up: runnerUp ?? null,
      probabilities: Array.from(scores),
      ...(picture && { ink: picture.ink, box: picture.box }),
      ...(flags.explain && { pixels: Array.from(pixelsOf(input, index)) }),
      model: model.name,
      run: model.run?.runId ?? null,
    })];
  }
  const name = picture === undefined ? `${input.name}[${index}]` : input.name;
  const then = runnerUp && `, then ${runnerUp.digit} (${percentOf(runnerUp.probability)})`;
  const said = best === undefined
    ? "no digit detected"
    : `${best.digit} (${percentOf(best.probability)})${then ?? ""}`;
  const line = `${printable(name)}: ${said}`;
  if (!flags.explain) return [line];
  return [
    line,
    `  ${describePreparation(input)}`,
    ...digitBlocks(pixelsOf(input, index)).map((row) => `  ${row}`),
    ...Array.from(scores, (score, digit) => {
      const bar = "█".repeat(Math.round(40 * Math.min(1, score)));
      return `  ${digit}  ${percentOf(score).padStart(9)}  ${bar}`.trimEnd();
    }),
  ];
}

function describePreparation({ picture }: DigitInput): string {
  if (picture === undefined) return "As it is in the file: 28×28 pixels, light on dark.";
  const { ink, box, width, height } = picture;
  const inverted = ink === "dark" ? "dark ink on light, inverted" : "light ink on dark, as it is";
  return `${inverted}; cropped to ${box.width}×${box.height} at ${box.left},${box.top} of ` +
    `${width}×${height}, scaled to 20×20, centred by mass in 28×28:`;
}

function pixelsOf({ images }: DigitInput, index: number): Uint8Array {
  return images.subarray(index * IMAGE_PIXELS, (index + 1) * IMAGE_PIXELS);
}

/** Where what the model saw is written, each digit under a name of its own. */
class ViewFolder {
  readonly #folder: string;
  readonly #reporter: Reporter;
  readonly #names = new Set<string>();
  #failures = 0;

  constructor(folder: string, reporter: Reporter) {
    this.#folder = folder;
    this.#reporter = reporter;
  }

  /** Keeps a view, or says of the first that cannot be kept why: the answers matter more. */
  async save(input: DigitInput, index: number): Promise<void> {
    const path = join(this.#folder, this.#nameOf(input, index));
    const isOwn = async (path: string) => isDigitPng(await textIfReadable(path));
    const origin = { command: "deno task predict", flag: "--save-views" };
    try {
      await refuseForeign([{ path, isOwn }], origin);
      await writeFileAtomic(path, digitPng(pixelsOf(input, index)));
    } catch (error) {
      if (!(error instanceof StudyError)) throw error;
      if (this.#failures++ === 0) this.#reporter.warn(`error: ${error.message}`);
    }
  }

  /** @returns How many could not be kept, which is said if it is more than the one named. */
  end(): number {
    const more = this.#failures - 1;
    if (more > 0) {
      this.#reporter.warn(`error: ${more} more view${more === 1 ? "" : "s"} could not be kept`);
    }
    return this.#failures;
  }

  #nameOf(input: DigitInput, index: number): string {
    const stem = basename(input.name).replace(/\.(png|jpe?g|gz)$/i, "").replace(/\s+/g, "-");
    const wanted = input.picture === undefined ? `${stem}-${index}` : stem;
    let name = wanted;
    for (let count = 2; this.#names.has(name); count++) name = `${wanted}-${count}`;
    this.#names.add(name);
    return `${name}.png`;
  }
}

if (import.meta.main) await runScript(main);
