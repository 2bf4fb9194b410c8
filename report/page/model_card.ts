/**
 * What goes with a model's weights when they are given away: what it is, what it learnt from, how good
 * it is, and under which terms.
 *
 * @module
 */

import { printable } from "../../io/printable.ts";
import { weightsKind } from "../../io/weights_label.ts";
import { DATA, MODELS } from "../../study.ts";
import { describeSoftware } from "../analysis/describe_machine.ts";
import { describeCode } from "../analysis/describe_run.ts";
import { wilsonInterval } from "../analysis/statistics.ts";
import { engineOf, type ResultRow, scoredImages } from "../record/result_row.ts";
import { DATA_FOLDER, type Json, type Manifest, WEIGHTS_FILE } from "../record/run_folder.ts";

/** What the card says of a model besides its run. */
export interface CardFacts {
  /** The architecture's name, for people. */
  title: string;
  /** Where the weights are from, for people. */
  weights: string;
  /** Files beside the card, the first being the one to load. */
  files: readonly string[];
  /** How the files are loaded, as lines of code. */
  usage: string;
  /** What the model takes and gives, a sentence each. */
  inputAndOutput: string;
  /** The run; `undefined` where the weights came from a file. */
  run: { manifest: Manifest; row: ResultRow | undefined } | undefined;
}

/** The card's first line, by which an earlier one is known from a file of the user's. */
const MARK = "<!-- Written by `deno task export`, which writes it anew: keep notes elsewhere. -->";

/** Settings that say how the model was made; the others are of the machine or of no interest here. */
const NOT_SHOWN: readonly string[] = [
  ...["command", "source", "dataset", "dataset_sha256", "model"],
  ...[DATA_FOLDER, WEIGHTS_FILE],
];

/** The card, in Markdown. */
export function modelCard(
  { title, weights, files, usage, inputAndOutput, run }: CardFacts,
): string {
  const name = run?.manifest.model;
  const described = MODELS.find((model) => model.name === name)?.description;
  return [
    MARK,
    "",
    `# ${title}${name === undefined ? "" : ` (${printable(name)})`}`,
    "",
    ...(described === undefined ? [] : [`What it is: ${described}.`, ""]),
    `Weights: ${printable(weights)}.`,
    "",
    `Files: ${files.map((file) => `\`${file}\``).join(", ")}.`,
    "",
    "## Use",
    "",
    usage,
    "",
    inputAndOutput,
    "",
    ...(run === undefined ? [] : ofRun(run)),
    "## Licence",
    "",
    terms(run?.manifest.settings),
    "",
  ].join("\n");
}

/** Whether a text is a card that was written here. */
export function isModelCard(text: string): boolean {
  return text.startsWith(MARK);
}

function ofRun({ manifest, row }: NonNullable<CardFacts["run"]>): string[] {
  const { settings, run_id, started_at, versions } = manifest;
  const shown = Object.entries(settings).filter(([key, value]) =>
    !NOT_SHOWN.includes(key) && typeof value !== "object"
  );
  return [
    "## Data",
    "",
    `${printable(String(settings.dataset ?? "unknown"))}, ${
      settings.train_images ?? "no"
    } training ` +
    `and ${settings.test_images ?? "no"} test images; SHA-256 ` +
    `\`${printable(String(settings.dataset_sha256 ?? "unknown"))}\`.`,
    "",
    "## Settings",
    "",
    "| setting | value |",
    "| --- | --- |",
    ...shown.map(([key, value]) => `| ${printable(key)} | ${printable(String(value))} |`),
    "",
    "## Accuracy",
    "",
    accuracyOf(row),
    "",
    "## Origin",
    "",
    `Run \`${printable(run_id)}\` of ${printable(started_at)}, ` +
    `${printable(describeSoftware(engineOfRun(manifest, row), versions))}; ${commitsOf(manifest)}.`,
    "",
  ];
}

/** What the row says or, where there is none, the manifest. */
function engineOfRun({ settings }: Manifest, row: ResultRow | undefined): string {
  const { backend } = settings;
  if (row !== undefined) return engineOf(row);
  return typeof backend === "string" ? backend : "tensorflow";
}

function accuracyOf(row: ResultRow | undefined): string {
  const images = row === undefined ? null : scoredImages(row);
  if (row?.accuracy == null || !Number.isFinite(row.accuracy) || images === null) {
    return "Not known: the run has no finished row in the results.";
  }
  const correct = Math.round(row.accuracy / 100 * images);
  const { low, high } = wilsonInterval(correct, images);
  const percent = (share: number) => (100 * share).toFixed(2);
  return `${
    row.accuracy.toFixed(2)
  } % of ${images} test images (${correct} correct), 95 % interval ` +
    `${percent(low)} to ${percent(high)} % (Wilson); F1 ${row.f1?.toFixed(4) ?? "unknown"}. One ` +
    "training run: another seed gives another value.";
}

function commitsOf(manifest: Manifest): string {
  const commits = describeCode(manifest, (commit) => `commit \`${printable(commit)}\``);
  return commits || "made outside of a repository";
}

/** The terms of the weights, and of what they were learnt from. */
function terms(settings: Manifest["settings"] = {}): string {
  return [
    "The suite that made it is under the MIT License.",
    ...dataTerms(settings.dataset),
    ...weightsTerms(String(settings.weights ?? "")),
  ].join(" ");
}

function dataTerms(dataset: Json | undefined): string[] {
  if (dataset === undefined) return [];
  if (dataset === DATA.name) return ["MNIST, which it learnt from, is under CC BY-SA 3.0."];
  if (dataset === "fashion-mnist") {
    return ["Fashion-MNIST, which it learnt from, is under MIT (Zalando SE)."];
  }
  return ["It learnt from a folder of its maker's, whose terms are not known here."];
}

function weightsTerms(label: string): string[] {
  switch (weightsKind(label)) {
    case "torchvision":
    case "convolutions":
      return [
        "It started from weights of torchvision (BSD-3-Clause), which may have terms of their own " +
        "that follow from the pictures they were trained on.",
      ];
    case "file":
      return [`It started from a file of its maker's, ${printable(label)}.`];
    default:
      return [];
  }
}
