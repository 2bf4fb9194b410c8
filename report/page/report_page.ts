/**
 * Writes a comparison as Markdown: `results/report.md`. Every section is a module of its own.
 *
 * @module
 */

import type { Comparison, Figure } from "../analysis/comparison.ts";
import { formatPlace, type Problem } from "../record/problems.ts";
import { CONTENTS, escapeMarkdown, headingAnchor } from "./markdown.ts";
import { renderConclusion } from "./section_conclusion.ts";
import { renderHeadline } from "./section_headline.ts";
import { renderProvenance } from "./section_provenance.ts";
import { renderPublished } from "./section_published.ts";
import { renderPyTorch } from "./section_pytorch.ts";
import { renderResults } from "./section_results.ts";
import { renderReview } from "./section_review.ts";
import { renderSettings } from "./section_settings.ts";
import { renderStatistics } from "./section_statistics.ts";
import { renderSweeps } from "./section_sweeps.ts";

export const TITLE = "Four ways to classify digits: the study's results and ours";

const PROBLEMS_SHOWN = 50;

const NO_PROBLEMS = "None: every line of every input file was read.\n";

/**
 * The whole report. It depends on its arguments alone, so the same rows give the same text.
 *
 * @param figures Pictures beside the report.
 */
export function renderReport(comparison: Comparison, figures: readonly Figure[] = []): string {
  const sections = [
    renderHeadline(comparison),
    renderReview(comparison),
    renderPublished(comparison),
    renderPyTorch(comparison),
    renderResults(comparison),
    renderConclusion(comparison),
    renderStatistics(comparison),
    renderSweeps(comparison),
    renderFigures(figures),
    renderSettings(comparison),
    renderProvenance(comparison),
    renderProblems(comparison.problems),
  ].filter((section) => section !== "");
  return [
    `# ${TITLE}\n`,
    "A study classified MNIST digits in four ways and published how well each did. This report " +
    "compares our own runs with those results. `deno task compare` writes it from the runs' files. " +
    "For each model it shows the runs closest to the study's settings; all others are listed under " +
    "“All successful runs on record”.\n",
    renderContents(sections),
    ...sections,
  ].join("\n");
}

/** Links to the sections, in one paragraph: what was found is to be on the first page. */
function renderContents(sections: readonly string[]): string {
  const links = sections.flatMap((section) => {
    const title = section.match(/^## (.+)\n/)?.[1];
    return title === undefined ? [] : [`[${title}](#${headingAnchor(title)})`];
  });
  return `**${CONTENTS}** ${links.join(" · ")}\n`;
}

/** Each picture with its number and how it is read under it. */
function renderFigures(figures: readonly Figure[]): string {
  if (figures.length === 0) return "";
  const pictures = figures.map(({ file, title, alt, caption }, i) =>
    `### ${escapeMarkdown(title)}\n\n![${escapeMarkdown(alt)}](${encodeURI(file)})\n\n` +
    `*Figure ${i + 1}. ${escapeMarkdown(caption)}*\n`
  );
  return `## Figures\n\n${pictures.join("\n")}`;
}

function renderProblems(problems: readonly Problem[]): string {
  const lines = problems.slice(0, PROBLEMS_SHOWN).map((problem) =>
    `- ${escapeMarkdown(formatPlace(problem))}: ${escapeMarkdown(problem.text)}.\n`
  );
  const more = problems.length - PROBLEMS_SHOWN;
  return "## Problems\n\n" +
    (lines.length > 0 ? lines.join("") : NO_PROBLEMS) +
    (more > 0 ? `- And ${more} more.\n` : "");
}
