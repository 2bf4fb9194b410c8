import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { StudyError } from "../../io/errors.ts";
import type { Comparison } from "../../report/analysis/bench_results.ts";
import { renderSpeedTable } from "../../report/page/speed_table.ts";
import { isPeerRun, type PeerRun, renderReadmeTable } from "../../report/page/readme_table.ts";
import { formatRow, HEADER, type ResultRow } from "../../report/record/results.ts";
import { settingResults } from "../../report/analysis/settings.ts";
import { updateReadme } from "../../scripts/readme.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";

const PEER: PeerRun = {
  model: "SimpleCNN",
  accuracy: 99,
  f1: 0.99,
  training_time_s: 200,
  dataset_sha256: "ab12",
  train_images: 60_000,
  test_images: 10_000,
  epochs: 10,
  batch_size: 128,
  learning_rate: 0.001,
  weight_decay: 0.0001,
  seed: 1,
};

/** A model's rows, oldest first; weights as part 1 has them. */
function model(name: string, rows: readonly Partial<ResultRow>[]) {
  const runs = rows.map((changes) => resultRow({ model: name, weights: "", ...changes }));
  return { model: name, settings: settingResults(runs) };
}

/** Cells of the table's lines below the head. */
function body(table: string): string[][] {
  return table.trimEnd().split("\n").slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("renderReadmeTable() takes the mean over seeds, with PyTorch's own runs beside it", () => {
  const table = renderReadmeTable([
    model("SimpleCNN", [
      { seed: 1, accuracy: 99, f1: 0.99, training_time_s: 100 },
      { seed: 2, accuracy: 99.2, f1: 0.992, training_time_s: 110 },
    ]),
  ], [PEER, { ...PEER, seed: 2, accuracy: 99.1, f1: 0.991, training_time_s: 210 }]);
  assertEquals(body(table), [[
    "SimpleCNN",
    "mnist (60000 / 10000)",
    "2",
    "99.10 ± 0.14",
    "0.9910",
    "105.0",
    "99.05 ± 0.07",
    "0.9905",
    "205.0",
  ]]);
});

Deno.test("renderReadmeTable() has one line per model and data set, its newest setting's", () => {
  const table = renderReadmeTable([
    model("SimpleCNN", [
      { epochs: 2, accuracy: 90 },
      { dataset: "fashion-mnist", accuracy: 91 },
      { accuracy: 99, precision: "bfloat16" },
    ]),
    model("not run", []),
    model("vgg16_FineTuned", [{ weights: "random", training_time_s: null }]),
    model("FasterRCNN_Adapted", [{
      weights: "random",
      train_images: null,
      training_time_s: "N/A",
    }]),
  ], []);
  assertEquals(
    body(table).map(([name, data, , accuracy, , time]) => [name, data, accuracy, time]),
    [
      ["SimpleCNN", "fashion-mnist (60000 / 10000)", "91.00", "120.5"],
      ["SimpleCNN, bfloat16", "mnist (60000 / 10000)", "99.00", "120.5"],
      ["vgg16_FineTuned, random weights", "mnist (60000 / 10000)", "99.10", "–"],
      ["FasterRCNN_Adapted, random weights", "mnist (10000 to test)", "99.10", "–"],
    ],
  );
});

Deno.test("renderReadmeTable() puts nothing of PyTorch's beside another setting", () => {
  const peer = (changes: Partial<PeerRun>, row: Partial<ResultRow> = {}) =>
    body(renderReadmeTable([model("SimpleCNN", [row])], [{ ...PEER, ...changes }]))[0]!.at(-1);
  assertEquals(peer({}), "200.0");
  assertEquals(peer({ model: "SimpleCNN_Fast" }), "–");
  assertEquals(peer({ dataset_sha256: "cd34" }), "–");
  assertEquals(peer({ epochs: 8 }), "–");
  assertEquals(peer({ weights: "random" }), "–");
  assertEquals(peer({ weights: "random" }, { weights: "random" }), "200.0");
  assertEquals(peer({ weights: "pretrained" }, { weights: "torchvision:vgg16.pth" }), "200.0");
  assertEquals(peer({ weights: "mine.pth" }, { weights: "file:mine.pth" }), "200.0");
});

Deno.test("renderReadmeTable() is formatted as deno fmt does", async () => {
  const table = renderReadmeTable([
    model("SimpleCNN", [{ seed: 1 }, { seed: 2, accuracy: 98 }]),
    model("a|b", [{ dataset: "dir:<x>" }]),
  ], [PEER]);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=md", "-"],
    cwd: repositoryRoot(),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  await new Response(table).body!.pipeTo(child.stdin);
  assertEquals(new TextDecoder().decode((await output).stdout), table);
});

Deno.test("isPeerRun() wants every field that decides", () => {
  assertEquals(isPeerRun(PEER), true);
  for (const name of Object.keys(PEER)) assertEquals(isPeerRun({ ...PEER, [name]: null }), false);
  for (const value of [null, 1, [], "x"]) assertEquals(isPeerRun(value), false);
});

const timings = (...seconds: number[]) => seconds.map((each) => ({ units: 1, seconds: each }));

/** Ours against three settings of a peer, one of them in another number format. */
const COMPARISONS: Comparison[] = [
  ...([["default", "float32", 2], ["best", "float32", 1.5], ["bf16", "bfloat16", 1]] as const).map(
    ([label, precision, seconds]) => ({
      case: "step" as const,
      title: "A | step",
      unit: "step",
      ours: { label: "ours", precision: "float32" as const, timings: timings(1, 1, 1) },
      theirs: { label, precision, timings: timings(seconds, seconds, 2 * seconds) },
    }),
  ),
  {
    case: "inference",
    title: "Alone",
    unit: "set",
    ours: { label: "ours", precision: "float32", timings: timings(1) },
    theirs: { label: "default", precision: "float32", timings: timings(4) },
  },
  {
    case: "inference",
    title: "No peer",
    unit: "set",
    ours: { label: "ours", precision: "float32", timings: timings(1) },
    theirs: { label: "default", precision: "float32", timings: [] },
  },
];

Deno.test("renderSpeedTable() has the median ratio to the defaults and to the best settings", () => {
  assertEquals(body(renderSpeedTable({ comparisons: COMPARISONS })), [
    ["A \\", "step", "1.00 s a step", "2.00 s a step", "2.00 (2.00 to 4.00)", "1.50"],
    ["Alone", "1.00 s a set", "4.00 s a set", "4.00 (4.00 to 4.00)", ""],
  ]);
});

const oneRow = `${HEADER}\n${formatRow(resultRow({ weights: "" }))}\n`;

Deno.test("updateReadme() replaces what is between the markers, and nothing a second time", async () => {
  await withFolder({ "part1.csv": oneRow }, async (results) => {
    await Deno.mkdir(join(results, "pytorch"));
    await Deno.writeTextFile(join(results, "pytorch", "a.json"), JSON.stringify(PEER));
    await Deno.mkdir(join(results, "bench"));
    await Deno.writeTextFile(
      join(results, "bench", "bench.json"),
      JSON.stringify({ comparisons: COMPARISONS }),
    );
    const readme = "# Top\n\n<!-- results:begin -->\nold\n<!-- results:end -->\n\nMiddle\n\n" +
      "<!-- speed:begin -->\n<!-- speed:end -->\n\nEnd\n";
    const updated = await updateReadme(readme, results);
    assertMatch(
      updated,
      /^# Top\n\n<!-- results:begin -->\n\n\| model .*\n\| -.*\n\| SimpleCNN .* 200\.0 \|\n\n<!-- results:end -->\n\nMiddle\n\n<!-- speed:begin -->\n\n\| what .*\n\| -.*\n(\| .*\n){2}\n<!-- speed:end -->\n\nEnd\n$/,
    );
    assertEquals(await updateReadme(updated, results), updated);
  });
});

Deno.test("updateReadme() refuses a README without markers and a damaged run of PyTorch's", async () => {
  await withFolder({ "part1.csv": oneRow }, async (results) => {
    for (
      const readme of [
        "",
        "<!-- results:begin -->\n",
        "<!-- results:end -->\n<!-- results:begin -->\n",
        "<!-- results:begin -->\n<!-- results:end -->\n".repeat(2),
        "<!-- results:begin -->\n<!-- results:end -->\n<!-- speed:begin -->\n",
      ]
    ) {
      await assertRejects(() => updateReadme(readme, results), StudyError, "each once");
    }
    await Deno.mkdir(join(results, "pytorch"));
    for (const text of ["{", "{}"]) {
      await Deno.writeTextFile(join(results, "pytorch", "b.json"), text);
      const readme = "<!-- results:begin -->\n<!-- results:end -->\n";
      await assertRejects(
        () => updateReadme(readme, results),
        StudyError,
        "b.json is not a result",
      );
    }
  });
});

Deno.test("readme --check fails with one line where the table is another", async () => {
  await withFolder({ "part1.csv": oneRow }, async (results) => {
    const readme = await Deno.readTextFile(join(repositoryRoot(), "README.md"));
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-P=report", "scripts/readme.ts", "--check", "--results", results],
      cwd: repositoryRoot(),
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 1);
    const line = new TextDecoder().decode(stderr);
    assertStringIncludes(line, `error: README.md's tables are not those of ${results}: run`);
    assertEquals(line.split("\n").length, 2);
    assertEquals(await Deno.readTextFile(join(repositoryRoot(), "README.md")), readme);
  });
});
