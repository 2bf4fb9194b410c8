/**
 * Runs tfjs-core's own test suite against a backend of the engine: `deno task conformance`.
 *
 * @module
 */

import { readCommandLine } from "../io/help_text.ts";
import { runConformance } from "../engine/conformance/run_conformance.ts";
import { findLibrary } from "../engine/library/find_library.ts";
import { UsageError } from "../io/errors.ts";
import { printableJson } from "../io/printable.ts";
import { createReporter, formatDuration, print } from "../io/reporter.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { runScript } from "../io/run_script.ts";

const FLAGS = {
  backend: {
    kind: "choice",
    choices: ["tensorflow", "webgpu", "wasm"],
    default: "tensorflow",
    help: "which backend of the engine it is run against",
  },
  device: {
    kind: "choice",
    choices: ["auto", "gpu", "software"],
    default: "auto",
    help: "of webgpu; software allows an adapter that computes on the CPU",
  },
  grep: {
    kind: "text",
    placeholder: "EXPRESSION",
    help: "run only specs whose full name matches this regular expression",
  },
  libtensorflow: {
    kind: "path",
    existing: "file or folder",
    help: "the library to use, instead of one found or fetched",
  },
  json: { kind: "boolean", help: "print the result as JSON, everything else on standard error" },
  verbose: { kind: "boolean", help: "show stacks of errors and what specs and engine print" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task conformance [flags]",
    description: "Runs the test suite that tfjs-core publishes in its npm package against a " +
      "backend. Left out on tensorflow are the specs that tfjs-node-gpu leaves out itself.",
    table: FLAGS,
    examples: [
      "deno task conformance",
      "deno task conformance --backend webgpu --device software --grep '^conv2d '",
    ],
  });
  if (flags === undefined) return;
  const grep = flags.grep === undefined ? undefined : expression(flags.grep);
  const reporter = createReporter({ stream: flags.json ? "stderr" : "stdout" });
  const { backend, device, libtensorflow } = flags;
  const library = backend !== "tensorflow" ? undefined : await findLibrary({
    reporter,
    ...(libtensorflow !== undefined && { libtensorflow }),
  });
  reporter.live("Bundling the suite");
  const startedAt = performance.now();
  const result = await runConformance({
    ...{ backend, device },
    ...(library !== undefined && { library: library.path }),
    ...(grep !== undefined && { grep }),
    verbose: flags.verbose,
    onProgress: (done, total) => reporter.live(`${done} of ${total} specs`),
  });
  const seconds = (performance.now() - startedAt) / 1000;
  if (flags.grep !== undefined && result.specs === 0) {
    throw new UsageError(`--grep ${flags.grep}: no spec has such a name`);
  }
  const { description, passed, failed, known, fixed, excluded, pending } = result;
  for (const { name, message } of failed) reporter.line(`FAILED ${name}: ${message}`);
  for (const { name, message } of known) reporter.line(`known  ${name}: ${message}`);
  for (const { name } of fixed) {
    reporter.warn(`${name} passes: take it out of the exceptions in engine/conformance/`);
  }
  reporter.line(`${description}, ${formatDuration(seconds)}`);
  reporter.line(`${passed} passed, ${failed.length} failed, ${excluded} excluded`);
  reporter.line(
    `besides: ${known.length} failed as known, ${pending} switched off by tfjs-core itself`,
  );
  if (flags.json) print(printableJson({ library: library?.path, seconds, ...result }));
  // Not Deno.exitCode: once the suite has run, that is back at 0 when the process ends.
  if (failed.length > 0) Deno.exit(1);
}

function expression(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new UsageError(`--grep ${source}: expected a regular expression`);
  }
}

if (import.meta.main) await runScript(main);
