import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parse } from "@std/csv";
import { join } from "node:path";
import { repositoryRoot } from "../../../io/cache.ts";
import { StudyError } from "../../../io/errors.ts";
import { csvRecords } from "../../../report/record/csv_records.ts";
import { ProblemList } from "../../../report/record/problems.ts";
import {
  appendRow,
  checkResultsFile,
  formatRow,
  HEADER,
  readResults,
  resultsPath,
} from "../../../report/record/results.ts";
import { resultRow, withFolder } from "../result_rows.ts";

/** Rows of a file that is expected to be without problems. */
async function rowsOf(path: string) {
  const problems = new ProblemList();
  const rows = await readResults(path, problems);
  assertEquals(problems.list(), []);
  return rows.map(({ row }) => row);
}

Deno.test("HEADER is the contract's", () => {
  assertEquals(
    HEADER,
    "run_id,started_at,part,model,status,test_loss,accuracy,f1,training_time_s," +
      "inference_ms_per_image,evaluated_images,test_images,train_images,epochs,batch_size," +
      "learning_rate,weight_decay,seed,dataset,dataset_sha256,weights,weights_sha256,backend," +
      "device,precision,error",
  );
});

Deno.test("formatRow() writes numbers short, nothing for null, and text on one line", () => {
  const row = resultRow({
    accuracy: 100 * 0.9927, // 99.27000000000001
    test_loss: 1e-7,
    f1: NaN,
    training_time_s: "N/A (Error)",
    seed: 4294967295,
    error: 'two\r\nlines, and "quotes"',
  });
  assertEquals(
    formatRow(row),
    "run-1,2026-01-01T10:00:00.000Z,1,SimpleCNN,ok,1e-7,99.27,NaN,N/A (Error),,10000,10000,60000," +
      "10,128,0.001,0.0001,4294967295,mnist,ab12,random,,tensorflow,cpu,float32," +
      '"two lines, and ""quotes"""',
  );
});

Deno.test("appendRow() makes folder and header once and keeps every row", async () => {
  await withFolder({}, async (folder) => {
    const out = join(folder, "not", "yet");
    const rows = [
      resultRow(),
      resultRow({ run_id: "run-2", status: "error", test_loss: NaN, error: "out of memory, x" }),
      resultRow({ run_id: "run-3", training_time_s: "N/A (Error)", accuracy: null }),
    ];
    for (const row of rows) await appendRow(out, row);
    const text = await Deno.readTextFile(join(out, "part1.csv"));
    assertEquals(text, [HEADER, ...rows.map(formatRow), ""].join("\n"));
    assertEquals(await rowsOf(join(out, "part1.csv")), rows);
    const names = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
    assertEquals(names, [".lock", "part1.csv"]);
  });
});

Deno.test("appendRow() writes each part to its own file", async () => {
  await withFolder({}, async (folder) => {
    await appendRow(folder, resultRow({ part: 2, model: "FasterRCNN_Adapted" }));
    await appendRow(folder, resultRow({ part: 4, model: "vgg16_FineTuned" }));
    assertEquals((await rowsOf(resultsPath(folder, 2)))[0]!.model, "FasterRCNN_Adapted");
    assertEquals((await rowsOf(resultsPath(folder, 4)))[0]!.model, "vgg16_FineTuned");
    assertThrows(() => resultsPath(folder, 1.5), RangeError, "current value is 1.5");
  });
});

Deno.test("appendRow() loses no row when processes and calls write at once", async () => {
  await withFolder({}, async (folder) => {
    const appendFive = (who: string) =>
      `import { appendRow } from "./report/record/results.ts";
       import { resultRow } from "./tests/report/result_rows.ts";
       await Promise.all([1, 2, 3, 4, 5].map((i) =>
         appendRow(${JSON.stringify(folder)}, resultRow({ run_id: "${who}-" + i }))));`;
    const children = ["a", "b", "c"].map((who) =>
      new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-lock", appendFive(who)],
        cwd: repositoryRoot(),
        stdout: "null",
      }).output()
    );
    for (const { success, stderr } of await Promise.all(children)) {
      assert(success, new TextDecoder().decode(stderr));
    }
    const ids = (await rowsOf(join(folder, "part1.csv"))).map(({ run_id }) => run_id).sort();
    assertEquals(ids, ["a", "b", "c"].flatMap((who) => [1, 2, 3, 4, 5].map((i) => `${who}-${i}`)));
  });
});

Deno.test("appendRow() leaves a file with another header alone", async () => {
  const older = HEADER.replace(",precision", "");
  for (
    const content of [
      "Model,Test Loss\nSimpleCNN,0.02\n",
      older + "\n",
      `${HEADER}\n${formatRow(resultRow())}\n${older}\n`,
      HEADER.slice(0, 30),
      "<!doctype html>",
    ]
  ) {
    await withFolder({ "part1.csv": content }, async (folder) => {
      const path = join(folder, "part1.csv");
      for (
        const attempt of [() => appendRow(folder, resultRow()), () => checkResultsFile(folder, 1)]
      ) {
        const error = await assertRejects(attempt, StudyError);
        assertEquals(
          error.message,
          `${path} has another header than this version writes: move it to another folder ` +
            "(compare reads it there with --results) or choose another folder with --out",
        );
      }
      assertEquals(await Deno.readTextFile(path), content);
    });
  }
});

Deno.test("appendRow() adds nothing to a file that a spreadsheet saved, and says how to save it", async () => {
  const semicolons = [HEADER, formatRow(resultRow())].join("\n").replaceAll(",", ";");
  await withFolder({ "part1.csv": semicolons }, async (folder) => {
    const path = join(folder, "part1.csv");
    await assertRejects(
      () => appendRow(folder, resultRow({ run_id: "b" })),
      StudyError,
      `${path} was saved with semicolons between the columns: save it with commas`,
    );
    assertEquals(await Deno.readTextFile(path), semicolons);
  });
});

Deno.test("appendRow() follows the last header of a file", async () => {
  const older = HEADER.replace(",precision", "");
  await withFolder({ "part1.csv": `${older}\n\n${HEADER}\n` }, async (folder) => {
    await appendRow(folder, resultRow());
    const rows = await readResults(join(folder, "part1.csv"), new ProblemList());
    assertEquals(rows, [{ row: resultRow(), file: "part1.csv", line: 4 }]);
  });
});

Deno.test("appendRow() keeps a half-written last line and starts a new one", async () => {
  const whole = formatRow(resultRow());
  for (const half of [whole.slice(0, 50), `run-x,2026,1,SimpleCNN,error,"a quote that`]) {
    const before = `${HEADER}\n${whole}\n${half}`;
    await withFolder({ "part1.csv": before }, async (folder) => {
      const added = resultRow({ run_id: "run-2", error: 'says "no", twice' });
      await appendRow(folder, added);
      const path = join(folder, "part1.csv");
      assertEquals(await Deno.readTextFile(path), `${before}\n${formatRow(added)}\n`);
      const problems = new ProblemList();
      const rows = await readResults(path, problems);
      assertEquals(rows.map(({ row }) => row), [resultRow(), added]);
      assertEquals(problems.list(), [{
        file: "part1.csv",
        text: "incomplete or damaged line, skipped",
        lines: [3],
        count: 1,
        skipped: true,
      }]);
    });
  }
});

Deno.test("appendRow() completes a whole last line that only lacks its newline", async () => {
  await withFolder({ "part1.csv": `${HEADER}\n${formatRow(resultRow())}` }, async (folder) => {
    await appendRow(folder, resultRow({ run_id: "run-2" }));
    const rows = await rowsOf(join(folder, "part1.csv"));
    assertEquals(rows.map(({ run_id }) => run_id), ["run-1", "run-2"]);
  });
});

Deno.test("appendRow() accepts an empty file, a byte order mark, CRLF and quoted headers", async () => {
  const quoted = HEADER.split(",").map((name) => `"${name}"`).join(",");
  for (const start of ["", "\n", "\uFEFF", `\uFEFF${HEADER}\r\n`, HEADER, `${quoted}\n`]) {
    await withFolder({ "part1.csv": start }, async (folder) => {
      await checkResultsFile(folder, 1);
      await appendRow(folder, resultRow());
      await appendRow(folder, resultRow({ run_id: "run-2" }));
      const rows = await rowsOf(join(folder, "part1.csv"));
      assertEquals(rows.map(({ run_id }) => run_id), ["run-1", "run-2"]);
      const text = await Deno.readTextFile(join(folder, "part1.csv"));
      assert(text.startsWith(start));
    });
  }
});

Deno.test("appendRow() keeps bytes that are not UTF-8", async () => {
  const start = new TextEncoder().encode(`${HEADER}\nrun-0,`);
  await withFolder({ "part1.csv": new Uint8Array([...start, 0xe9, 0xff]) }, async (folder) => {
    await appendRow(folder, resultRow());
    const bytes = await Deno.readFile(join(folder, "part1.csv"));
    assertEquals([...bytes.subarray(start.length, start.length + 3)], [0xe9, 0xff, 0x0a]);
  });
});

Deno.test("appendRow() takes the place of its run's interrupted or failed row", async () => {
  const other = formatRow(resultRow({ run_id: "run-2", status: "interrupted", f1: null }));
  const sibling = formatRow(resultRow({ model: "another", status: "error" }));
  const older = HEADER.replace(",precision", "");
  for (const status of ["interrupted", "error"] as const) {
    const mine = formatRow(resultRow({ status, test_loss: NaN, error: "stopped, alas" }));
    const olderRow = mine.replace(",float32,", ",");
    for (
      const [before, after] of [
        [`${HEADER}\n${mine}\n`, `${HEADER}\n`],
        [`${HEADER}\n${mine}`, `${HEADER}\n`],
        [
          `\uFEFF${HEADER}\r\n${other}\r\n\r\n${mine}\r\n${sibling}\r\nhalf,"é\n`,
          `\uFEFF${HEADER}\r\n${other}\r\n\r\n${sibling}\r\nhalf,"é\n`,
        ],
        [`${HEADER}\n${mine.replace("alas", "\nalas")}\n${other}\n`, `${HEADER}\n${other}\n`],
        [`${older}\n${olderRow}\n\n${HEADER}\n${mine}\n`, `${older}\n\n${HEADER}\n`],
        // A row cut short, or under a header that is not its own, is none to be recognised.
        [`${HEADER}\n${olderRow}\n`, `${HEADER}\n${olderRow}\n`],
      ] as const
    ) {
      await withFolder({ "part1.csv": before }, async (folder) => {
        await appendRow(folder, resultRow());
        const text = await Deno.readFile(join(folder, "part1.csv"));
        const expected = `${after}${formatRow(resultRow())}\n`;
        assertEquals(text, new TextEncoder().encode(expected), new TextDecoder().decode(text));
      });
    }
  }
});

Deno.test("appendRow() replaces no row that is ok, and none without a run", async () => {
  for (const row of [resultRow(), resultRow({ run_id: "", status: "error" })]) {
    await withFolder({}, async (folder) => {
      await appendRow(folder, row);
      await appendRow(folder, row);
      assertEquals(await rowsOf(join(folder, "part1.csv")), [row, row]);
    });
  }
});

Deno.test("checkResultsFile() says of a folder that cannot be written to what to do", async () => {
  await withFolder({ "file": "" }, async (folder) => {
    for (const out of [join(folder, "file"), join(folder, "file", "inner")]) {
      const error = await assertRejects(() => checkResultsFile(out, 1), StudyError);
      assertEquals(
        error.message.replace(/\(.*\)/, "(…)"),
        `Cannot write results to ${out} (…): choose another folder with --out`,
      );
    }
  });
});

Deno.test("checkResultsFile() accepts a folder that is not there", async () => {
  await withFolder({}, (folder) => checkResultsFile(join(folder, "none"), 1));
});

Deno.test("csvRecords() reads a line with quotes as @std/csv does", () => {
  const marks = ["a", '"', ",", " ", '""', "b"];
  let state = 1;
  const next = (below: number) => (state = (state * 48271) % 0x7fffffff) % below;
  let sound = 0;
  for (let i = 0; i < 3000; i++) {
    const text = Array.from({ length: 1 + next(8) }, () => marks[next(marks.length)]).join("");
    let expected: string[] | null = null;
    try {
      expected = parse(text)[0]!;
      sound++;
    } catch (error) {
      assert(error instanceof SyntaxError);
    }
    const [record] = csvRecords(text);
    assertEquals(record?.cells, expected, text);
  }
  assert(sound > 500, `${sound}`);
});

Deno.test("csvRecords() joins quoted line breaks and goes on after a quote never closed", () => {
  const read = (text: string) => [...csvRecords(text)].map(({ line, cells }) => [line, cells]);
  assertEquals(read('a,b\n1,"x\ny"\n3,4\n'), [[1, ["a", "b"]], [2, ["1", "x\ny"]], [4, [
    "3",
    "4",
  ]]]);
  assertEquals(read('a,b\n1,"x\n3,4\n5,"y, z"'), [
    [1, ["a", "b"]],
    [2, null],
    [3, ["3", "4"]],
    [4, ["5", "y, z"]],
  ]);
  assertEquals(read('a,b\r\n\r\n1,"x'), [[1, ["a", "b"]], [3, null]]);
  assertEquals(read("\uFEFFa\n"), [[1, ["a"]]]);
  assertEquals(read(""), []);
});
