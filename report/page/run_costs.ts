/**
 * The report's table of what each run took: time, core-seconds and memory.
 *
 * @module
 */

import type { ModelComparison } from "../analysis/comparison.ts";
import { devicesAmong, resourcesOf } from "../analysis/describe_machine.ts";
import { formatCount, formatFixed, NONE } from "../analysis/format_numbers.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { SeedRun } from "../record/run_files.ts";
import { hasMoved, type Manifest } from "../record/run_folder.ts";
import { escapeMarkdown, table } from "./markdown.ts";

/** Of many seeds, how many have a line of their own: the newest. */
const RUNS_SHOWN = 24;

/** Fewer cores at work than this share of those it could take: the run was probably not alone. */
const ALONE = 0.75;

/** A line for each run of the settings shown, with the machine where there are several. */
export function renderCosts(
  shown: readonly (ModelComparison & { row: ResultRow })[],
): string {
  const runs = shown.flatMap(({ row, manifest, seedRuns }) =>
    [{ row, manifest }, ...seedRuns].slice(0, RUNS_SHOWN)
      .sort((a, b) => (a.row.seed ?? 0) - (b.row.seed ?? 0))
  );
  const left = shown.flatMap(({ model, seedRuns }) => {
    const more = 1 + seedRuns.length - RUNS_SHOWN;
    return more > 0 ? [`${formatCount(more)} older of ${escapeMarkdown(model)}`] : [];
  });
  const machineOf = devicesAmong(runs.map(({ manifest }) => manifest));
  const machines = runs.map(({ manifest }) => escapeMarkdown(machineOf(manifest)) || NONE);
  const hasSeveral = new Set(machines).size > 1;
  const isUnknown = runs.some(({ row, manifest }) =>
    resourcesOf(manifest).cpu_seconds !== undefined && wallSeconds(row, manifest) === null
  );
  const columns = hasSeveral ? [...COLUMNS, { title: "Machine" }] : COLUMNS;
  const rows = runs.map((run, i) => [...costCells(run), ...(hasSeveral ? [machines[i]!] : [])]);
  return table(columns, rows) +
    (left.length > 0 ? `\nAnd ${left.join(", ")}, not shown.\n` : "") +
    `\n${CORE_SECONDS}. ` +
    "Competing programs lengthen the elapsed time but hardly the core-seconds: a run that kept few of " +
    "its available cores busy was probably sharing the machine. " +
    (isUnknown
      ? "A dash under *Cores busy* means here that the run did not record its elapsed time; its training time may " +
        "include seconds that an earlier run spent on computing features. "
      : "") +
    "Energy was not measured; on one machine it rises with core-seconds.\n";
}

/** What `measureResources()` counts of a run, as a sentence begins. */
export const CORE_SECONDS =
  "Core-seconds are processor time, summed over all cores from when engine, data and the file of " +
  "weights are there to the end of testing; making the model and features is included";

const COLUMNS = [
  { title: "Model" },
  { title: "Seed", align: "right" },
  { title: "Training (s)", align: "right" },
  { title: "Core-seconds", align: "right" },
  { title: "Cores busy", align: "right" },
  { title: "Shared the machine?" },
] as const;

function costCells({ row, manifest }: SeedRun): string[] {
  const { training_time_s: training } = row;
  const { cpu_seconds: seconds } = resourcesOf(manifest);
  const wall = wallSeconds(row, manifest);
  const { cores: ofMachine = null, threads = null } = manifest?.machine ?? {};
  const cores = Math.min(Number(ofMachine ?? NaN), Number(threads ?? Infinity));
  const busy = seconds === undefined || wall === null ? NaN : seconds / wall;
  // Of one that has moved, what it used is of all of its machines.
  const isKnown = Number.isFinite(busy) && cores > 0 && /^cpu$/i.test(deviceOf(manifest)) &&
    !(manifest && hasMoved(manifest));
  return [
    escapeMarkdown(row.model),
    row.seed === null ? NONE : String(row.seed),
    typeof training === "number" ? formatFixed(training, 1) : NONE,
    seconds === undefined ? NONE : formatFixed(seconds, 1),
    isKnown ? `${formatFixed(busy, 2)} of ${cores}` : NONE,
    !isKnown ? NONE : busy < ALONE * cores ? "**probably** (or it waited)" : "no sign",
  ];
}

/** Where another device computes, the cores wait for it and tell nothing. */
function deviceOf(manifest: Manifest | null): string {
  const device = manifest?.machine.device;
  return typeof device === "string" ? device : "";
}

/**
 * What the manifest says; of older ones, which do not, training and testing, unless the training time
 * may have seconds of features that an earlier run computed.
 */
function wallSeconds(row: ResultRow, manifest: Manifest | null): number | null {
  const { wall_seconds: wall } = resourcesOf(manifest);
  if (wall !== undefined) return wall > 0 ? wall : null;
  return mayReadFeatures(row, manifest) ? null : duration(row);
}

/** Whether a run trained on features that may have been in the cache. */
function mayReadFeatures({ part, epochs }: ResultRow, manifest: Manifest | null): boolean {
  return part !== 1 && epochs !== null && manifest?.settings.feature_cache !== "no";
}

/** Seconds of training and evaluation, as far as the row has them. */
export function duration(row: ResultRow): number | null {
  const { training_time_s: training, inference_ms_per_image: inference, test_images } = row;
  const parts = [
    typeof training === "number" ? training : null,
    inference === null || test_images === null ? null : inference * test_images / 1000,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.reduce((sum, part) => sum + part, 0);
}
