import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { ProblemList } from "../../../report/record/problems.ts";
import { runFolder } from "../../../report/record/run_folder.ts";
import { mcnemarExact } from "../../../report/analysis/statistics.ts";
import { drawCurve } from "../../../report/runs/curve.ts";
import { diffPage, diffRuns } from "../../../report/runs/diff_runs.ts";
import { listRuns } from "../../../report/runs/list_runs.ts";
import { readDetails, type RunDetails } from "../../../report/runs/run_details.ts";
import { showPage } from "../../../report/runs/show_page.ts";
import { type Answered, recordRun, withFolder } from "../result_rows.ts";
import { IDS, writeSomeRuns } from "./some_runs.ts";

/** The runs in a folder with their files, by their ids. */
async function detailsIn(out: string): Promise<Map<string, RunDetails>> {
  const details = new Map<string, RunDetails>();
  for (const run of await listRuns([out], new ProblemList())) {
    details.set(run.runId, await readDetails(run, new ProblemList()));
  }
  return details;
}

Deno.test("diffRuns() tells settings apart, and tests the images that both runs have", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const found = await detailsIn(out);
    const [a, b] = [found.get(IDS.ok)!, found.get(IDS.other)!];
    const { settings, metrics, pair } = diffRuns(a, b);
    assertEquals(settings.map(({ name, values }) => [name, ...values]), [
      ["test_images", "100", "60"],
      ["epochs", "10", "3"],
      ["seed", "1", "2"],
      ["commit", "0123abcd0123abcd", null],
    ]);
    // Of the first 60 images, four are wrong in one run and another one in the other.
    const { images, onlyFirst, onlySecond, p } = pair!;
    assertEquals([images, onlyFirst, onlySecond, p], [60, 1, 4, mcnemarExact(1, 4)]);
    const [accuracy] = metrics;
    assertEquals([accuracy!.name, accuracy!.values[0]], ["accuracy, %", 96]);
    assertEquals(accuracy!.intervals, [a.scores!.accuracyInterval, b.scores!.accuracyInterval]);
    const page = diffPage([a, b], diffRuns(a, b));
    assertEquals(page.slice(0, 2), [`A  ${IDS.ok}`, `B  ${IDS.other}`]);
    assertMatch(page.join("\n"), /^accuracy, % +96\.00 \(90\.16 to 98\.43\) +98\.33 .* \+2\.33$/m);
    assertEquals(
      page.at(-1),
      "McNemar's test on the 60 test images that both have: only A is right on 1, only B on 4; " +
        "p = 0.375, no more than chance",
    );
  }));

Deno.test("diffPage() says which of two runs is better by more than chance", () =>
  withFolder({}, async (out) => {
    const record = (run_id: string, isWrong: (image: number) => boolean) =>
      recordRun(out, {
        images: 100,
        answer: (target, i) => isWrong(i) ? (target + 1) % 10 : target,
        row: { run_id },
      });
    await record("worse", (image) => image < 15);
    await record("better", (image) => image === 50);
    const found = await detailsIn(out);
    const [worse, good] = [found.get("worse")!, found.get("better")!];
    // Two tails of a coin thrown 16 times: 2 · (1 + 16) / 2¹⁶.
    const told = (onlyA: number, onlyB: number, name: string) =>
      `McNemar's test on the 100 test images that both have: only A is right on ${onlyA}, only B on ` +
      `${onlyB}; p < 0.001, ${name} is better by more than chance`;
    assertEquals(diffPage([worse, good], diffRuns(worse, good)).at(-1), told(1, 15, "B"));
    assertEquals(diffPage([good, worse], diffRuns(good, worse)).at(-1), told(15, 1, "A"));
  }));

Deno.test("diffRuns() tells apart what a manifest says in parts, as showPage() writes it", () =>
  withFolder({}, async (out) => {
    const of = (run_id: string, description: string): Answered => ({
      ...{ images: 100, answer: (target) => target, row: { run_id } },
      manifest: {
        settings: { crop: [4, 4] },
        machine: { device: "GPU", adapter: { vendor: "nvidia", description } },
      },
    });
    await recordRun(out, of("a", "A100"));
    await recordRun(out, of("b", "H100"));
    const found = await detailsIn(out);
    const { settings } = diffRuns(found.get("a")!, found.get("b")!);
    assertEquals(settings, [{
      name: "machine adapter",
      values: [
        '{"vendor":"nvidia","description":"A100"}',
        '{"vendor":"nvidia","description":"H100"}',
      ],
    }]);
    assertMatch(showPage(found.get("a")!, 80).join("\n"), /^ {2}crop +\[4,4\]$/m);
  }));

Deno.test("diffRuns() tests nothing on other images, and says why", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const answer = (target: number) => target;
    const row = { run_id: "fashion", dataset: "fashion-mnist", dataset_sha256: "cd34" };
    await recordRun(out, { images: 100, answer, row });
    const found = await detailsIn(out);
    const ok = found.get(IDS.ok)!;
    const { pair, noPair } = diffRuns(ok, found.get("fashion")!);
    assertEquals([pair, noPair], [null, "they were not tested on the same images"]);
    const without = diffRuns(ok, found.get(IDS.interrupted)!);
    assertEquals([without.pair, without.noPair], [null, `${IDS.interrupted} has no predictions`]);
    const same = diffPage([ok, ok], diffRuns(ok, ok));
    assertEquals(same[3], "All settings, versions and machines are the same");
    assert(same.at(-1)!.includes("p = 1.000"));
  }));

Deno.test("showPage() shows settings, results, curve and confusion, and a killed run as it is", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const found = await detailsIn(out);
    const page = showPage(found.get(IDS.ok)!, 80).join("\n");
    assertMatch(page, /^State +ok$/m);
    assertMatch(page, /^ {2}learning_rate +0\.001$/m);
    assertMatch(page, /^ {2}command +--out somewhere --seed 1$/m);
    assertMatch(page, /^ {2}accuracy +96\.00 % \(90\.16 to 98\.43\), of 100 images$/m);
    assertMatch(page, /^ {2}F1 +0\.9600 \(0\.\d{4} to \d\.\d{4}\)$/m);
    assertMatch(page, /^ {2}training loss\n(.*\n){2,}.*┗/m);
    // Of ten zeros nine were read as zeros, one as a one.
    assertMatch(page, /^ {2}0 {2}9 {2}1( +·){8}$/m);
    const killed = showPage(found.get(IDS.killed)!, 80).join("\n");
    assertMatch(killed, /^State +killed \(after epoch 2; --resume goes on with it\)$/m);
    assertMatch(killed, /^ {2}training loss$/m);
    assertEquals(killed.includes("Confusion"), false);
  }));

Deno.test("drawCurve() keeps to its width, and draws nothing of a single point", () => {
  const points = Array.from({ length: 300 }, (_, i): [number, number] => [i + 1, 1 / (i + 1)]);
  const lines = drawCurve("loss", [...points, [301, NaN]], { digits: 4, width: 50 });
  assert(lines.length > 5);
  for (const line of lines) assert(line.length <= 50, line);
  assertMatch(lines.at(-1)!, /^ +1 +31 +61 .*271$/);
  assertEquals(drawCurve("loss", [[1, 0.5], [2, NaN]], { digits: 4, width: 50 }), []);
});

Deno.test("drawCurve() draws what it can of numbers of any size, within its width", () => {
  const sizes = [5e-324, 1, 100, 1e8, 1e20, 1e38, 1e155, 1e308, Infinity, NaN];
  for (const epoch of sizes) {
    for (const value of sizes.flatMap((size) => [size, -size])) {
      const points = [[1, 0.5], [2, 0.25], [epoch, value]] as [number, number][];
      const lines = drawCurve("loss", points, { digits: 4, width: 50 });
      assert(lines.length > 5);
      for (const line of lines) assert(line.length <= 50, line);
    }
  }
});

Deno.test("showPage() says that a trained detector's accuracy is of all images", () =>
  withFolder({}, async (out) => {
    await recordRun(out, {
      images: 100,
      answer: (target, i) => i < 10 ? -1 : target,
      row: { run_id: IDS.ok, part: 2, model: "FasterRCNN_HeadTuned", epochs: 3 },
    });
    const page = showPage((await detailsIn(out)).get(IDS.ok)!, 80).join("\n");
    assertMatch(page, /^ {2}accuracy +90\.00 % \(82\.56 to 94\.48\), of 100 images$/m);
    assertMatch(page, /^ {2}no detection +10 of 100 images$/m);
  }));

Deno.test("showPage() says of which file values were not drawn, and shows the rest", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const path = join(runFolder(out, IDS.ok), "history.csv");
    const lines = ["1,1e308,1e308,1", "2,0.3,90,1", "100000000,0,0,1e308"];
    await Deno.writeTextFile(path, ["epoch,train_loss,train_accuracy,time_s", ...lines].join("\n"));
    const page = showPage((await detailsIn(out)).get(IDS.ok)!, 80).join("\n");
    for (const title of ["training loss", "training accuracy, %"]) {
      const told = `  ${title}: 1 of 3 values not drawn, which no training has: see ${path}\n`;
      assertStringIncludes(page, told);
    }
    assertMatch(page, /^ {2}training loss\n(.*\n){2,}.*┗/m);
    assertMatch(page, /^Confusion/m);
  }));
