/** A report on folders in which anything lies where a file is expected. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { compareResults, writeReport } from "../../report/compare.ts";
import { writeFigures } from "../../report/figures/write_figures.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { appendRow, formatRow, HEADER } from "../../report/record/results.ts";
import { readHistory, runFolder, writeHistory } from "../../report/record/run_folder.ts";
import { simple, vgg16 } from "./compared_runs.ts";
import { recordRun, resultRow, withFolder } from "./result_rows.ts";

const onLinux = Deno.build.os === "linux";

/** Compares what is in a folder, draws it and writes the report, all as `compare` does. */
async function report(folder: string, format: "md" | "html" = "md") {
  const comparison = await compareResults([folder]);
  const problems = new ProblemList();
  const figures = await writeFigures(comparison, folder, {
    testImages: () => Promise.resolve(undefined),
    problems,
  });
  comparison.problems.push(...problems.list());
  const path = await writeReport(folder, comparison, { format, figures });
  return {
    comparison,
    figures: figures.map(({ file }) => file),
    text: await Deno.readTextFile(path),
    problems: comparison.problems.filter(({ file }) => !file.includes("wrong_"))
      .map(({ file, text }) => `${file}: ${text}`),
    skipped: comparison.problems.filter(({ skipped }) => skipped).map(({ file }) => file),
  };
}

/** Puts another thing in the place of a file or folder. */
async function replace(path: string, what: "pipe" | "loop" | "folder" | "device" | "file") {
  await Deno.remove(path, { recursive: true }).catch(() => {});
  if (what === "pipe") await new Deno.Command("mkfifo", { args: [path] }).output();
  if (what === "loop") await Deno.symlink(path, path);
  if (what === "device") await Deno.symlink("/dev/zero", path);
  if (what === "folder") await Deno.mkdir(path);
  if (what === "file") await Deno.writeTextFile(path, "not a folder");
}

const REASONS = {
  pipe: "a named pipe, not a regular file",
  loop: "not readable: too many levels of symbolic links",
  folder: "a folder, not a regular file",
  device: "a device, not a regular file",
} as const;

for (const [what, reason] of Object.entries(REASONS)) {
  const kind = what as keyof typeof REASONS;
  Deno.test({
    name: `the report stands with a ${what} in place of any file`,
    ignore: !onLinux,
    fn: () =>
      withFolder({}, async (folder) => {
        await recordRun(folder, simple);
        await recordRun(folder, vgg16);
        const run = runFolder(folder, "run-1");
        const files = ["manifest.json", "history.csv", "predictions.csv"];
        for (const file of files) await replace(join(run, file), kind);
        await replace(join(folder, "part2.csv"), kind);
        await Deno.mkdir(join(folder, "pytorch"));
        await replace(join(folder, "pytorch", "a.json"), kind);
        await Deno.mkdir(join(folder, "figures"));
        await replace(join(folder, "figures", ".written.json"), kind);
        const { problems, skipped, text, comparison } = await report(folder);
        const left = "figures: figures of an earlier report may be left there: ";
        assertEquals(problems.filter((problem) => !problem.startsWith(left)), [
          `part2.csv: ${reason}, file skipped`,
          ...files.map((file) => `${join("runs", "run-1", file)}: ${reason}, not used`),
          `${join("pytorch", "a.json")}: ${reason}, file skipped`,
        ]);
        assertEquals(skipped, ["part2.csv", join("pytorch", "a.json")]);
        assertStringIncludes(text, "| SimpleCNN | 0.0300 | 99.00 |");
        assertEquals(comparison.models[2]!.history.length, 8);
      }),
  });
}

for (const what of ["file", ...onLinux ? ["loop", "pipe"] as const : []] as const) {
  Deno.test(`the report stands with a ${what} in place of the folders of runs, figures and PyTorch`, async () => {
    await withFolder({}, async (folder) => {
      await recordRun(folder, simple);
      for (const name of ["runs", "figures", "pytorch"]) await replace(join(folder, name), what);
      const { problems, figures, text } = await report(folder);
      assertEquals(figures, []);
      assertStringIncludes(
        problems[0]!,
        `${join("runs", "run-1")}: the run folder of SimpleCNN cannot be read (`,
      );
      assertStringIncludes(problems[1]!, "pytorch: not readable: ");
      assert(
        problems.some((problem) =>
          problem.startsWith("figures/accuracy_against_time.svg: not drawn: ")
        ),
      );
      assertStringIncludes(text, "| SimpleCNN | 0.0300 | 99.00 |");
    });
  });
}

Deno.test("a figure that cannot be written leaves the others", async () => {
  await withFolder({}, async (folder) => {
    await recordRun(folder, simple);
    await Deno.mkdir(join(folder, "figures", "f1_per_class.svg"), { recursive: true });
    const { problems, figures } = await report(folder, "html");
    assertEquals(problems.map((problem) => problem.split(": ").slice(0, 2).join(": ")), [
      "figures/f1_per_class.svg: not drawn",
    ]);
    assertEquals(figures, [
      "figures/learning_curves.svg",
      "figures/accuracy_against_time.svg",
      "figures/confusion_SimpleCNN.svg",
    ]);
  });
});

Deno.test("a report that cannot be written says where and what to do", async () => {
  await withFolder({}, async (folder) => {
    await recordRun(folder, simple);
    const path = join(folder, "report.md");
    await Deno.mkdir(path);
    const error = await assertRejects(() => report(folder), StudyError);
    assertStringIncludes(error.message, `Cannot write the report to ${path} (`);
    assertStringIncludes(error.message, "choose another folder with --out");
    // The system's own words, and no half of a message about the same file.
    const reason = error.message.slice(`Cannot write the report to ${path} (`.length);
    assertMatch(reason, /^[^()/]+\): choose another folder with --out$/);
  });
});

Deno.test("models may be named as JavaScript's own properties are", async () => {
  const names = ["constructor", "toString", "hasOwnProperty", "__proto__", "valueOf"];
  await withFolder({}, async (folder) => {
    for (const [i, model] of names.entries()) {
      const row = { model, run_id: `run-${i}`, dataset: model, device: model };
      await recordRun(folder, { ...simple, row: { ...row, inference_ms_per_image: 2 } });
    }
    const { problems, figures, text } = await report(folder, "html");
    assertEquals(problems, []);
    assertEquals(figures.length, 4 + names.length);
    for (const name of names) assertStringIncludes(text, name);
  });
});

Deno.test("a run_id of 300 letters and a name of 10 MB are cut, and noted", async () => {
  const rows = [
    resultRow({ model: "x".repeat(10_000_000), accuracy: 50 }),
    resultRow({ run_id: "r".repeat(300) }),
    resultRow({ model: "[".repeat(10_000_000), run_id: "y" }),
  ];
  const csv = [HEADER, ...rows.map(formatRow), ""].join("\n");
  await withFolder({ "part1.csv": csv }, async (folder) => {
    const { problems, text } = await report(folder, "html");
    for (const column of ["model", "run_id"]) {
      assert(problems.includes(`part1.csv: ${column} has more than 200 characters, cut`));
    }
    assert(text.length < 1_000_000, `${text.length}`);
    assertStringIncludes(text, "<td>SimpleCNN");
  });
});

Deno.test("no control or direction character of a file reaches the report", async () => {
  const bad = "a\u202eb\u001b[31mc\u0007d\u200be\u009f";
  const row = { model: bad, dataset: bad, device: bad, weights: bad, precision: bad, error: bad };
  await withFolder({}, async (folder) => {
    await recordRun(folder, {
      ...simple,
      row,
      manifest: {
        machine: { processor: bad, os: bad, device: bad, cores: 2 },
        versions: { deno: bad, tfjs: bad, tensorflow: bad },
        settings: { command: [bad, "--out", bad] },
        git: { commit: bad, clean: false },
      },
    });
    await appendRow(folder, resultRow({ ...row, run_id: bad, status: "error", error: bad }));
    const path = join(folder, "part1.csv");
    await Deno.writeTextFile(path, `run_id,model,status,${bad}\n1,${bad},${bad},\n`, {
      append: true,
    });
    await Deno.writeTextFile(join(folder, `part${bad}.csv`), "");
    for (const format of ["md", "html"] as const) {
      const { text } = await report(folder, format);
      assertEquals(text.match(/[^\P{C}\n]/gu), null);
    }
  });
});

Deno.test("of a long history evenly spaced epochs are kept, the first and the last too", async () => {
  const history = Array.from(
    { length: 5000 },
    (_, i) => ({ epoch: i + 1, train_loss: 1, train_accuracy: 90, time_s: 1 }),
  );
  await withFolder({}, async (folder) => {
    await recordRun(folder, simple);
    const run = runFolder(folder, "run-1");
    await writeHistory(run, history);
    assertEquals(await readHistory(run), history);
    const kept = (await readHistory(run, { most: 1000 })).map(({ epoch }) => epoch);
    assertEquals([kept.length, kept[0], kept[1], kept.at(-1)], [626, 1, 9, 5000]);
    const { problems, text } = await report(folder);
    assertEquals(problems, [
      `${join("runs", "run-1", "history.csv")}: more than 1000 epochs, of which some are shown`,
    ]);
    assertStringIncludes(text, "in epoch 1 to 90.00 % in 5000");
  });
});
