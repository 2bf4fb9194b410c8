/**
 * One run on the terminal: what it was, what it found, how it went and what it confused.
 *
 * @module
 */

import { join } from "node:path";
import { formatBytes, formatDuration } from "../../io/reporter.ts";
import type { TestScores } from "../analysis/comparison.ts";
import { formatCount, formatFixed, formatInterval, NONE } from "../analysis/format_numbers.ts";
import { describeMachine, resourcesOf } from "../analysis/describe_machine.ts";
import { describeCode } from "../analysis/describe_run.ts";
import { COLUMNS, type ResultRow, scoredImages } from "../record/result_row.ts";
import type { Json, Manifest } from "../record/run_folder.ts";
import { type CurvePoint, drawCurve, isBeyondAll } from "./curve.ts";
import type { RunDetails } from "./run_details.ts";
import { textList, textTable } from "./text_table.ts";

/** With more classes a matrix is no longer readable. */
const MOST_CLASSES = 20;

/**
 * The page, line by line.
 *
 * @param width Columns of the screen.
 */
export function showPage(details: RunDetails, width: number): string[] {
  const { run: { runId, state, results, folder, row, note }, manifest, scores } = details;
  return [
    ...textList([
      ["Run", runId],
      ["State", note === "" ? state : `${state} (${note})`],
      ...(row.error === "" ? [] : [["Error", row.error] as const]),
      ["Started", row.started_at || NONE],
      ["Folder", folder ?? `none; its row is in ${results}`],
    ]),
    ...section("Settings", textList(settingsOf(row, manifest))),
    ...section("Machine", textList(machineOf(manifest))),
    ...section("Results, with intervals of 95 %", textList(resultsOf(details))),
    ...section("Learning curve", curvesOf(details, width)),
    ...section("Confusion: rows are the true classes, columns the answers", matrixOf(scores)),
  ];
}

/** Columns of the row that are settings, in its order. */
const SETTINGS = COLUMNS.slice(COLUMNS.indexOf("test_images"));

/** Settings that the row has, and the others of the manifest, by name. */
export function settingsOf(
  row: ResultRow,
  manifest: Manifest | null,
): [name: string, value: string][] {
  const settings = new Map<string, string>();
  for (const column of SETTINGS) {
    const value = row[column];
    if (column !== "error" && value !== null && value !== "") settings.set(column, String(value));
  }
  const wanted = manifest?.settings.epochs;
  if (row.epochs !== null && typeof wanted === "number" && wanted !== row.epochs) {
    settings.set("epochs", `${row.epochs} of ${wanted}`);
  }
  if (row.model !== "") settings.set("model", row.model);
  for (const [name, value] of Object.entries(manifest?.settings ?? {})) {
    if (name === "command" || value === null || settings.has(name)) continue;
    settings.set(name, manifestText(value));
  }
  const command = manifest?.settings.command;
  if (Array.isArray(command)) settings.set("command", command.join(" "));
  return [...settings];
}

/** A value of a manifest in words; one with parts as JSON. */
export function manifestText(value: Json): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function machineOf(manifest: Manifest | null): [string, string][] {
  if (manifest === null) return [];
  const { versions } = manifest;
  return [
    ["machine", describeMachine(manifest) || NONE],
    ["versions", Object.entries(versions).map((entry) => entry.join(" ")).join(", ")],
    ["commit", describeCode(manifest) || NONE],
  ];
}

function resultsOf({ run: { row }, scores, manifest }: RunDetails): [string, string][] {
  const { accuracy, f1, training_time_s: time, inference_ms_per_image: inference } = row;
  const { cpu_seconds, peak_memory_bytes } = resourcesOf(manifest);
  const scored = scoredImages(row);
  const entries: ([string, string] | undefined)[] = [
    accuracy === null ? undefined : [
      "accuracy",
      `${formatFixed(accuracy, 2)} %${interval(scores?.accuracyInterval, 2)}` +
      (scored === null ? "" : `, of ${formatCount(scored)} images`),
    ],
    f1 === null ? undefined : ["F1", formatFixed(f1, 4) + interval(scores?.f1Interval, 4)],
    scores && scores.undetected > 0
      ? [
        "no detection",
        `${formatCount(scores.undetected)} of ${formatCount(scores.images)} images`,
      ]
      : undefined,
    row.test_loss === null ? undefined : ["test loss", formatFixed(row.test_loss, 4)],
    time === null
      ? undefined
      : ["training time", typeof time === "number" ? formatDuration(time) : time],
    inference === null ? undefined : ["inference", `${formatFixed(inference, 3)} ms an image`],
    cpu_seconds === undefined ? undefined : ["processor time", `${cpu_seconds.toFixed(0)} s`],
    peak_memory_bytes === undefined ? undefined : ["peak memory", formatBytes(peak_memory_bytes)],
  ];
  return entries.filter((entry) => entry !== undefined);
}

function interval(ends: TestScores["f1Interval"] | undefined, digits: number): string {
  return ends === undefined ? "" : ` (${formatInterval(ends, digits)})`;
}

function curvesOf(
  { run: { folder }, history, evaluations }: RunDetails,
  width: number,
): string[] {
  const trained = history.filter(({ epoch }) => epoch > 0);
  const curves: Curve[] = [
    {
      ...{ title: "training loss", file: "history.csv", digits: 4 },
      points: trained.map(({ epoch, train_loss }) => [epoch, train_loss]),
    },
    {
      ...{ title: "training accuracy, %", file: "history.csv", digits: 2 },
      points: trained.map(({ epoch, train_accuracy }) => [epoch, train_accuracy]),
    },
    {
      ...{ title: "test accuracy, %", file: "evaluations.csv", digits: 2 },
      points: evaluations.map(({ epoch, test_accuracy }) => [epoch, test_accuracy]),
    },
  ];
  return curves.flatMap(({ title, file, points, digits }) => {
    const beyond = points.filter(isBeyondAll).length;
    return [
      ...drawCurve(title, points, { digits, width }),
      ...(beyond === 0 ? [] : [
        `${title}: ${beyond} of ${points.length} values not drawn, which no training has: see ` +
        join(folder ?? "", file),
      ]),
    ];
  });
}

/** What is drawn of a run, and the file that it is in. */
interface Curve {
  title: string;
  file: string;
  points: CurvePoint[];
  digits: number;
}

function matrixOf(scores: TestScores | null): string[] {
  if (scores === null) return [];
  const { confusion } = scores;
  if (confusion.length > MOST_CLASSES) return [`${confusion.length} classes: see --json`];
  const numbers = confusion.map((_, label) => ({ title: String(label), align: "right" }) as const);
  return textTable(
    [{ title: "" }, ...numbers],
    confusion.map((counts, label) => [
      String(label),
      ...counts.map((count) => count === 0 ? "·" : String(count)),
    ]),
  );
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}
