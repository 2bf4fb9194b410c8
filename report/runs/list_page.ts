/**
 * The list of runs as a table.
 *
 * @module
 */

import { formatDuration } from "../../io/reporter.ts";
import { formatCount, formatFixed, NONE } from "../analysis/format_numbers.ts";
import type { ListedRun } from "./list_runs.ts";
import { type TextColumn, textTable } from "./text_table.ts";

const COLUMNS: readonly TextColumn[] = [
  { title: "run" },
  { title: "state" },
  { title: "data" },
  { title: "images", align: "right" },
  { title: "epochs", align: "right" },
  { title: "accuracy", align: "right" },
  { title: "F1", align: "right" },
  { title: "time", align: "right" },
  { title: "" },
];

/**
 * Lines with a run each. An id says when it was started, its part, model and seed; where the lines are
 * too long for the screen, ids are cut to their ends and what they say has columns of its own.
 *
 * @param width Columns of the screen; Infinity if it is none.
 */
export function listPage(runs: readonly ListedRun[], width: number): string[] {
  const whole = textTable(COLUMNS, runs.map((run) => [run.runId || NONE, ...cellsOf(run)]));
  if (Math.max(...whole.map(({ length }) => length)) <= width) return whole;
  const [, ...rest] = COLUMNS;
  return textTable(
    [
      ...[{ title: "run" }, { title: "started" }, { title: "model" }],
      { title: "seed", align: "right" },
      ...rest,
    ],
    runs.map((run) => [
      shortId(run, runs),
      run.row.started_at.slice(0, 16).replace("T", " ") || NONE,
      run.row.model || NONE,
      String(run.row.seed ?? NONE),
      ...cellsOf(run),
    ]),
  );
}

function cellsOf({ state, row, note }: ListedRun): string[] {
  const { training_time_s: time } = row;
  return [
    state,
    row.dataset || NONE,
    row.train_images === null
      ? formatCount(row.test_images)
      : `${formatCount(row.train_images)}/${formatCount(row.test_images)}`,
    String(row.epochs ?? NONE),
    formatFixed(row.accuracy, 2),
    formatFixed(row.f1, 4),
    typeof time === "number" ? formatDuration(time) : NONE,
    note,
  ];
}

/** The random end of an id where that is enough to name the run, else all of it. */
function shortId({ runId }: ListedRun, runs: readonly ListedRun[]): string {
  const end = /-([0-9a-f]{8})$/.exec(runId)?.[1];
  const isUnique = end !== undefined && runs.filter((run) => run.runId.includes(end)).length === 1;
  return isUnique ? end : runId || NONE;
}
