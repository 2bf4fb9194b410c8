/**
 * What is in a checkpoint, and which models it would fit: `deno task inspect FILE`. It runs without
 * FFI, network or writing, and so can look at files that nobody vouches for.
 *
 * @module
 */

import { basename, resolve } from "node:path";
import { userFolder } from "../io/cache.ts";
import { UsageError } from "../io/errors.ts";
import { type HelpOptions, readWords } from "../io/help_text.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { printableJson } from "../io/printable.ts";
import { createReporter, formatBytes, print } from "../io/reporter.ts";
import { runScript } from "../io/run_script.ts";
import { sha256File } from "../io/sha256.ts";
import { isMoment } from "../models/checkpoint/optimizer_state.ts";
import { openCheckpoint } from "../models/checkpoint/open_checkpoint.ts";
import {
  ALEXNET_WEIGHTS,
  FASTER_RCNN_WEIGHTS,
  VGG16_WEIGHTS,
} from "../models/checkpoint/pretrained.ts";
import { byteWidth, type DType, elementCount, quoted } from "../models/checkpoint/state_dict.ts";
import type { Checkpoint } from "../models/checkpoint/stored_tensor.ts";
import { isPublished } from "../models/checkpoint/torchvision_weights.ts";
import { countNonFinite, weightFault } from "../models/checkpoint/usable_weights.ts";
import { fittingModels, type ModelFit } from "../models/fitting_models.ts";

const FLAGS = {
  all: { kind: "boolean", help: "list every tensor, however many there are" },
  json: { kind: "boolean", help: "print the findings as JSON" },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page; -h does too" },
} as const satisfies FlagTable;

const HELP: HelpOptions<typeof FLAGS> = {
  usage: "deno task inspect FILE [flags]",
  description:
    "Says what is in a .pth or .safetensors file and which of the study's models would " +
    "take it. Every value is read and every checksum compared; nothing in the file is executed. May " +
    "read files and do nothing else: no FFI, network or writing. Exit status: 0 for a sound " +
    "checkpoint, whatever it fits; 1 for anything else; 2 for a wrong command line.",
  table: FLAGS,
  examples: [
    "deno task inspect checkpoint.pth",
    "deno task inspect model.safetensors --json",
  ],
};

/** Tensors listed without `--all`. */
const LISTED = 40;

/** What the suite's own training runs put beside their parameters. */
const OPTIMIZER = "optimizer.*";

/** What is said of a checkpoint. */
interface Findings {
  file: string;
  bytes: number;
  sha256: string;
  /** Name of torchvision's published file, if it is one. */
  published: string | undefined;
  format: Checkpoint["format"];
  tensors: TensorFinding[];
  structure: Checkpoint["structure"];
  metadata: Checkpoint["metadata"];
  models: ModelFit[];
}

interface TensorFinding {
  name: string;
  dtype: DType;
  shape: readonly number[];
  /** How many of its elements are infinite or not a number as float32, in which models compute. */
  nonFinite: number;
}

async function main(): Promise<void> {
  const given = readWords(HELP);
  if (given === undefined) return;
  const { words: files, flags } = given;
  const [file] = files;
  if (file === undefined || files.length > 1) {
    throw new UsageError(
      `Give one file to look at, not ${files.length}: deno task inspect FILE; see --help`,
    );
  }
  const findings = await inspectCheckpoint(resolve(userFolder(), file));
  if (flags.json) return print(printableJson(findings));
  const reporter = createReporter();
  for (const line of page(findings, flags.all ? Infinity : LISTED)) reporter.line(line);
}

/** Reads a file as a whole, one tensor at a time. */
async function inspectCheckpoint(path: string): Promise<Findings> {
  using checkpoint = await openCheckpoint(path);
  const { format, structure, metadata } = checkpoint;
  const tensors: TensorFinding[] = [];
  for (const name of checkpoint.names()) {
    const tensor = await checkpoint.read(name);
    const { dtype, shape } = tensor;
    tensors.push({ name, dtype, shape, nonFinite: countNonFinite(tensor) });
  }
  const sha256 = await sha256File(path);
  return {
    file: path,
    bytes: (await Deno.stat(path)).size,
    sha256,
    published: [FASTER_RCNN_WEIGHTS, VGG16_WEIGHTS, ALEXNET_WEIGHTS]
      .find((source) => isPublished(source, sha256))?.file,
    format,
    tensors,
    structure,
    metadata,
    models: fittingModels(
      new Map(tensors.map(({ name, shape, ...tensor }) => [
        name,
        { shape, fault: weightFault(tensor)?.fault },
      ])),
    ),
  };
}

const FORMATS: Record<Checkpoint["format"], string> = {
  "torch-zip": "a .pth of PyTorch, as a zip archive",
  "torch-stream": "a .pth of PyTorch before 1.6",
  "safetensors": "a .safetensors file",
};

function page(findings: Findings, listed: number): string[] {
  const { file, bytes, sha256, published, format, tensors } = findings;
  const { structure: { path, beside, foreign }, metadata } = findings;
  const notes = Object.keys(metadata).map(quoted);
  const broken = tensors.filter(({ nonFinite }) => nonFinite > 0);
  const range = broken.some(({ dtype }) => dtype === "float64") ? " as float32" : "";
  return [
    `${quoted(basename(file))}: ${FORMATS[format]}, ${formatBytes(bytes)}`,
    `SHA-256: ${sha256}${published ? `, torchvision's ${published}` : ""}`,
    "",
    tensorsLine(tensors, path),
    ...table(tensors.slice(0, listed)),
    ...(tensors.length > listed ? [`  and ${tensors.length - listed} more: --all lists them`] : []),
    ...(beside.length > 0 ? [`Beside them: ${someOf(beside)}`] : []),
    ...(foreign.length > 0
      ? [`Python names that were ignored (nothing was executed): ${someOf(foreign.map(quoted))}`]
      : []),
    ...(notes.length > 0 ? [`Metadata: ${someOf(notes)}`] : []),
    broken.length === 0
      ? "Values: all read; none is infinite or NaN"
      : `Values: infinite or NaN${range} in ${
        someOf(broken.map(({ name, nonFinite }) => `${quoted(name)} (${nonFinite})`))
      }`,
    "",
    "Would it fit?",
    ...findings.models.map((fit) => `  ${fitLine(fit, tensors)}`),
  ];
}

function tensorsLine(tensors: readonly TensorFinding[], path: readonly string[]): string {
  const elements = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const bytes = tensors.reduce(
    (sum, { shape, dtype }) => sum + elementCount(shape) * byteWidth(dtype),
    0,
  );
  const under = path.length === 0 ? "" : ` under ${path.map(quoted).join(", ")}`;
  return `Tensors: ${tensors.length}${under}, of ${elements.toLocaleString("en")} elements, ` +
    formatBytes(bytes);
}

function table(tensors: readonly TensorFinding[]): string[] {
  const names = tensors.map(({ name }) => quoted(name));
  const width = Math.max(0, ...names.map(({ length }) => length));
  return tensors.map(({ dtype, shape }, i) =>
    `  ${names[i]!.padEnd(width)}  ${dtype.padEnd("bfloat16".length)}  [${shape.join(", ")}]`
  );
}

function fitLine(
  { title, fits, use, removed, misfit, refused }: ModelFit,
  tensors: readonly TensorFinding[],
): string {
  if (!fits) return `no   ${title}: ${misfit}`;
  const wrapped = removed === "" ? "" : `; ${removed} is removed from its names`;
  const names = new Set(tensors.map(({ name }) => name));
  const own = tensors.some(({ name }) => isMoment(name, (other) => names.has(other)))
    ? `; its ${OPTIMIZER} entries belong to a training run and are ignored`
    : "";
  const refusal = refused === "" ? "" : `; but it would be refused: ${refused}`;
  return `yes  ${title}: ${use}${wrapped}${own}${refusal}`;
}

/** A list of at most ten items. */
function someOf(items: readonly string[]): string {
  const more = items.length > 10 ? `, … ${items.length - 10} more` : "";
  return items.slice(0, 10).join(", ") + more;
}

if (import.meta.main) await runScript(main);
