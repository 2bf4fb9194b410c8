/**
 * How long after the last stroke have models answered?
 *
 *     deno run --lock=deno.full.lock -P=test tests/draw/time_page.ts RESULTS
 *
 * Draws 100 strokes on the page in a browser and prints the median and the 95th percentile, in
 * milliseconds, from each stroke's last point to the answer on the card; of each model in RESULTS. The
 * guide has the figures of one machine.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { runScript } from "../../io/run_script.ts";
import { withBrowser } from "../browser.ts";
import { cardOf, clear, drawStrokes, open, settle, startDrawing } from "./drawn_page.ts";

const STROKES = 100;

/** As many as a digit may have. */
const PER_DRAWING = 4;

async function main(): Promise<void> {
  const [results] = Deno.args;
  if (results === undefined) throw new StudyError("Name the folder of the results");
  const { program, address } = await startDrawing(results);
  try {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await open(page, address);
      const models = await page.$$eval(
        ".card",
        (cards) => cards.map((card) => card.getAttribute("data-model")!),
      );
      const latencies = new Map(models.map((model) => [model, [] as number[]]));
      for (let i = 0; i < STROKES; i++) {
        if (i % PER_DRAWING === 0) await clear(page);
        const y = 0.2 + 0.6 * (i % PER_DRAWING) / PER_DRAWING;
        await drawStrokes(page, [[[0.3, y], [0.45, y + 0.1], [0.6, y], [0.7, y + 0.1]]]);
        await settle(page);
        for (const model of models) latencies.get(model)!.push((await cardOf(page, model)).latency);
      }
      for (const [model, values] of latencies) {
        values.sort((a, b) => a - b);
        const at = (share: number) => values[Math.floor(share * (STROKES - 1))]!.toFixed(0);
        console.log(`${model}: median ${at(0.5)} ms, p95 ${at(0.95)} ms`);
      }
    });
  } finally {
    program.kill("SIGINT");
    await program.end();
  }
}

if (import.meta.main) await runScript(main);
