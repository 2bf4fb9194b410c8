/**
 * What differs between our runs and the study's, model by model: data, weights and settings, and what
 * differs for all of them.
 *
 * @module
 */

import { FASTER_RCNN_ADAPTED } from "../../study.ts";
import type { ModelComparison } from "../analysis/comparison.ts";
import { describeSoftware, devicesAmong } from "../analysis/describe_machine.ts";
import { NONE } from "../analysis/format_numbers.ts";
import { findModel } from "../analysis/study_models.ts";
import { engineOf, type ResultRow } from "../record/result_row.ts";
import { settingNotes } from "../analysis/describe_run.ts";
import { escapeMarkdown, table } from "./markdown.ts";

type Shown = ModelComparison & { row: ResultRow };

const COLUMNS = [
  { title: "Model" },
  { title: "Data, weights and settings" },
  { title: "Procedure" },
  { title: "Software and machine" },
] as const;

/** A line for each model, and what holds for all. */
export function describeDifferences(shown: readonly Shown[]): string {
  const deviceOf = devicesAmong(shown.map(({ manifest }) => manifest));
  const rows = shown.map((model) => [
    escapeMarkdown(model.model),
    settingWords(model),
    escapeMarkdown(procedureWords(model)),
    escapeMarkdown(machineWords(model, deviceOf(model.manifest))),
  ]);
  return table(COLUMNS, rows) +
    "\nThis holds for all of them: random numbers come from a recorded seed and from other generators " +
    "than PyTorch's, so no run of ours has the study's initial parameters, order or dropout; our " +
    "training times exclude loading the data set, the study's include it, though part 4's include " +
    "reading features from disk; and time per image is recorded for every model. The computation " +
    "itself is the same: networks, loss, optimiser, transforms and metrics are tested against those " +
    "of PyTorch, torchvision, PIL and scikit-learn.\n";
}

/** Every difference in full; where the study has no such model, what ours is. */
function settingWords({ model, row, published, differences, caveats }: Shown): string {
  if (published === null) {
    const notes = settingNotes(row);
    return escapeMarkdown(
      `not in the study${notes.length === 0 ? "" : `: ${notes.join(", ")}`}` +
        (findModel(model) ? `; ${findModel(model)!.description}` : ""),
    );
  }
  const all = [...differences, ...caveats];
  return all.length === 0 ? "**none**" : escapeMarkdown(all.join("; "));
}

function procedureWords({ model, row, published, manifest }: Shown): string {
  if (published === null) return NONE;
  if (row.part === 4) {
    return manifest?.settings.feature_cache === "yes"
      ? "frozen features are computed once, not in every epoch"
      : "none, as far as is recorded";
  }
  if (model === FASTER_RCNN_ADAPTED.name) {
    return "another batch size, which does not affect the detections";
  }
  return "none";
}

function machineWords({ row, manifest, published }: Shown, device: string): string {
  const software = describeSoftware(engineOf(row), manifest?.versions);
  const theirs = published === null ? "" : `; the study: PyTorch, ${published.device}`;
  return `${software}, ${device || "unrecorded machine"}${theirs}`;
}
