/**
 * The report's first page, which README opens with too: every published number that matters, ours
 * beside it, the verdict, and the study's claims.
 *
 * @module
 */

import { type MeanAndSd, meanAndSd } from "../../metrics/descriptive_statistics.ts";
import { FASTER_RCNN_ADAPTED } from "../../study.ts";
import type { Comparison, ModelComparison, ReferenceResult } from "../analysis/comparison.ts";
import { commonDevice, devicesAmong } from "../analysis/describe_machine.ts";
import {
  formatFixed,
  formatMeanAndSd,
  formatOverSeeds,
  formatShare,
  NONE,
} from "../analysis/format_numbers.ts";
import type { SeedAggregate } from "../analysis/seed_aggregates.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { Manifest } from "../record/run_folder.ts";
import { nameNotes } from "../analysis/describe_run.ts";
import { alignedTable, type Column, escapeMarkdown, table } from "./markdown.ts";
import { describeVerdicts, renderCaveats, verdictWords } from "./verdict_words.ts";

/** The study's words where nothing is trained. */
const INFERENCE_ONLY = FASTER_RCNN_ADAPTED.published.trainingTime;

/** What the first page is made from. */
export type HeadlineFacts = Pick<Comparison, "models" | "claims" | "judged" | "reference">;

/** The report's first section. */
export function renderHeadline(comparison: HeadlineFacts): string {
  const { columns, rows } = headline(comparison);
  return [
    "## What was published, and what we found\n",
    table(columns, rows),
    describeVerdicts(comparison),
    renderCaveats(comparison.models),
    "### The study's claims\n",
    table(CLAIM_COLUMNS, claimRows(comparison)),
    claimCaveats(comparison),
  ].filter((part) => part !== "").join("\n");
}

/** The same two tables as `deno fmt` formats them, for README, which leaves reasons to the report. */
export function renderReadmeHeadline(comparison: HeadlineFacts): string {
  const { columns, rows } = headline(comparison);
  const claims = claimRows(comparison).map((cells) => cells.slice(0, 2));
  return `${alignedTable(columns, rows)}\n${alignedTable(CLAIM_COLUMNS.slice(0, 2), claims)}`;
}

/** Ours, and with a reference the committed runs' beside it. */
function headline({ models, reference }: HeadlineFacts): { columns: Column[]; rows: string[][] } {
  const published = sideOf("Published", models.map(publishedCells));
  const shown = models.map(shownResult);
  const committed = models.map(({ model }) => reference.find((one) => one.model === model));
  const deviceOf = devicesAmong([...committed, ...shown].map(manifestOf));
  const cellsOf = (results: readonly (Result | string | undefined)[]) =>
    results.map((result) => resultCells(result, deviceOf(manifestOf(result))));
  const ours = reference.length === 0 ? [sideOf("Ours", cellsOf(shown))] : [
    sideOf("Reference", cellsOf(committed).map((cells, i) => withNotes(cells, committed[i]))),
    sideOf("Yours", cellsOf(shown)),
  ];
  const sides = [published, ...ours];
  const right = (title: string): Column => ({ title, align: "right" });
  const columns: Column[] = [
    { title: "Model" },
    right(`${published.title} accuracy (%)`),
    ...ours.map(({ title }) => right(`${title} (%)`)),
    { title: "Verdict" },
    right(`${published.title} F1`),
    ...ours.map(({ title }) => right(title)),
    right(`${published.title} training time${published.device}`),
    ...ours.map(({ title, device }) => right(`${title}${device}`)),
  ];
  const rows = models.map((model, i) => {
    const [first, ...others] = sides.map(({ cells }) => cells[i]!);
    return [
      describeModel(model),
      first!.accuracy,
      ...others.map(({ accuracy }) => accuracy),
      verdictWords(model),
      ...sides.map(({ cells }) => cells[i]!.f1),
      ...sides.map(({ cells }) => cells[i]!.cost),
    ];
  });
  return { columns, rows };
}

/** The name, what is not as in the study, and another engine than TensorFlow. */
function describeModel({ model, row }: ModelComparison): string {
  const notes = row?.status === "ok" ? nameNotes(row) : [];
  return escapeMarkdown([model, ...notes].join(", "));
}

/** What the first page says of a result. */
interface Cells {
  accuracy: string;
  f1: string;
  cost: string;
  /** What it was timed on; `""` if that is not known, or nothing was timed. */
  device: string;
}

/** The results of one column group, in the order of the models. */
interface Side {
  title: string;
  cells: Cells[];
  /** The device in words, if it is the same for all. */
  device: string;
}

/**
 * Names the device in the title, if it is that of all or of more than half of them, and in each cell
 * that the title does not speak of.
 */
function sideOf(title: string, cells: readonly Cells[]): Side {
  const timed = cells.filter(({ cost }) => cost !== NONE);
  const devices = [...new Set(timed.map(({ device }) => device))];
  if (devices.length === 1) {
    const [device] = devices;
    return { title, cells: [...cells], device: device === "" ? "" : `, ${device}` };
  }
  const named = commonDevice(timed.map(({ device }) => device));
  return {
    title,
    cells: cells.map((cell) =>
      cell.device === "" || cell.device === named
        ? cell
        : { ...cell, cost: `${cell.cost}, ${cell.device}` }
    ),
    device: named === undefined ? ", device" : `, ${named} unless stated otherwise`,
  };
}

function publishedCells({ published }: ModelComparison): Cells {
  if (published === null) return { accuracy: NONE, f1: NONE, cost: NONE, device: "" };
  return {
    accuracy: formatFixed(published.accuracy, 2),
    f1: formatFixed(published.f1, 4),
    cost: costWords({ time: published.trainingTime, inference: published.inferenceMsPerImage }),
    device: escapeMarkdown(published.device),
  };
}

type Result = { setting: SeedAggregate; manifest: Manifest | null };

/** A word stands for what there is none of. */
function shownResult({ row, settings: [setting], manifest }: ModelComparison): Result | string {
  if (row === null) return "not run";
  if (setting !== undefined) return { setting, manifest };
  return row.status === "error" ? "failed" : "interrupted";
}

function manifestOf(result: Result | string | undefined): Manifest | null {
  return typeof result === "object" ? result.manifest : null;
}

/** Behind the accuracy what is not as in the study: the model's name says it of other runs. */
function withNotes(cells: Cells, reference: ReferenceResult | undefined): Cells {
  const notes = reference === undefined ? [] : nameNotes(reference.setting.newest);
  return { ...cells, accuracy: [cells.accuracy, ...notes.map(escapeMarkdown)].join(", ") };
}

function resultCells(result: Result | string | undefined, device: string): Cells {
  if (result === undefined || typeof result === "string") {
    return { accuracy: result ?? "not run", f1: NONE, cost: NONE, device: "" };
  }
  const { setting } = result;
  const { seeds, f1, trainingTime, inference, newest } = setting;
  const cost = costWords({ time: timeOf(newest, trainingTime), inference: inference.mean });
  const timed = trainingTime.n > 0 ? trainingTime.n : inference.n;
  return {
    accuracy: describeAccuracy(setting),
    f1: formatOverSeeds(f1, seeds, 4),
    cost: cost === NONE ? NONE : cost + formatShare(timed, seeds),
    device: escapeMarkdown(device),
  };
}

/** `99.18 ± 0.07 (5 seeds)`, or of how many of the seeds it is. */
function describeAccuracy({ accuracy, seeds }: SeedAggregate): string {
  if (accuracy.n === 0) return NONE;
  const text = formatOverSeeds(accuracy, seeds, 2);
  return accuracy.n < seeds ? text : `${text} (${plural(seeds, "seed")})`;
}

function timeOf({ training_time_s: time, train_images }: ResultRow, seeds: MeanAndSd) {
  if (seeds.n > 0) return seeds;
  return typeof time === "string" ? time : train_images === null ? INFERENCE_ONLY : undefined;
}

/** A training time, or the time for an image where nothing is trained. */
function costWords(
  { time, inference }: {
    time: number | string | MeanAndSd | undefined;
    inference: number | undefined;
  },
): string {
  if (time === undefined) return NONE;
  if (typeof time !== "string") {
    return `${formatMeanAndSd(typeof time === "number" ? meanAndSd([time]) : time, 2)} s`;
  }
  return inference === undefined || Number.isNaN(inference)
    ? escapeMarkdown(time)
    : `not trained; ${formatFixed(inference, 2)} ms/image`;
}

const CLAIM_COLUMNS: readonly Column[] = [
  { title: "Claim" },
  { title: "Our runs" },
  { title: "Because" },
];

function claimRows({ claims }: HeadlineFacts): string[][] {
  return claims.map(({ claim, verdict, because }) => [
    escapeMarkdown(claim),
    `**${verdict}**`,
    escapeMarkdown(because),
  ]);
}

/** What is not as in the study of the models that decide; README says it in its own words. */
function claimCaveats({ claims }: HeadlineFacts): string {
  const caveats = [...new Set(claims.flatMap(({ caveats }) => caveats))];
  if (caveats.length === 0) return "";
  const items = caveats.map((caveat) => `- ${escapeMarkdown(caveat)}.\n`).join("");
  return `How the models that decide these claims differ from the study:\n\n${items}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
