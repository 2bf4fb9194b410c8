/**
 * Two runs side by side: what they were run with, what they found, and whether one answers better.
 *
 * @module
 */

import type { Interval, PairTest } from "../analysis/comparison.ts";
import { describeCode } from "../analysis/describe_run.ts";
import {
  formatCount,
  formatDifference,
  formatFixed,
  formatInterval,
  formatP,
  NONE,
  SIGNIFICANT,
} from "../analysis/format_numbers.ts";
import { comparePairs } from "../analysis/rankings.ts";
import type { Json } from "../record/run_folder.ts";
import type { RunDetails } from "./run_details.ts";
import { manifestText, settingsOf } from "./show_page.ts";
import { type TextColumn, textTable } from "./text_table.ts";

/** A setting in which two runs differ; `null` where a run does not have it. */
export interface SettingDifference {
  name: string;
  values: [string | null, string | null];
}

/** A result of two runs. */
export interface MetricDifference {
  name: string;
  /** Digits behind the point that mean something. */
  digits: number;
  values: [number | null, number | null];
  /** Of 95 %, where there is one. */
  intervals: [Interval | null, Interval | null];
  /** The second minus the first; `null` unless both are finite. */
  difference: number | null;
}

/** What two runs differ in. */
export interface RunDifference {
  settings: SettingDifference[];
  metrics: MetricDifference[];
  /** McNemar's test on the test images that both have; `null` if there are none. */
  pair: PairTest | null;
  /** Why there is no test; `""` if there is one. */
  noPair: string;
}

/** Compares the second run with the first. */
export function diffRuns(first: RunDetails, second: RunDetails): RunDifference {
  const [a, b] = [flatSettings(first), flatSettings(second)];
  const names = [...new Set([...a.keys(), ...b.keys()])];
  const settings = names
    .map((name): SettingDifference => ({
      name,
      values: [a.get(name) ?? null, b.get(name) ?? null],
    }))
    .filter(({ values }) => values[0] !== values[1]);
  return { settings, metrics: metricsOf(first, second), ...testPair(first, second) };
}

/** Settings, versions, machine and commit under one name each; not the command line. */
function flatSettings({ run: { row }, manifest }: RunDetails): Map<string, string> {
  const settings = new Map(settingsOf(row, manifest));
  settings.delete("command");
  const add = (group: string, values: { readonly [name: string]: Json } | undefined) => {
    for (const [name, value] of Object.entries(values ?? {})) {
      settings.set(`${group} ${name}`, manifestText(value));
    }
  };
  add("version", manifest?.versions);
  add("machine", manifest?.machine);
  const commit = manifest === null ? "" : describeCode(manifest);
  if (commit !== "") settings.set("commit", commit);
  return settings;
}

function metricsOf(first: RunDetails, second: RunDetails): MetricDifference[] {
  const [a, b] = [first.run.row, second.run.row];
  const intervals = (name: "accuracyInterval" | "f1Interval"): MetricDifference["intervals"] => [
    first.scores?.[name] ?? null,
    second.scores?.[name] ?? null,
  ];
  const seconds = (time: number | string | null) => typeof time === "number" ? time : null;
  const metric = (
    name: string,
    digits: number,
    values: MetricDifference["values"],
  ): MetricDifference => ({
    ...{ name, digits, values, intervals: [null, null] },
    difference: values.every((value) => value !== null && Number.isFinite(value))
      ? values[1]! - values[0]!
      : null,
  });
  return [
    {
      ...metric("accuracy, %", 2, [a.accuracy, b.accuracy]),
      intervals: intervals("accuracyInterval"),
    },
    { ...metric("F1", 4, [a.f1, b.f1]), intervals: intervals("f1Interval") },
    metric("test loss", 4, [a.test_loss, b.test_loss]),
    metric("training time, s", 2, [seconds(a.training_time_s), seconds(b.training_time_s)]),
    metric("inference, ms an image", 3, [a.inference_ms_per_image, b.inference_ms_per_image]),
  ].filter(({ values }) => values.some((value) => value !== null));
}

/**
 * McNemar's test on the first images of the test set, as many as both runs were tested on; an image
 * without a prediction counts as wrong.
 */
function testPair(first: RunDetails, second: RunDetails): Pick<RunDifference, "pair" | "noPair"> {
  const noPair = (reason: string) => ({ pair: null, noPair: reason });
  const [a, b] = [first, second].map(({ run: { row }, predictions }) => ({ row, predictions }));
  for (const { run: { runId }, predictions } of [first, second]) {
    if (predictions === null) return noPair(`${runId} has no predictions`);
  }
  const images = Math.min(...[a, b].map((run) => run!.predictions!.targets.length));
  const cut = ({ row, predictions }: NonNullable<typeof a>) => ({
    row,
    predictions: {
      targets: Array.from(predictions!.targets).slice(0, images),
      predictions: Array.from(predictions!.predictions).slice(0, images),
      scores: Array.from(predictions!.scores).slice(0, images),
    },
  });
  const [pair] = images === 0 ? [] : comparePairs([cut(a!), cut(b!)]);
  return pair === undefined
    ? noPair("they were not tested on the same images")
    : { pair, noPair: "" };
}

/** The comparison, line by line. */
export function diffPage(
  [first, second]: readonly [RunDetails, RunDetails],
  { settings, metrics, pair, noPair }: RunDifference,
): string[] {
  const number: TextColumn = { title: "", align: "right" };
  const value = (metric: MetricDifference, i: 0 | 1) =>
    formatFixed(metric.values[i], metric.digits) +
    (metric.intervals[i] === null
      ? ""
      : ` (${formatInterval(metric.intervals[i], metric.digits)})`);
  return [
    `A  ${first.run.runId}`,
    `B  ${second.run.runId}`,
    "",
    ...(settings.length === 0 ? ["All settings, versions and machines are the same"] : textTable(
      [{ title: "setting" }, { title: "A" }, { title: "B" }],
      settings.map(({ name, values }) => [name, ...values.map((one) => one ?? NONE)]),
    )),
    "",
    ...textTable(
      [{ title: "result (95 %)" }, ...["A", "B", "B − A"].map((title) => ({ ...number, title }))],
      metrics.map((metric) => [
        metric.name,
        value(metric, 0),
        value(metric, 1),
        formatDifference(metric.difference ?? NaN, metric.digits),
      ]),
    ),
    "",
    pair === null ? `McNemar's test: none, as ${noPair}` : describePair(pair),
  ];
}

function describePair({ images, onlyFirst, onlySecond, p }: PairTest): string {
  const verdict = p >= SIGNIFICANT
    ? "no more than chance"
    : `${onlyFirst > onlySecond ? "A" : "B"} is better by more than chance`;
  return `McNemar's test on the ${
    formatCount(images)
  } test images that both have: only A is right ` +
    `on ${formatCount(onlyFirst)}, only B on ${formatCount(onlySecond)}; ${formatP(p)}, ${verdict}`;
}
