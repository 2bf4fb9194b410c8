/**
 * Whether a comparison holds, for a check that is to fail where it does not.
 *
 * @module
 */

import { describeLacking, describeSkipped } from "../record/problems.ts";
import type { Comparison, ModelComparison, Verdict } from "./comparison.ts";
import { describeFailedSeeds, failedOfShown } from "./failed_seeds.ts";
import { formatInterval } from "./format_numbers.ts";
import { findMixedCode, findMixedData, findOtherCode, findUnknownCode } from "./mismatches.ts";
import { PUBLISHED_MODELS, type PublishedModel } from "./study_models.ts";
import { DIGITS, leadingVerdict, NO_VALUE, TOO_FEW } from "./verdicts.ts";

/** What the gate calls the models of the study: `vgg16` is `vgg16_FineTuned`. */
export const GATE_NAMES: readonly string[] = PUBLISHED_MODELS.map(gateName);

/** Verdicts that a published value passes with; the second is that of a run with a caveat. */
const PASSES: readonly Verdict["verdict"][] = ["reproduced", "consistent"];

/** The published values that are judged, and where their means over the seeds are. */
const JUDGED = { test_loss: "testLoss", accuracy: "accuracy", f1: "f1" } as const;

/** What the gate is asked. */
export interface GateOptions {
  /** Of {@linkcode GATE_NAMES}; without them the study's models that have a row. */
  required?: readonly string[] | undefined;
  /**
   * Commits, or their beginnings, that rows may be of side by side, all without local changes; without
   * them any one version.
   */
  code?: readonly string[] | undefined;
}

/**
 * What keeps a comparison from holding, a phrase each; empty if it holds: each required model has
 * verdicts, all of them *reproduced*, or *consistent* where it has a caveat, by enough seeds, of which
 * none failed, each of its runs has every score that was published, nothing was left out, the files of
 * the runs are there and sound, and their rows are of one version of the code, as far as any is known,
 * or of those allowed, and of one data set.
 */
export function whatDoesNotHold(
  { models, problems }: Pick<Comparison, "models" | "problems">,
  { required, code }: GateOptions = {},
): string[] {
  const asked = PUBLISHED_MODELS.flatMap((published) => {
    const compared = models.find(({ model }) => model === published.name);
    const isAsked = required?.includes(gateName(published)) ?? compared?.row;
    return compared !== undefined && isAsked ? [compared] : [];
  });
  return [
    ...(asked.length === 0 ? ["nothing was tested: no model of the study has a run"] : []),
    ...asked.flatMap(whatFails),
    ...(code === undefined ? findMixedCode(asked) : findOtherCode(asked, code)),
    ...findMixedData(asked),
    ...findUnknownCode(asked, { isWanted: code !== undefined }),
    ...describeLacking(problems),
    ...describeSkipped(problems),
  ];
}

function whatFails(compared: ModelComparison): string[] {
  const { model, row, verdicts } = compared;
  if (row === null) return [`${model} has not been run`];
  if (row.status !== "ok") return [`${model} has no successful run`];
  const judged = verdicts.filter(({ verdict }) => verdict !== "not comparable");
  if (judged.length === 0) return [`${model} was not tested: ${whyNot(verdicts)}`];
  const failed = failedOfShown(compared);
  return [
    ...findMissing(compared),
    ...judged.filter(({ verdict }) => !PASSES.includes(verdict) && verdict !== TOO_FEW)
      .map(({ metric }) => `${model}'s ${metric} differs from the published value`),
    ...describeTooFew(compared),
    ...(failed === undefined ? [] : [`${model}: ${describeFailedSeeds(failed)}`]),
  ];
}

/** Of a model whose seeds are too few, how far they reach, by its accuracy if that is judged. */
function describeTooFew({ model, verdicts }: ModelComparison): string[] {
  const found = leadingVerdict(verdicts.filter(({ verdict }) => verdict === TOO_FEW));
  if (found === undefined) return [];
  const { metric, method, interval } = found;
  return [
    `${model} has ${TOO_FEW}: by ${method} one more run's ${metric} is expected, by the widened ` +
    `interval, in ${formatInterval(interval, DIGITS[metric])}; run more seeds`,
  ];
}

/** The published scores that some of a model's runs do not have. */
function findMissing({ model, verdicts, settings: [setting] }: ModelComparison): string[] {
  return Object.entries(JUDGED).flatMap(([metric, mean]) => {
    const verdict = verdicts.find((verdict) => verdict.metric === metric);
    if (verdict === undefined) return [];
    const { seeds = 0, [mean]: { n } = { n: 0 } } = setting ?? {};
    if (n > 0 && n < seeds) return [`${model} has its ${metric} of ${n} of ${seeds} seeds only`];
    return verdict.reasons.includes(NO_VALUE) ? [`${model} has no ${metric} to compare`] : [];
  });
}

function whyNot(verdicts: readonly Verdict[]): string {
  const { reasons = [] } = verdicts.find(({ metric }) => metric === "accuracy") ?? {};
  return reasons.join(", ") || "it has no published value to compare with";
}

function gateName({ title }: PublishedModel): string {
  return title.toLowerCase().replace(/[^a-z0-9]/g, "");
}
