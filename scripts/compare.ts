/**
 * Writes a report, `results/report.md`, from the rows of all parts: `deno task compare`.
 *
 * @module
 */

import { join } from "node:path";
import { repositoryRoot } from "../io/cache.ts";
import { confine, isConfined, runInConfinement } from "../io/confined.ts";
import { StudyError, UsageError } from "../io/errors.ts";
import { createReporter, print } from "../io/reporter.ts";
import { readCommandLine } from "../io/help_text.ts";
import { isFolder } from "../io/path_kind.ts";
import type { FlagTable, FlagValues } from "../io/parse_flags.ts";
import { printable, printableJson, shortened } from "../io/printable.ts";
import { runScript } from "../io/run_script.ts";
import { GATE_NAMES, whatDoesNotHold } from "../report/analysis/gate.ts";
import type { FigureOptions } from "../report/figures/draw_figures.ts";
import { describeSkipped, ProblemList } from "../report/record/problems.ts";
import { REFERENCE_RESULTS } from "../report/record/reference_results.ts";

/** Where the parts write their rows. */
const DEFAULT_FOLDER = "results";

const FLAGS = {
  out: {
    kind: "path",
    folder: true,
    help: "folder that the report and its figures are written to",
    defaultText: "the first --results folder",
  },
  results: {
    kind: "paths",
    existing: "folder",
    help:
      "folder with partN.csv files and runs/; given several times, the runs of all are compared",
    defaultText: `the --out folder, or ${DEFAULT_FOLDER}`,
  },
  data: {
    kind: "paths",
    help:
      "folder with the IDX files that runs were tested on, if they have been moved since; for " +
      "pictures of wrong predictions",
  },
  format: {
    kind: "choice",
    choices: ["md", "html"],
    default: "md",
    help: "report.md with its figures beside it, or report.html with everything inside",
  },
  check: {
    kind: "boolean",
    help:
      "fail unless every published value that can be judged is reproduced or consistent, with enough " +
      "seeds, of which none failed, all files are there and were read, and the rows of the models " +
      "asked for were made by one version of the code from one data set",
  },
  require: {
    kind: "choices",
    choices: GATE_NAMES,
    needs: "check",
    help: "models that --check wants verdicts on",
    defaultText: "those with a run",
  },
  code: {
    kind: "text",
    placeholder: "COMMIT,COMMIT,...",
    needs: "check",
    help:
      "with --check: commits of the suite's code by which the rows of the models asked for may have " +
      "been made, together, without local changes; no others are allowed",
    defaultText: "any one",
  },
  quiet: { kind: "boolean", help: "print warnings only" },
  json: {
    kind: "boolean",
    help: "print all that is in the report as JSON, everything else on standard error",
  },
  verbose: { kind: "boolean", help: "show long lists whole, and stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task compare [flags]",
    description: "Compares the runs of each model with the study's published values and with the " +
      `committed runs in ${REFERENCE_RESULTS}/, and writes report.md.`,
    table: FLAGS,
    examples: [
      "deno task compare",
      "deno task compare --check --require simplecnn,alexnet",
      `deno task compare --results ${REFERENCE_RESULTS}`,
      "deno task compare --results results --results other-machine --out merged",
      "deno task compare --data /mnt/digits",
    ],
  });
  if (flags === undefined) return;
  for (const folder of flags.data ?? []) {
    if (!await isFolder(folder)) throw new UsageError(`--data: there is no folder ${folder}`);
  }
  const code = flags.code === undefined ? undefined : readCommits(flags.code);
  const folders = flags.results ?? [flags.out ?? join(repositoryRoot(), DEFAULT_FOLDER)];
  const out = flags.out ?? folders[0]!;
  await (isConfined
    ? compare(folders, { ...flags, out, code })
    : confine(import.meta.url, { write: [out] }));
}

/** The flags as they were read. */
type CompareFlags = Omit<FlagValues<typeof FLAGS>, "out" | "code"> & {
  out: string;
  code: readonly string[] | undefined;
};

/** Reads what is in the folders, and writes the report to `out`. */
async function compare(
  folders: readonly string[],
  { out, code, ...flags }: CompareFlags,
): Promise<void> {
  // Loaded by the worker alone.
  const { findTestImages } = await import("../data/local_dataset.ts");
  const { analyseSweeps } = await import("../report/analysis/sweeps.ts");
  const { countTests } = await import("../report/analysis/hypothesis_counts.ts");
  const { compareResults, writeReport } = await import("../report/compare.ts");
  const { drawFigures } = await import("../report/figures/draw_figures.ts");
  const { writeFigures } = await import("../report/figures/write_figures.ts");
  const { renderResultsTable } = await import("../report/page/section_results.ts");
  const named = flags.data ?? [];
  const reporter = createReporter({ quiet: flags.quiet, stream: flags.json ? "stderr" : "stdout" });
  const comparison = await compareResults(folders, {
    reference: join(repositoryRoot(), REFERENCE_RESULTS),
    checksSeeds: flags.check,
  });
  const notDrawn = new ProblemList();
  const options: FigureOptions = {
    testImages: ({ folder, ...set }) =>
      findTestImages({ ...set, folders: [...named, ...(folder === undefined ? [] : [folder])] }),
    problems: notDrawn,
  };
  const figures = flags.format === "html"
    ? await drawFigures(comparison, options)
    : await writeFigures(comparison, out, options);
  comparison.problems.push(...notDrawn.list());
  const path = await writeReport(out, comparison, { format: flags.format, figures });
  const { models, mixed, problems } = comparison;
  for (const line of renderResultsTable(models).trimEnd().split("\n")) reporter.line(line);
  for (const { model, differences } of models) {
    if (differences.length === 0) continue;
    reporter.warn(
      `${printable(model)} is not comparable with the published values: ` +
        printable(differences.join("; "), flags.verbose ? 1000 : SHOWN),
    );
  }
  for (const sentence of mixed) reporter.warn(sentence);
  for (const phrase of describeSkipped(problems)) reporter.warn(`Left out: ${phrase}`);
  if (problems.length > 0) {
    reporter.warn(`Something was not read, drawn or counted: see Problems in ${path}`);
  }
  reporter.line(`Written to ${path}`);
  if (flags.json) {
    const described = figures.map(({ file, title, alt, caption }) => ({
      file,
      title,
      alt,
      caption,
    }));
    const [sweeps, tests] = [analyseSweeps(models), countTests(comparison)];
    print(printableJson({ report: path, ...comparison, sweeps, tests, figures: described }));
  }
  if (!flags.check) return;
  const failures = whatDoesNotHold(comparison, { required: flags.require, code });
  if (failures.length > 0) {
    const all = failures.join("; ");
    const isLong = all.length > SHOWN;
    if (isLong) { for (const failure of failures) reporter.warn(`Does not hold: ${failure}`); }
    throw new StudyError(
      `The comparison does not hold: ${isLong ? firstAndLast(failures) : all}; see ${path}`,
    );
  }
}

/**
 * The commits that `--code` names.
 *
 * @throws {UsageError} If one is none: of 7 to 40 digits, as Git abbreviates them.
 */
function readCommits(list: string): string[] {
  return list.split(",").map((commit) => {
    if (/^[0-9a-f]{7,40}$/.test(commit)) return commit;
    throw new UsageError(
      `--code takes commits of 7 to 40 hexadecimal digits, separated by commas, not "${commit}"`,
    );
  });
}

/** Characters of a list that the terminal shows. */
const SHOWN = 120;

/** The ends of a list that has been said in full. */
function firstAndLast(failures: readonly string[]): string {
  const more = failures.length - 2;
  const ends = more < 0 ? failures : [
    failures[0]!,
    ...(more > 0 ? [`${more} more`] : []),
    failures.at(-1)!,
  ];
  return ends.map((failure) => shortened(failure, SHOWN / 2)).join("; ");
}

if (import.meta.main) await (isConfined ? runInConfinement(main) : runScript(main));
