/**
 * What goes with a model's weights when they are given away: what it is, what it learnt from, how good
 * it is, and under which terms.
 *
 * @module
 */

import { printable } from "../../io/printable.ts";
import { weightsKind } from "../../io/weights_label.ts";
import { MODELS, type Normalization } from "../../study.ts";
import { wilsonInterval } from "../analysis/statistics.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { Manifest } from "../record/run_folder.ts";

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
  /** What the model takes. */
  input: { shape: string; normalization: Normalization };
  /** The run; `undefined` where the weights came from a file. */
  run: { manifest: Manifest; row: ResultRow | undefined } | undefined;
}

/** Settings that say how the model was made; the others are of the machine or of no interest here. */
const NOT_SHOWN = ["command", "source", "dataset", "dataset_sha256", "data_folder", "model"];

/** The card, in Markdown. */
export function modelCard({ title, weights, files, usage, input, run }: CardFacts): string {
  const name = run?.manifest.model;
  const described = MODELS.find((model) => model.name === name)?.description;
  return [
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
    `Input: float32 ${input.shape}, each grey value divided by 255, minus ` +
    `${input.normalization.mean.join(", ")}, over ${input.normalization.std.join(", ")}; light ` +
    "digits on dark. Output: logits `[n, 10]`, of the digits 0 to 9; softmax makes probabilities of " +
    "them.",
    "",
    ...(run === undefined ? [] : ofRun(run)),
    "## Licence",
    "",
    "MIT, as the suite that made it. MNIST, which it learnt from, is under CC BY-SA 3.0." +
    pretrainedTerms(String(run?.manifest.settings.weights ?? "")),
    "",
  ].join("\n");
}

function ofRun({ manifest, row }: NonNullable<CardFacts["run"]>): string[] {
  const { settings, git, run_id, started_at, versions } = manifest;
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
    `Run \`${printable(run_id)}\` of ${printable(started_at)}, TensorFlow ` +
    `${printable(String(versions.tensorflow ?? "unknown"))}; ${commitOf(git)}.`,
    "",
  ];
}

function accuracyOf(row: ResultRow | undefined): string {
  const images = row?.evaluated_images ?? row?.test_images;
  if (row?.accuracy == null || !Number.isFinite(row.accuracy) || images == null) {
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

function commitOf(git: Manifest["git"]): string {
  if (git === null) return "made outside of a repository";
  return `commit \`${printable(git.commit)}\`${
    git.clean ? "" : ", with changes that are not in it"
  }`;
}

function pretrainedTerms(label: string): string {
  const kind = weightsKind(label);
  if (kind === "torchvision" || kind === "convolutions") {
    return " Its convolutions are torchvision's (BSD-3-Clause), trained on ImageNet or COCO, whose " +
      "terms may hold for them.";
  }
  return kind === "file" ? ` It started from a file of its maker's (${printable(label)}).` : "";
}
