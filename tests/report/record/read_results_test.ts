import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { ProblemList } from "../../../report/record/problems.ts";
import { formatRow, HEADER, readResults } from "../../../report/record/results.ts";
import { resultRow, withFolder } from "../result_rows.ts";

const ROWS = [
  resultRow({ test_loss: 0.0224, training_time_s: 143.84 }),
  resultRow({ run_id: "b", training_time_s: "N/A (Error)", weight_decay: null, error: "a, b" }),
];

const WRITTEN = [HEADER, ...ROWS.map(formatRow), ""].join("\n");

/** The same table with other separators; the one text with a comma in it stays as it is. */
function separatedBy(separator: string, text = WRITTEN): string {
  return text.replaceAll('"a, b"', "\0").replaceAll(",", separator).replaceAll("\0", '"a, b"');
}

/** As a spreadsheet writes it where the comma is for decimals. */
const DECIMAL_COMMAS = separatedBy(";").replace(/(?<=;)(\d+)\.(\d+)(?=;)/g, "$1,$2");

/** UTF-16 with the lower byte first. */
function utf16(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint16Array.from(text, (_, i) => text.charCodeAt(i)).buffer);
}

function swapped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.map((_, i) => bytes[i ^ 1]!);
}

async function read(content: string | Uint8Array) {
  const problems = new ProblemList();
  let rows: Awaited<ReturnType<typeof readResults>> = [];
  await withFolder({ "part1.csv": content }, async (folder) => {
    rows = await readResults(join(folder, "part1.csv"), problems);
  });
  return {
    rows: rows.map(({ row }) => row),
    lines: rows.map(({ line }) => line),
    problems: problems.list().map(({ text, lines }) => [text, ...lines].join(" ")),
    skipped: problems.list().filter(({ skipped }) => skipped).length,
  };
}

const FORMS: Record<string, { content: string | Uint8Array; with: string; lines?: number[] }> = {
  "semicolons": { content: separatedBy(";"), with: "semicolons between the columns" },
  "tabs": { content: separatedBy("\t"), with: "tabs between the columns" },
  "bars": { content: separatedBy("|"), with: "vertical bars between the columns" },
  "sep=": {
    content: `\uFEFFsep=;\r\n${separatedBy(";").replaceAll("\n", "\r\n")}`,
    with: "semicolons between the columns",
    lines: [3, 4],
  },
  "decimal commas": {
    content: DECIMAL_COMMAS,
    with: "semicolons between the columns and decimal commas",
  },
  "decimal commas in quotes": {
    content: WRITTEN.replace(/(?<=,)(\d+)\.(\d+)(?=,)/g, '"$1,$2"'),
    with: "decimal commas",
  },
  "UTF-16 with a mark": { content: utf16(`\uFEFF${WRITTEN}`), with: "UTF-16 for UTF-8" },
  "UTF-16, high byte first, without a mark": {
    content: swapped(utf16(WRITTEN)),
    with: "UTF-16 for UTF-8",
  },
  "UTF-16 with tabs": {
    content: utf16(`\uFEFF${separatedBy("\t")}`),
    with: "UTF-16 for UTF-8 and tabs between the columns",
  },
};

for (const [form, { content, with: oddity, lines }] of Object.entries(FORMS)) {
  Deno.test(`readResults() reads a file saved with ${form}, and says so`, async () => {
    const found = await read(content);
    assertEquals(found.rows, ROWS);
    assertEquals(found.problems, [`read with ${oddity}`]);
    assertEquals(found.lines, lines ?? [2, 3]);
  });
}

Deno.test("readResults() takes no comma for decimals where it could part thousands", async () => {
  const counts = separatedBy(";").replace(";60000;", ";60,000;");
  const { problems, rows } = await read(counts);
  assertEquals(problems, [
    "read with semicolons between the columns",
    "train_images is not a number 2",
  ]);
  assertEquals(rows[0]!.test_loss, 0.0224);
});

Deno.test("readResults() names a separator that it does not read", async () => {
  for (const separator of [":", " ", "^"]) {
    const { problems, rows, skipped } = await read(separatedBy(separator));
    assertEquals(problems, [
      `its columns are separated by ${JSON.stringify(separator)}, not by commas, file skipped`,
    ]);
    assertEquals([rows.length, skipped], [0, 1]);
  }
});

Deno.test("readResults() passes over the empty lines of a spreadsheet", async () => {
  const { problems, rows } = await read(`${separatedBy(";")}${";".repeat(25)}\n`);
  assertEquals(problems, ["read with semicolons between the columns"]);
  assertEquals(rows.length, 2);
  for (const empty of [",".repeat(25), ",,,,,", '"",""', `${",".repeat(25)} `]) {
    const found = await read(`${WRITTEN}${empty}\n`);
    assertEquals([found.rows, found.problems, found.skipped], [ROWS, [], 0]);
  }
});

Deno.test("readResults() notes a line of decimal commas among commas as damaged", async () => {
  const { problems, skipped } = await read(WRITTEN.replace("0.0224", "0,0224"));
  assertEquals(problems, ["incomplete or damaged line, skipped 2"]);
  assertEquals(skipped, 1);
});

Deno.test("readResults() cuts names and messages that are too long", async () => {
  const long = resultRow({ model: "m".repeat(10_000_000), error: "e".repeat(3000) });
  const { problems, rows: [row] } = await read([HEADER, formatRow(long), ""].join("\n"));
  assertEquals(problems, [
    "model has more than 200 characters, cut 2",
    "error has more than 2000 characters, cut 2",
  ]);
  assertEquals(row!.model, `${"m".repeat(199)}…`);
});
