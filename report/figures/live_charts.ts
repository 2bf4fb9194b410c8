/**
 * The charts of a page in which Vega draws them anew, so that they show their values under the mouse.
 *
 * Vega's own program goes into the page, which then needs nothing from outside. Its expressions are
 * interpreted, so that the page can forbid that any text becomes code.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { readRegularText } from "../../io/regular_file.ts";
import type { DrawnFigure } from "./draw_figures.ts";
import { darkRules } from "./theme.ts";

/** What a page needs to draw charts. */
export interface LiveCharts {
  /** What Vega draws in the place of a picture, by the picture's address: plain JSON. */
  specs: ReadonlyMap<string, unknown>;
  /** Programs, to be run in this order at the end of the page. */
  scripts: readonly string[];
  /** Style rules for what is inside of `.chart`. */
  style: string;
}

/** Vega's programs are half a megabyte. */
const MOST_SCRIPT_BYTES = 4e6;

/** The figures that Vega draws, with the programs that draw them; `undefined` if there are none. */
export async function liveCharts(figures: readonly DrawnFigure[]): Promise<LiveCharts | undefined> {
  const specs = new Map(
    figures.filter(({ chart }) => chart !== null)
      // The page has the figures' own background, in both themes.
      .map(({ file, chart, alt }) => [
        file,
        { ...chart, description: alt, background: "transparent" },
      ]),
  );
  if (specs.size === 0) return undefined;
  const bundle = new URL("vega.min.js", import.meta.resolve("vega"));
  const [licence, vega, interpreter, page] = await Promise.all([
    readScript(new URL("../LICENSE", bundle)),
    readScript(bundle),
    readScript(new URL(import.meta.resolve("vega-interpreter"))),
    readScript(new URL("live_charts_page.js", import.meta.url)),
  ]);
  return {
    specs,
    // The licence, which is that of both, asks to go with them.
    scripts: [`/*!\nVega and vega-interpreter\n${licence}*/\n${vega}`, asScript(interpreter), page],
    style: darkRules(".chart"),
  };
}

/**
 * The interpreter, which is a module, as a script: it takes what it imports from Vega, which has it too,
 * and is known to the scripts after it as `vegaInterpreter`.
 */
function asScript(module: string): string {
  const parts = module.match(
    /^import (\{[^}]*\}) from 'vega-util';\n(.*)\nexport \{ (\w+) as expressionInterpreter \};\s*$/s,
  );
  if (parts === null) throw new Error("vega-interpreter is not the module that it was");
  const [, imported, body, exported] = parts;
  return `var vegaInterpreter = (() => {\nconst ${imported} = vega;\n${body}\nreturn ${exported};\n})();`;
}

async function readScript(url: URL): Promise<string> {
  const text = await readRegularText(fileURLToPath(url), { maxBytes: MOST_SCRIPT_BYTES });
  return text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
}
