import { assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { licences, planStaticPage } from "../../draw/static_page.ts";
import { StudyError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import type { ResultRow } from "../../report/record/result_row.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";

/** A run of SimpleCNN that has left no weights, so that it is named where it is taken. */
function runOf(runId: string, changes: Partial<ResultRow>) {
  const row = resultRow({ run_id: runId, dataset: "mnist", test_images: 10_000, ...changes });
  const { started_at, part, model } = row;
  const manifest = {
    ...{ run_id: runId, started_at, part, model, settings: {}, versions: {}, machine: {} },
    git: null,
  };
  return { runId, folder: "nowhere", row, manifest };
}

Deno.test("planStaticPage() takes the network that `best` is, of the study's digits first", () =>
  withFolder({}, async (folder) => {
    const runs = [
      runOf("own", { dataset: "dir:photographs", accuracy: 99.9 }),
      runOf("few", { accuracy: 99.8, test_images: 100 }),
      runOf("poor", { accuracy: 98 }),
      runOf("good", { accuracy: 99, model: "SimpleCNN_Fast" }),
      runOf("large", { accuracy: 99.7, model: "alexnet_FineTuned" }),
    ];
    const page = await planStaticPage(join(folder, "page"), runs);
    const write = () => page.write(silentReporter);
    const { message } = await assertRejects(write, StudyError);
    assertStringIncludes(message, "Run good has no checkpoint");
  }));

Deno.test("licences() calls digits MNIST's where they are, and one's own by no other terms", () => {
  const mnist = licences(40, "mnist");
  assertStringIncludes(mnist, "data.js: digits of MNIST, Yann LeCun and Corinna Cortes, CC BY-SA");
  for (
    const [misread, dataset, line] of [
      [40, "dir:photographs", "data.js: test images out of a folder of your own, whose terms"],
      [0, "mnist", "data.js: what your own training run found\n"],
      [0, undefined, "data.js: what your own training run found\n"],
    ] as const
  ) {
    const text = licences(misread, dataset);
    assertStringIncludes(text, line);
    assertFalse(text.includes("LeCun"));
  }
});
