/**
 * The report's section for those who doubt it: what a reviewer asks of a reproduction, answered with
 * this report's numbers.
 *
 * @module
 */

import { mean, sum } from "../../metrics/descriptive_statistics.ts";
import { CLAIMS, SIMPLE_CNN } from "../../study.ts";
import type { Claim, Comparison, ModelComparison, PeerComparison } from "../analysis/comparison.ts";
import { nameInSentence } from "../analysis/describe_run.ts";
import { describeFailedSeeds, failedOfShown } from "../analysis/failed_seeds.ts";
import {
  formatCount,
  formatFixed,
  formatOverSeeds,
  formatShare,
  NONE,
  SIGNIFICANT,
} from "../analysis/format_numbers.ts";
import { countTests } from "../analysis/hypothesis_counts.ts";
import type { ResultRow } from "../record/result_row.ts";
import { describeDifferences } from "./describe_differences.ts";
import { escapeMarkdown, headingAnchor, table } from "./markdown.ts";
import { renderCosts } from "./run_costs.ts";
import { whyNotTested } from "./section_pytorch.ts";
import { formatPercent } from "./verdict_words.ts";

/** A model with an ok run. */
type Shown = ModelComparison & { row: ResultRow };

/** Of a long training, how many epochs are shown. */
const EPOCHS_SHOWN = 20;

/** Of many seeds, how many are named. */
const SEEDS_NAMED = 12;

/** Nothing if no run is ok. */
export function renderReview(comparison: Comparison): string {
  const shown = comparison.models
    .filter((model): model is Shown => model.row?.status === "ok" && model.settings.length > 0);
  if (shown.length === 0) return "";
  return [
    "## What a reviewer asks\n",
    "### How many seeds, and how far apart are they?\n",
    renderSeeds(shown),
    "### Is it equivalent to PyTorch?\n",
    describeEquivalence(comparison),
    "### How many tests were made, and is that accounted for?\n",
    describeMultiplicity(comparison),
    "### How does test accuracy change by epoch?\n",
    renderEpochs(shown),
    "### What did a run cost?\n",
    renderCosts(shown),
    "### What exactly differs from the study?\n",
    describeDifferences(shown),
  ].join("\n");
}

function renderSeeds(shown: readonly Shown[]): string {
  const rows = shown.map(({ model, row, seedRuns, settings: [setting] }) => {
    const { seeds, accuracy, accuracies } = setting!;
    const named = [row, ...seedRuns.map(({ row }) => row)].map(({ seed }) => seed)
      .filter((seed) => seed !== null).sort((a, b) => a - b);
    const cut = named.length > SEEDS_NAMED || named.length < seeds;
    const ends = [Math.min(...accuracies), Math.max(...accuracies)];
    return [
      escapeMarkdown(model),
      formatCount(seeds),
      named.slice(0, SEEDS_NAMED).join(", ") + (cut ? ", …" : ""),
      formatOverSeeds(accuracy, seeds, 2),
      accuracy.n > 1 ? ends.map((end) => formatFixed(end, 2)).join(" to ") : NONE,
      formatOverSeeds(setting!.testLoss, seeds, 4),
    ];
  });
  const hasOne = shown.some(({ settings: [setting] }) => setting!.seeds === 1);
  return table(SEED_COLUMNS, rows) +
    "\nA seed determines the initial parameters, the order of the images and dropout. Values are means " +
    "± standard deviations (divisor n − 1) over the seeds; for each seed the newest ok run counts, " +
    "whatever its scores. " + describeFailed(shown) +
    "The study published one run, without a fixed seed." +
    (hasOne
      ? " One seed says nothing about the spread: verdicts that rest on one are marked.\n"
      : "\n");
}

/** The seeds of the settings shown that failed, with a space behind. */
function describeFailed(shown: readonly Shown[]): string {
  return shown.map((model) => ({ model: model.model, failed: failedOfShown(model) }))
    .map(({ model, failed }) =>
      failed === undefined ? "" : `${escapeMarkdown(`${model}: ${describeFailedSeeds(failed)}`)}. `
    ).join("");
}

const SEED_COLUMNS = [
  { title: "Model" },
  { title: "Seeds", align: "right" },
  { title: "Which" },
  { title: "Accuracy (%)", align: "right" },
  { title: "Lowest to highest (%)", align: "right" },
  { title: "Test loss", align: "right" },
] as const;

function describeEquivalence({ peers }: Comparison): string {
  if (peers.length === 0) {
    return "Not tested here: there are no runs of PyTorch's with the same data and settings. The " +
      "scripts in `bench/reference/` make them; `compare` reads them from `pytorch/` in the results " +
      "folder.\n";
  }
  const isTested = ({ verdict }: PeerComparison) => verdict !== "not tested";
  const found = namesBy(peers.filter(isTested), ({ verdict }) => verdict)
    .map(([verdict, names]) => `**${verdict}**: ${names}`);
  const untested = namesBy(peers.filter((peer) => !isTested(peer)), whyNotTested)
    .map(([why, names]) => `Not tested, as ${why}: ${names}. `);
  return (found.length > 0 ? `Two one-sided tests on accuracy find ${found.join("; ")}. ` : "") +
    untested.join("") +
    `Margins and intervals are under [Ours against PyTorch](#${
      headingAnchor("Ours against PyTorch")
    }).\n`;
}

/** The settings that have a word in common, by their names in a sentence. */
function namesBy(
  peers: readonly PeerComparison[],
  word: (peer: PeerComparison) => string,
): [word: string, names: string][] {
  const nameOf = ({ row }: PeerComparison) => escapeMarkdown(nameInSentence(row));
  return [...Map.groupBy(peers, word)].map(([word, some]) => [word, some.map(nameOf).join(", ")]);
}

/** Every family of tests in this report, and how it is corrected; no line for one without any. */
function describeMultiplicity(comparison: Comparison): string {
  const { judged } = comparison;
  const tests = countTests(comparison);
  const behindBest = sum(tests.behindBest);
  const settings = sum(tests.settings);
  const lines = [
    tests.published === 0
      ? "No published value is judged by an interval."
      : `${
        count(tests.published, "published value is", "published values are")
      } judged, each by a ` +
        `${
          formatPercent(judged.confidence)
        } interval (Bonferroni's correction), so that at most one in twenty reports on true ` +
        "reproductions contains any false verdict.",
    tests.pairs > 0 &&
    `${
        count(tests.pairs, "pair of models is", "pairs of models are")
      } compared by McNemar's test, ` +
      "with Holm's correction for their number.",
    behindBest > 0 &&
    `${
        count(behindBest, "model is", "models are")
      } tested against the best one on the same images, ` +
      `by Welch's or McNemar's test, with Holm's correction for the number of ` +
      `${within(tests.behindBest, "models", "set of images")}.`,
    tests.claims > 0 &&
    `${
        count(tests.claims, "model is", "models are")
      } tested in the same way against ${SIMPLE_CNN.name} for the claim ` +
      "that it is the most accurate, with Holm's correction for their number.",
    settings > 0 &&
    `${
        count(settings, "setting is", "settings are")
      } tested against the best one by Welch's test, ` +
      `with Holm's correction for the number of ${
        within(tests.settings, "settings", "architecture and number of images")
      }.`,
    tests.pairs + behindBest + tests.claims + settings > 0 &&
    `A corrected p-value below ${SIGNIFICANT} counts as more than chance. Each of these families of ` +
      "tests is corrected on its own, not for the other families.",
    tests.equivalences === 0
      ? "No equivalence with PyTorch is tested."
      : `${
        count(tests.equivalences, "equivalence with PyTorch is", "equivalences with PyTorch are")
      } tested, each at 5 % and uncorrected, because each claim is about one model only; where ` +
        "equivalence is not shown, a difference is tested in the same way.",
    tests.guessing > 0 &&
    `${
        count(tests.guessing, "model is", "models are")
      } compared with guessing, seed by seed, by uncorrected 95 % bounds, ` +
      "which decide what is called no better than guessing" +
      (comparison.claims.some(isOnGuessing) ? ", and the claim on the untrained detector." : "."),
    tests.expected > 0 &&
    `${
      count(tests.expected, "published accuracy is", "published accuracies are")
    } compared with the uncorrected 95 % interval in which one more run is expected.`,
    "The 95 % intervals of single scores and of means are uncorrected and decide nothing.",
  ];
  return lines.filter((line) => line !== false).map((line) => `- ${line}\n`).join("");
}

/** Whether a claim is judged by a bound of guessing. */
function isOnGuessing({ claim, verdict }: Claim): boolean {
  return claim === CLAIMS.noClassifier && verdict !== "not tested";
}

/** `models`, or of several families `models for each set of images`. */
function within(families: readonly number[], what: string, each: string): string {
  return families.length === 1 ? what : `${what} for each ${each}`;
}

function renderEpochs(shown: readonly Shown[]): string {
  const recorded = shown.filter(({ evaluations }) => evaluations.length > 0);
  const rule =
    "No epoch is selected on the test images: the network after the last epoch counts.\n";
  if (recorded.length === 0) {
    return "Not recorded in these runs, which are tested once, after the last epoch, as the study's " +
      `were; \`--eval-every 1\` records it. ${rule}`;
  }
  const epochs = [
    ...new Set(recorded.flatMap(({ evaluations }) => evaluations.flat().map(({ epoch }) => epoch))),
  ].sort((a, b) => a - b);
  const step = Math.ceil(epochs.length / EPOCHS_SHOWN);
  const kept = epochs.filter((_, i) => i % step === 0 || i === epochs.length - 1);
  const columns = [
    { title: "Epoch", align: "right" } as const,
    ...recorded.map(({ model, evaluations: { length }, settings: [setting] }) => {
      const { seeds } = setting!;
      const share = formatShare(length, seeds) || ` (${count(length, "seed", "seeds")})`;
      return { title: escapeMarkdown(model) + share, align: "right" } as const;
    }),
  ];
  const rows = kept.map((epoch) => [
    String(epoch),
    ...recorded.map(({ evaluations }) => {
      const values = evaluations.flat().filter((row) => row.epoch === epoch)
        .map(({ test_accuracy }) => test_accuracy);
      if (values.length === 0) return NONE;
      return formatFixed(mean(values), 2) + formatShare(values.length, evaluations.length);
    }),
  ]);
  return `${
    table(columns, rows)
  }\nTest accuracy in percent, a mean over the seeds that recorded it. ` +
    rule;
}

function count(number: number, one: string, many: string): string {
  return `${formatCount(number)} ${number === 1 ? one : many}`;
}
