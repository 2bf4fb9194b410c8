/**
 * The report's section on PyTorch's runs of the same data and settings: are ours equivalent?
 *
 * @module
 */

import type { AnswerComparison, Comparison, PeerComparison } from "../analysis/comparison.ts";
import {
  formatCount,
  formatDifference,
  formatInterval,
  formatMeanAndSd,
  formatOverSeeds,
  formatP,
  formatPart,
} from "../analysis/format_numbers.ts";
import type { PeerRun } from "../record/peer_runs.ts";
import { settingLabel } from "../analysis/describe_run.ts";
import { alignedTable, type Column, escapeMarkdown, table } from "./markdown.ts";

/** Nothing if there is no run of PyTorch's. */
export function renderPyTorch(
  { peers, answers, peersAlone }: Pick<Comparison, "peers" | "answers" | "peersAlone">,
): string {
  if (peers.length + answers.length + peersAlone.length === 0) return "";
  return [
    "## Ours against PyTorch\n",
    "PyTorch's runs follow the study's procedure on the same data (the checksums agree), with the same " +
    "settings and the same kind of weights. *Equivalent* means that two one-sided t-tests (Schuirmann " +
    "1987, with Welch's degrees of freedom), each at the 5 % level, show that the mean accuracies differ " +
    "by less than the margin; in other words, the 90 % interval of the difference lies within the " +
    "margin. *Different* means that equivalence is not shown and that Welch's two-sided test at the 5 % " +
    "level shows a difference. *Undecided* means that neither is shown, because there are too few runs. " +
    "Each row is a separate test.\n",
    peers.length > 0 ? table(COLUMNS, peers.map(peerCells)) : "",
    renderNotes(peers, peersAlone),
    answers.length > 0 ? table(ANSWER_COLUMNS, answers.map(answerCells)) : "",
  ].filter((part) => part !== "").join("\n");
}

/** The tables as `deno fmt` formats them, for README. */
export function renderReadmePyTorch(
  { peers, answers }: Pick<Comparison, "peers" | "answers">,
): string {
  if (peers.length === 0) return "PyTorch's runs of these settings are not there yet.\n";
  return [
    alignedTable(COLUMNS, peers.map(peerCells)),
    ...(answers.length === 0 ? [] : [alignedTable(ANSWER_COLUMNS, answers.map(answerCells))]),
  ].join("\n");
}

const COLUMNS: readonly Column[] = [
  { title: "Model" },
  { title: "Seeds, ours / PyTorch", align: "right" },
  { title: "Accuracy (%), ours", align: "right" },
  { title: "PyTorch", align: "right" },
  { title: "Difference (90 % interval)", align: "right" },
  { title: "Result" },
  { title: "Training (s), ours", align: "right" },
  { title: "PyTorch", align: "right" },
];

function peerCells(peer: PeerComparison): string[] {
  const { row, ours, theirs, cachedFeatures, device, interval } = peer;
  const difference = formatDifference(ours.accuracy.mean - theirs.accuracy.mean, 2);
  return [
    escapeMarkdown(settingLabel(row)),
    `${ours.accuracy.n} / ${theirs.accuracy.n}`,
    formatMeanAndSd(ours.accuracy, 2),
    formatMeanAndSd(theirs.accuracy, 2),
    interval === null ? difference : `${difference} (${formatInterval(interval, 2)})`,
    resultWords(peer),
    formatOverSeeds(ours.trainingTime, ours.accuracy.n, 1),
    [
      formatOverSeeds(theirs.trainingTime, theirs.accuracy.n, 1),
      ...(device === null || theirs.trainingTime.n === 0 ? [] : [escapeMarkdown(`on ${device}`)]),
      ...(cachedFeatures ? ["features computed once"] : []),
    ].join(", "),
  ];
}

function resultWords(peer: PeerComparison): string {
  const { verdict, margin, p } = peer;
  const within = `±${margin} point${margin === 1 ? "" : "s"}`;
  switch (verdict) {
    case "equivalent":
      return `**equivalent** within ${within} (${formatP(p)})`;
    case "different":
      return `**different**, not shown to be within ${within}`;
    case "undecided":
      return `**undecided**: neither a difference nor equality within ${within} is shown`;
    case "not tested":
      return `not tested: ${whyNotTested(peer)}`;
  }
}

/** Why there is no test of whether two are equivalent. */
export function whyNotTested(
  { margin, ours, theirs }: Pick<PeerComparison, "margin" | "ours" | "theirs">,
): string {
  if (Math.min(ours.accuracy.n, theirs.accuracy.n) < 2) return "it takes two seeds on either side";
  return margin === null ? "no margin is set for this part" : "the seeds have no spread";
}

function renderNotes(peers: readonly PeerComparison[], alone: readonly PeerRun[]): string {
  const notes = peers.some(({ cachedFeatures, row }) => row.part === 4 && !cachedFeatures)
    ? "PyTorch computes the frozen features in every epoch, as the study does, unless it is said that " +
      "they were computed once; ours computes them once.\n"
    : "";
  if (alone.length === 0) return notes;
  const runs = alone.map((peer) => `${describePeer(peer)}`).join("; ");
  return `${notes}${
    notes === "" ? "" : "\n"
  }PyTorch's runs without one of ours in the same setting: ` +
    `${runs}.\n`;
}

/** Of the detector, of which nothing is trained: its answers from the same weights. */
const ANSWER_COLUMNS: readonly Column[] = [
  { title: "From the same weights" },
  { title: "Ours in" },
  { title: "PyTorch in" },
  { title: "Images with the same answer", align: "right" },
];

function answerCells({ row, images, same, device }: AnswerComparison): string[] {
  const { model, seed, precision, test_images: all } = row;
  const which = images === all ? "all" : "the first";
  return [
    `${model}, seed ${seed}`,
    precision,
    `float32${device === null ? "" : `, on ${device}`}`,
    `${formatCount(same)} of ${which} ${formatCount(images)}` +
    ` (${formatPart(100 * same / images, 2)} %)`,
  ].map(escapeMarkdown);
}

function describePeer(peer: PeerRun): string {
  const { model, weights, train_images: train, test_images: test, epochs, seed } = peer;
  const parts = [
    model,
    ...(weights === undefined ? [] : [`weights ${weights}`]),
    `${train === undefined ? test : `${train} / ${test}`} images of data ` +
    peer.dataset_sha256.slice(0, 8),
    ...(epochs === undefined ? [] : [`${epochs} epochs`]),
    `seed ${seed}`,
  ];
  return escapeMarkdown(parts.join(", "));
}
