/** The numbers in docs/cluster.md: of committed runs, of the bench, and of simulate.py. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { delimiter, dirname, join } from "node:path";
import { ourSeconds } from "../../bench/findings.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { meanAndSd } from "../../metrics/descriptive_statistics.ts";
import { isSameProcessor } from "../../report/analysis/describe_machine.ts";
import { formatMeanAndSd } from "../../report/analysis/format_numbers.ts";
import { readBenchResults } from "../../report/record/bench_results.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, type ResultRow } from "../../report/record/results.ts";
import { readHistory, readManifest } from "../../report/record/run_folder.ts";
import {
  ALEXNET,
  DATA,
  FASTER_RCNN_ADAPTED,
  SIMPLE_CNN,
  SIMPLE_CNN_FAST,
  type StudyModel,
  VGG16,
} from "../../study.ts";
import { command, works } from "../workflow/sweeps.ts";
import { tableRows } from "./table_rows.ts";

const ROOT = repositoryRoot();
const REFERENCE = join(ROOT, "results/reference");

/** The page with every paragraph on one line. */
async function readPage(): Promise<string> {
  return (await Deno.readTextFile(join(ROOT, "docs/cluster.md"))).replaceAll(
    /(?<=\S)\n(?=\S)/g,
    " ",
  );
}

/** The rows of a model's committed runs. */
async function rowsOf({ part, name }: StudyModel): Promise<ResultRow[]> {
  const rows = await readResults(join(REFERENCE, `part${part}.csv`), new ProblemList());
  return rows.map(({ row }) => row).filter(({ model }) => model === name);
}

/**
 * Minutes of the epochs of a model's committed runs on a machine, without the features before them, in
 * order.
 */
async function epochMinutes(
  model: StudyModel,
  machine: Readonly<Record<string, unknown>>,
): Promise<number[]> {
  const runs = await Promise.all((await rowsOf(model)).map(async ({ run_id }) => {
    const folder = join(REFERENCE, "runs", run_id);
    if (!isSameProcessor((await readManifest(folder)).machine, machine)) return [];
    const epochs = (await readHistory(folder)).filter((row) => row.epoch > 0);
    assertEquals(epochs.length, model.training!.epochs);
    return epochs.reduce((sum, { time_s }) => sum + time_s, 0) / 60;
  }));
  return runs.flat().sort((a, b) => a - b);
}

Deno.test("cluster.md has the times of the committed runs, and the bench's of the detector", async () => {
  const page = await readPage();
  const bench = (await readBenchResults(join(REFERENCE, "bench/avx512/bench.json")))!;
  const [simple, alexnet, vgg16] = await Promise.all(
    [SIMPLE_CNN, ALEXNET, VGG16].map((model) => epochMinutes(model, bench.machine)),
  );
  assertStringIncludes(
    page,
    `ten epochs of SimpleCNN took ${simple![0]!.toFixed(1)} to ${
      simple!.at(-1)!.toFixed(1)
    } min, ` +
      `eight of AlexNet's classifier ${alexnet![0]!.toFixed(0)} to ${
        alexnet!.at(-1)!.toFixed(0)
      }, ` +
      `of VGG16's ${vgg16!.map((minutes) => minutes.toFixed(0)).join()}.`,
  );
  const { value: seconds } = ourSeconds(bench, "detector")!;
  const perImage = seconds.toFixed(2);
  const minutes = (seconds * DATA.testImages / 60).toFixed(0);
  assertStringIncludes(page, `bench's ${perImage} s an image a run takes ${minutes} min, `);
  const [row] = await rowsOf(FASTER_RCNN_ADAPTED);
  assertEquals([row!.precision, row!.test_images], ["bfloat16", DATA.testImages]);
  const took = (row!.inference_ms_per_image! * DATA.testImages / 60_000).toFixed(0);
  assertStringIncludes(page, `Its committed run took ${took}, with bfloat16, `);
});

const hasPython = await works("python3", "--version");
if (!hasPython) console.log("skipped: simulate.py (there is no python3)");

Deno.test({
  name: "cluster.md has the tables and sums that simulate.py makes of rates.json",
  ignore: !hasPython,
  fn: async () => {
    const path = [dirname(Deno.execPath()), Deno.env.get("PATH")].join(delimiter);
    const script = join(ROOT, "workflow/scripts/simulate.py");
    const { code, output } = await command(["env", `PATH=${path}`, "python3", "-B", script]);
    assertEquals(code, 0, output);
    const text = await Deno.readTextFile(join(ROOT, "docs/cluster.md"));
    for (const [head, count] of [["\\| model +\\| one run", 4], ["\\| nodes", 3]] as const) {
      assertEquals(tableRows(text, head), tableRows(output, head));
      assertEquals(tableRows(output, head).length, count);
    }
    assertStringIncludes(await readPage(), output.match(/^Together .*$/m)![0]);
  },
});

Deno.test("cluster.md has the learning-set sizes of the committed sweep", async () => {
  const problems = new ProblemList();
  const path = join(REFERENCE, "learning_set_size/part1.csv");
  const rows = (await readResults(path, problems)).map(({ row }) => row);
  assertEquals(problems.list(), []);
  const expected = [300, 1000, 3000, 10_000, 30_000, DATA.trainImages].map((images) => {
    const cells = [SIMPLE_CNN, SIMPLE_CNN_FAST].map(({ name }) => {
      const own = rows.filter((row) => row.model === name && row.train_images === images);
      const seeds = own.map(({ seed, status }) => `${seed} ${status}`).sort();
      assertEquals(seeds, ["1 ok", "2 ok", "3 ok"]);
      return formatMeanAndSd(meanAndSd(own.map(({ accuracy }) => accuracy!)), 2);
    });
    return [images.toLocaleString("en"), ...cells];
  });
  const page = await Deno.readTextFile(join(ROOT, "docs/cluster.md"));
  assertEquals(tableRows(page, "\\| training images "), expected);
});
