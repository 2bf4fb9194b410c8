/**
 * The list of runs as a table.
 *
 * @module
 */

import { formatDuration } from "../../io/reporter.ts";
import { formatCount, formatFixed, NONE } from "../analysis/format_numbers.ts";
import type { ListedRun } from "./list_runs.ts";
import { longest, type TextColumn, textTable } from "./text_table.ts";

const right = "right" as const;

/** What has room beside a whole id, which says when a run was started, its part, model and seed. */
const WIDE: readonly TextColumn[] = [
  { title: "state" },
  { title: "data" },
  { title: "images", align: right },
  { title: "epochs", align: right },
  { title: "accuracy", align: right },
  { title: "F1", align: right },
  { title: "time", align: right },
  { title: "" },
];

/** What has room on a narrow screen. */
const NARROW: readonly TextColumn[] = [
  { title: "model" },
  { title: "seed", align: right },
  { title: "state" },
  { title: "epochs", align: right },
  { title: "accuracy", align: right },
  { title: "time", align: right },
  { title: "" },
];

/**
 * A line for each run. Where they are too long for the screen there are fewer columns, and ids are cut
 * to their ends.
 *
 * @param width Columns of the screen; Infinity if it is none.
 */
export function listPage(runs: readonly ListedRun[], width: number): string[] {
  const wide = textTable(
    [{ title: "run" }, ...WIDE],
    runs.map((run) => {
      const { state, row, note } = run;
      const images = row.train_images === null
        ? formatCount(row.test_images)
        : `${formatCount(row.train_images)}/${formatCount(row.test_images)}`;
      const f1 = formatFixed(row.f1, 4);
      const [epochs, accuracy, time] = resultsOf(run);
      return [
        run.runId || NONE,
        state,
        row.dataset || NONE,
        images,
        epochs,
        accuracy,
        f1,
        time,
        note,
      ];
    }),
  );
  if (longest(wide) <= width) return wide;
  const ends = Map.groupBy(runs, ({ runId }) => randomEnd(runId));
  return textTable(
    [{ title: "run" }, ...NARROW],
    runs.map((run) => {
      const { state, row, note } = run;
      const seed = String(row.seed ?? NONE);
      const end = randomEnd(run.runId);
      const id = end !== undefined && ends.get(end)?.length === 1 ? end : run.runId || NONE;
      return [id, row.model || NONE, seed, state, ...resultsOf(run), note];
    }),
  );
}

function resultsOf({ row }: ListedRun): [epochs: string, accuracy: string, time: string] {
  const { epochs, accuracy, training_time_s: time } = row;
  return [
    String(epochs ?? NONE),
    formatFixed(accuracy, 2),
    typeof time === "number" ? formatDuration(time) : NONE,
  ];
}

/** The end of an id, which no other run of the suite has. */
function randomEnd(runId: string): string | undefined {
  return /-([0-9a-f]{8})$/.exec(runId)?.[1];
}
