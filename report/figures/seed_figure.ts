/**
 * How accuracy spreads over the seeds: a strip of dots for each setting, with its intervals.
 *
 * @module
 */

import { formatInterval } from "../analysis/format_numbers.ts";
import type { SeedDistribution } from "../analysis/sweeps.ts";
import { nameNotes, settingLabel } from "../analysis/describe_run.ts";
import type { Drawing } from "./drawn_models.ts";
import { COLOUR, figureText } from "./theme.ts";

/** More panels than these are no figure to look at; the table has the others too. */
const PANELS_DRAWN = 12;

/** Of more seeds than these, so many evenly spaced quantiles are drawn. */
const DOTS_DRAWN = 200;

/** What one mark of a panel stands for. */
type Kind = "seed" | "mean" | "next" | "published";

interface Mark {
  kind: Kind;
  panel: string;
  accuracy: number;
  /** The other end of an interval. */
  high: number;
  /** How far a dot is from the middle of its strip, −1..1. */
  offset: number;
}

/** One panel for each setting with several seeds; `null` if there is none. */
export function seedFigure(distributions: readonly SeedDistribution[]): Drawing | null {
  if (distributions.length === 0) return null;
  const drawn = distributions.slice(0, PANELS_DRAWN);
  const values = drawn.flatMap((one, i) => marksOf(one, panelName(one, i)));
  const columns = Math.min(2, drawn.length);
  const hasPublished = drawn.some(({ published }) => published !== null);
  const most = Math.max(...drawn.map(({ accuracies }) => accuracies.length));
  const x = {
    field: "accuracy",
    type: "quantitative",
    title: "Test accuracy (%)",
    scale: { zero: false, nice: false, padding: 12 },
    axis: { tickCount: 5, format: "~f", grid: false },
  } as const;
  const only = (kind: Kind) => [{ filter: `datum.kind === '${kind}'` }];
  const tooltip = [
    { field: "kind", type: "nominal", title: "What" },
    { field: "accuracy", type: "quantitative", title: "Accuracy (%)", format: ".2f" },
  ] as const;
  return {
    file: "figures/accuracy_over_seeds.svg",
    title: "Accuracy over the seeds",
    alt: `Test accuracy of each seed. ${drawn.map(describe).join(" ")}`,
    caption:
      "Each dot is one seed's run; dots are spread vertically only to keep them apart. The thick " +
      "line is the 95 % confidence interval of the mean, the thin one the 95 % prediction interval for " +
      "one more run" +
      (hasPublished ? "; the diamond is the published value" : "") +
      (most > DOTS_DRAWN
        ? `; where there are more than ${DOTS_DRAWN} seeds, ${DOTS_DRAWN} quantiles are shown`
        : "") +
      ". Each panel has an axis of its own." +
      (distributions.length > drawn.length
        ? ` The first ${drawn.length} of ${distributions.length} settings.`
        : ""),
    spec: {
      data: { values },
      facet: {
        field: "panel",
        type: "nominal",
        title: null,
        sort: drawn.map(panelName),
        header: {
          labelExpr: "split(slice(datum.label, 0, lastindexof(datum.label, ' #')), '\\n')",
        },
      },
      columns,
      bounds: "flush",
      spacing: { row: 95, column: 60 },
      spec: {
        width: columns === 1 ? 640 : 300,
        height: 70,
        layer: [
          {
            transform: only("next"),
            mark: { type: "rule", strokeWidth: 1.5, color: COLOUR.quiet },
            encoding: { x, x2: { field: "high" }, y: { value: 60 } },
          },
          {
            transform: only("mean"),
            mark: { type: "rule", strokeWidth: 5, color: COLOUR.ours },
            encoding: { x, x2: { field: "high" }, y: { value: 60 } },
          },
          {
            transform: only("seed"),
            mark: { type: "point", filled: true, size: 32, opacity: 0.75, color: COLOUR.ours },
            encoding: {
              x,
              y: {
                field: "offset",
                type: "quantitative",
                scale: { domain: [-2.6, 1.2] },
                axis: null,
              },
              tooltip: [...tooltip],
            },
          },
          {
            transform: only("published"),
            mark: {
              type: "point",
              shape: "diamond",
              size: 110,
              strokeWidth: 2,
              color: COLOUR.published,
            },
            encoding: { x, y: { value: 60 }, tooltip: [...tooltip] },
          },
        ],
      },
      resolve: { scale: { x: "independent" } },
    },
  };
}

/** The setting and its seeds; its number makes it unlike any other and is not shown. */
function panelName({ row, accuracies }: SeedDistribution, index: number): string {
  const notes = [...nameNotes(row), `${accuracies.length} seeds`].join(", ");
  return `${figureText(row.model)}\n${figureText(notes, 48)} #${index}`;
}

function marksOf(one: SeedDistribution, panel: string): Mark[] {
  const { accuracies, mean, next, published } = one;
  const shown = accuracies.length <= DOTS_DRAWN
    ? accuracies
    : Array.from({ length: DOTS_DRAWN }, (_, i) =>
      accuracies[Math.floor((i + 0.5) * accuracies.length / DOTS_DRAWN)]!);
  const mark = (kind: Kind, accuracy: number, high = accuracy, offset = 0): Mark => ({
    ...{ kind, panel, accuracy, high, offset },
  });
  return [
    ...shown.map((accuracy, i) => mark("seed", accuracy, accuracy, offsetOf(i, shown.length))),
    ...(mean === null ? [] : [mark("mean", mean.low, mean.high)]),
    ...(next === null ? [] : [mark("next", next.low, next.high)]),
    ...(published === null ? [] : [mark("published", published.accuracy)]),
  ];
}

/** Neighbours in rank are far from each other in height, the same for every drawing. */
function offsetOf(index: number, count: number): number {
  return count < 2 ? 0 : 2 * ((index * 0.618034) % 1) - 1;
}

function describe({ row, accuracies, accuracy, next }: SeedDistribution): string {
  return `${settingLabel(row)}: ${accuracies.length} seeds from ${accuracies[0]!.toFixed(2)} to ` +
    `${accuracies.at(-1)!.toFixed(2)} %, mean ${accuracy.mean.toFixed(2)} %` +
    (next === null ? "." : `; one more run is expected from ${formatInterval(next, 2)} %.`);
}
