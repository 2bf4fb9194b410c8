import { assertEquals } from "@std/assert";
import { repositoryRoot } from "../../../io/cache.ts";
import { aggregateSeeds } from "../../../report/analysis/seed_aggregates.ts";
import { renderReadmeTable, renderSpeedTable } from "../../../report/page/readme_tables.ts";
import { isPeerRun, type PeerRun } from "../../../report/record/peer_runs.ts";
import type { ResultRow } from "../../../report/record/result_row.ts";
import { PEER, TIMINGS } from "../peers.ts";
import { resultRow } from "../result_rows.ts";

/** A model's rows, oldest first; weights as part 1 has them. */
function model(name: string, rows: readonly Partial<ResultRow>[]) {
  const runs = rows.map((changes) => resultRow({ model: name, weights: "", ...changes }));
  return { model: name, settings: aggregateSeeds(runs) };
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

Deno.test("renderSpeedTable() has the median ratio to the defaults and to the best settings", () => {
  assertEquals(body(renderSpeedTable(TIMINGS)), [
    ["A \\", "step", "1.00 s a step", "2.00 s a step", "2.00 (2.00 to 4.00)", "1.50"],
    ["Alone", "1.00 s a set", "4.00 s a set", "4.00 (4.00 to 4.00)", ""],
  ]);
});
