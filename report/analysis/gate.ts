/**
 * Whether a comparison holds, for a check that is to fail where it does not.
 *
 * @module
 */

import { describeSkipped } from "../record/problems.ts";
import type { Comparison, ModelComparison, Verdict } from "./comparison.ts";
import { findMixedCode, findMixedData } from "./mismatches.ts";
import { PUBLISHED_MODELS, type PublishedModel } from "./study_models.ts";

/** What the gate calls the models of the study: `vgg16` is `vgg16_FineTuned`. */
export const GATE_NAMES: readonly string[] = PUBLISHED_MODELS.map(gateName);

/** Verdicts that a published value passes with; the second is that of a run with a caveat. */
const PASSES: readonly Verdict["verdict"][] = ["reproduced", "consistent"];

/**
 * What keeps a comparison from holding, a phrase each; empty if it holds: each required model has
 * verdicts, all of them *reproduced*, or *consistent* where it has a caveat, nothing was left
 * out, and their rows are of one version of the code and of one data set.
 *
 * @param required Of {@linkcode GATE_NAMES}; without them the study's models that have a row.
 */
export function whatDoesNotHold(
  { models, problems }: Pick<Comparison, "models" | "problems">,
  required?: readonly string[],
): string[] {
  const asked = PUBLISHED_MODELS.flatMap((published) => {
    const compared = models.find(({ model }) => model === published.name);
    const isAsked = required?.includes(gateName(published)) ?? compared?.row;
    return compared !== undefined && isAsked ? [compared] : [];
  });
  return [
    ...(asked.length === 0 ? ["nothing was tested: no model of the study has a run"] : []),
    ...asked.flatMap(whatFails),
    ...findMixedCode(asked),
    ...findMixedData(asked),
    ...describeSkipped(problems),
  ];
}

function whatFails({ model, row, verdicts }: ModelComparison): string[] {
  if (row === null) return [`${model} has not been run`];
  if (row.status !== "ok") return [`${model} has no successful run`];
  const judged = verdicts.filter(({ verdict }) => verdict !== "not comparable");
  if (judged.length === 0) return [`${model} was not tested: ${whyNot(verdicts)}`];
  return judged.filter(({ verdict }) => !PASSES.includes(verdict))
    .map(({ metric }) => `${model}'s ${metric} differs from the published value`);
}

function whyNot(verdicts: readonly Verdict[]): string {
  const { reasons = [] } = verdicts.find(({ metric }) => metric === "accuracy") ?? {};
  return reasons.join(", ") || "it has no published value to compare with";
}

function gateName({ title }: PublishedModel): string {
  return title.toLowerCase().replace(/[^a-z0-9]/g, "");
}
