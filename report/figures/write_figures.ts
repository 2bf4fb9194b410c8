/**
 * Writes the figures of a comparison: `figures/` beside the report.
 *
 * @module
 */

import { basename, join } from "node:path";
import { writeFileAtomic } from "../../io/atomic.ts";
import { readRegularText } from "../../io/regular_file.ts";
import { systemReason } from "../../io/system_reason.ts";
import type { Comparison, Figure } from "../analysis/comparison.ts";
import { drawFigures, type DrawnFigure, type FigureOptions } from "./draw_figures.ts";

/** Which files of the folder were written here: of these, those of an earlier report are removed. */
const WRITTEN = ".written.json";

/** A list of many more names than there are figures. */
const MOST_LIST_BYTES = 1e6;

/**
 * Draws a comparison and writes `outDir/figures/`. Figures that an earlier call wrote and that are no
 * longer part of it are removed. One that can't be drawn or written is noted, and the others are not
 * the worse for it.
 *
 * @returns The figures that were written, in the report's order.
 */
export async function writeFigures(
  comparison: Comparison,
  outDir: string,
  options: FigureOptions,
): Promise<DrawnFigure[]> {
  const { problems } = options;
  const figures: DrawnFigure[] = [];
  for (const figure of await drawFigures(comparison, options)) {
    try {
      await writeFileAtomic(join(outDir, figure.file), figure.svg);
      figures.push(figure);
    } catch (error) {
      problems.add(`not drawn: ${systemReason(error)}`, { file: figure.file });
    }
  }
  try {
    await removeEarlier(outDir, figures);
  } catch (error) {
    problems.add(`figures of an earlier report may be left there: ${systemReason(error)}`, {
      file: "figures",
    });
  }
  return figures;
}

/** Removes what an earlier report wrote and this one did not; nothing else in the folder is touched. */
async function removeEarlier(outDir: string, figures: readonly Figure[]): Promise<void> {
  const folder = join(outDir, "figures");
  const list = join(folder, WRITTEN);
  const written = figures.map(({ file }) => basename(file)).sort();
  const earlier = await readWritten(list);
  for (const name of earlier.filter((name) => !written.includes(name))) {
    await removeFile(join(folder, name));
  }
  if (written.length > 0) await writeFileAtomic(list, `${JSON.stringify(written, null, 2)}\n`);
  else if (earlier.length > 0) await removeFile(list);
}

/** The names in the list; none if there is no list, or it is damaged. */
async function readWritten(path: string): Promise<string[]> {
  try {
    const names: unknown = JSON.parse(await readRegularText(path, { maxBytes: MOST_LIST_BYTES }));
    return Array.isArray(names) ? names.filter(isPlainName) : [];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return [];
    throw error;
  }
}

/** A file of the folder itself, that is: nothing that leads out of it. */
function isPlainName(name: unknown): name is string {
  return typeof name === "string" && /^\w[\w.-]*\.(svg|png)$/.test(name);
}

async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
