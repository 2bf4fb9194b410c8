/**
 * A page to draw digits on, which the trained models read as they are drawn: `deno task draw`.
 *
 * @module
 */

import { bundlePage } from "../draw/bundle.ts";
import { findMisread } from "../draw/misread_digits.ts";
import { openBrowser } from "../draw/open_browser.ts";
import { type Answer, DATA_PATH, type PageData, type PageModel } from "../draw/page/protocol.ts";
import { warmUp } from "../draw/page/warm_up.ts";
import { pageFiles } from "../draw/page_files.ts";
import { servePage } from "../draw/page_server.ts";
import { isOpen } from "../draw/request_guard.ts";
import { planStaticPage } from "../draw/static_page.ts";
import { describeModel, loadTrained, readDigit, trainedRuns } from "../draw/trained_models.ts";
import { startEngine } from "../engine/engine.ts";
import { SHARED_FLAGS } from "../experiment/flags.ts";
import { mentionEngine } from "../experiment/provenance.ts";
import { readCommandLine } from "../io/help_text.ts";
import type { FlagTable, FlagValues } from "../io/parse_flags.ts";
import { createReporter, formatBytes, print, type Reporter } from "../io/reporter.ts";
import { interruptible, runScript } from "../io/run_script.ts";

const { backend, device, libtensorflow, verbose, help } = SHARED_FLAGS;

const FLAGS = {
  results: {
    kind: "path",
    existing: "folder",
    default: "results",
    help: "folder of the results with the models' runs",
  },
  static: {
    kind: "path",
    folder: true,
    excludes: ["port", "host", "noOpen"],
    help:
      "write the page to this folder instead, as files that need no server: the best SimpleCNN " +
      "is computed in the browser",
  },
  port: { kind: "integer", min: 0, max: 65_535, default: 7840, help: "0 takes any that is free" },
  host: {
    kind: "choice",
    choices: ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::"],
    default: "127.0.0.1",
    help: "address to listen on; with 0.0.0.0 and :: everyone on the network can use the page",
  },
  noOpen: { kind: "boolean", help: "do not open the page in the browser" },
  backend,
  device,
  libtensorflow,
  quiet: { kind: "boolean", help: "print the page's address and warnings only" },
  verbose,
  help,
} as const satisfies FlagTable;

type Flags = FlagValues<typeof FLAGS>;

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task draw [flags]",
    description: "Serves a page on this machine to draw digits on. Every trained model in the " +
      "results, of each the best run, reads them as they are drawn. Ctrl-C ends it.",
    table: FLAGS,
    examples: [
      "deno task draw",
      "deno task draw --port 0 --no-open",
      "deno task draw --static site",
    ],
  });
  if (flags === undefined) return;
  const reporter = createReporter({ quiet: flags.quiet, verbose: flags.verbose });
  const runs = await trainedRuns(flags.results);
  const page = flags.static === undefined ? undefined : await planStaticPage(flags.static, runs);
  using engine = await startEngine({ ...flags, reporter });
  mentionEngine(engine, reporter);
  if (page === undefined) return await serve(runs, flags, reporter);
  const { run } = page;
  const bytes = await page.write(reporter);
  reporter.line(
    `${run.manifest.model} (run ${run.runId}) is in ${flags.static}, ${formatBytes(bytes)}: open ` +
      "its index.html, or put the folder on any web server",
  );
}

/** Loads the models and serves the page until Ctrl-C. */
async function serve(
  runs: Awaited<ReturnType<typeof trainedRuns>>,
  { host, port, noOpen }: Flags,
  reporter: Reporter,
): Promise<void> {
  const models = await loadTrained(runs, reporter);
  try {
    const readers = new Map<string, (pixels: Uint8Array) => Promise<Answer>>();
    const described: PageModel[] = [];
    for (const model of models) {
      const read = (pixels: Uint8Array) => readDigit(model, pixels);
      readers.set(model.name, read);
      described.push({ ...describeModel(model), milliseconds: await warmUp(read) });
    }
    const data: PageData = {
      models: described,
      misread: await findMisread(models.flatMap(({ run }) => run ?? [])),
    };
    const files = await pageFiles("", { scripts: ["page.js"] });
    const script = await bundlePage("ask_server.ts");
    files.set("page.js", { type: "text/javascript; charset=utf-8", content: script });
    files.set(DATA_PATH.slice(1), { type: "application/json", content: JSON.stringify(data) });
    // Ctrl-C is how a server ends well; before there is one, it ends the process at once.
    await interruptible(async (signal) => {
      await using server = servePage({ host, port, files, models: readers });
      for (const { title, runId } of data.models) reporter.line(`${title} answers (run ${runId})`);
      if (isOpen(host)) reporter.warn("Everyone on the network can use this page");
      print(`Draw at ${server.address} (Ctrl-C ends it)`);
      if (!noOpen && !await openBrowser(server.address)) {
        reporter.line("No browser could be opened from here: open that address in one");
      }
      await aborted(signal);
    });
  } finally {
    for (const model of models) model.dispose();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
}

if (import.meta.main) await runScript(main);
