/**
 * What an exported file of weights says of itself beside them, so that its model comes back as it was.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { quoted } from "./state_dict.ts";

/** By which an exported file is known again. */
export const EXPORT_NOTE = { exported_by: "deno task export" } as const;

/** Notes in the header of a `.safetensors` file. */
type Notes = Readonly<Record<string, string>>;

/** A model whose weights are exported. */
interface ExportedModel {
  /** Its name in the results. */
  name: string;
  /** The run that trained it, if one did. */
  run: { runId: string } | undefined;
  /** How a detector is used; absent of a classifier. */
  detection: { normalises: boolean; batchNormEpsilon: number } | undefined;
}

/** The notes of a model's file. */
export function exportNotes({ name, run, detection }: ExportedModel): Notes {
  return {
    format: "pt",
    ...EXPORT_NOTE,
    model: name,
    ...(run && { run_id: run.runId }),
    ...(detection && {
      normalise: detection.normalises ? "twice" : "once",
      batch_norm_epsilon: String(detection.batchNormEpsilon),
    }),
  };
}

/** What notes say of a model; of a file that was not exported here, nothing. */
export interface NotedModel {
  /** Its name in the results. */
  name: string | undefined;
  /** Whether a detector is fed normalised images. */
  normalises: boolean;
  /** What a detector's batch normalisation adds to a variance; `undefined` if nothing is said of it. */
  batchNormEpsilon: number | undefined;
}

/**
 * The reverse of {@linkcode exportNotes}. What is not from here is fed as PyTorch's is: images that the
 * detector alone normalises.
 *
 * @param path The file, for errors.
 * @throws {StudyError} If a note cannot be what was written.
 */
export function readExportNotes(notes: Notes, path: string): NotedModel {
  if (!isExportNoted(notes)) {
    return { name: undefined, normalises: false, batchNormEpsilon: undefined };
  }
  const { model, normalise = "twice", batch_norm_epsilon: epsilon } = notes;
  const isNumber = epsilon === undefined || /^\d/.test(epsilon) && Number(epsilon) < 1;
  if (!["once", "twice"].includes(normalise) || !isNumber) {
    throw new StudyError(
      `${path} does not say in its notes how its detector is used: normalise is ` +
        `${quoted(normalise)} and batch_norm_epsilon ${
          quoted(epsilon ?? "")
        }; export the run again`,
    );
  }
  return {
    name: model,
    normalises: normalise === "twice",
    batchNormEpsilon: epsilon === undefined ? undefined : Number(epsilon),
  };
}

/** Whether notes are those of an exported file. */
export function isExportNoted({ exported_by }: Notes): boolean {
  return exported_by === EXPORT_NOTE.exported_by;
}
