/** `study.ipynb`: its outputs are those of its cells, and its cells still run. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  codeHash,
  MEASURED,
  type Notebook,
  notebookPath,
  outputDifferences,
  runNotebook,
} from "../../docs/run_notebook.ts";
import { findLibrary } from "../../engine/library/find_library.ts";
import { StudyError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";

const notebook: Notebook = JSON.parse(await Deno.readTextFile(notebookPath()));
const code = notebook.cells.filter(({ cell_type }) => cell_type === "code");
const library = await findLibrary({ reporter: silentReporter });

/** A notebook of these code cells, in which the first is tagged as measured. */
function notebookOf(...sources: string[]): Notebook {
  return {
    ...notebook,
    cells: sources.map((source, i) => ({
      cell_type: "code",
      id: `c${i}`,
      metadata: i === 0 ? { tags: [MEASURED] } : {},
      source: [source],
    })),
  };
}

Deno.test("study.ipynb is for Deno's kernel, and its outputs are kept, of the code that it has", () => {
  const { nbformat, nbformat_minor, metadata, cells } = notebook;
  assertEquals([nbformat, nbformat_minor, metadata.kernelspec.name], [4, 5, "deno"]);
  assertEquals(new Set(cells.map(({ id }) => id)).size, cells.length);
  assertEquals(code.map(({ execution_count }) => execution_count), code.map((_, i) => i + 1));
  assertEquals(code.map(({ outputs }) => outputs?.length), [1, 1, 1, 1, 1, 1, 1, 1, 0]);
  assertEquals(metadata.outputs_of, codeHash(notebook));
});

Deno.test("study.ipynb runs from its first cell to its last, and shows what is kept of it", async () => {
  const run = await runNotebook(notebook, { LIBTENSORFLOW_PATH: library.path });
  assertEquals(outputDifferences(notebook, run), []);
  const shown = run.cells.flatMap(({ outputs }) => outputs ?? [])
    .flatMap(({ data }) => Object.entries(data).map(([type, lines]) => ({ type, lines })));
  const [data, digits, curve, confusion, copy, alike, answers, table] = shown
    .map(({ lines }) => lines.join(""));
  assertEquals(shown.map(({ type }) => type.replace(/^.*\/|\+xml$/g, "")), [
    "markdown",
    "svg",
    "svg",
    ...Array(5).fill("markdown"),
  ]);
  assertMatch(data!, /^libtensorflow [^]*2000 digits to train on, 1000 to test$/);
  assertMatch(digits!, /^<svg [^]*<rect [^]*<\/svg>$/);
  assertMatch(curve!, /^<svg [^]*training accuracy[^]*<\/svg>\n$/);
  const [, accuracy] = /\*\*([\d.]+) %\*\* of 1000 test digits/.exec(confusion!) ?? [];
  assert(Number(accuracy) > 85, `${accuracy} %`);
  const [read, , truth] = copy!.trim().split("\n").map((row) => row.match(/(?<=\| )\d/g));
  assertEquals([read!.length, truth!.length], [10, 10]);
  assert(read!.filter((digit, i) => digit === truth![i]).length >= 7, copy);
  const [, same] = /\*\*(\d+) of 96\*\* digits/.exec(alike!) ?? [];
  assert(Number(same) > 30, alike); // One in ten would be chance.
  assertMatch(answers!, /\*\*7, 4, -1\*\*/);
  assertMatch(table!, /^\| Model \|[^]*SimpleCNN/);
});

Deno.test("outputs that a run does not give are told, but for numbers that are measured", async () => {
  const show = (text: string) => `Deno.jupyter.md\`${text}\`;`;
  const before = await runNotebook(notebookOf(show("1 s"), show("one"), "const a: number = 1;"));
  assertEquals(before.cells.map(({ outputs }) => outputs?.map(({ data }) => data)), [
    [{ "text/markdown": ["1 s"] }],
    [{ "text/markdown": ["one"] }],
    [],
  ]);
  const slower = structuredClone(before);
  slower.cells[0]!.outputs![0]!.data = { "text/markdown": ["2 s"] };
  assertEquals(outputDifferences(before, slower), []);
  const other = structuredClone(before);
  other.cells[1]!.outputs![0]!.data = { "text/markdown": ["two"] };
  assertEquals(outputDifferences(before, other), ["c1 shows something else"]);
  const edited = structuredClone(before);
  edited.cells[0]!.source = [show("2 s")];
  assertEquals(outputDifferences(edited, before), ["they are of other code"]);
});

Deno.test("a cell that fails, prints, or shows what a kernel would not is an error", async () => {
  const wrong = {
    'throw new TypeError("no");': "The notebook fails: ",
    'console.log("x");': "prints something besides what it shows: x",
    "Deno.jupyter.md`a`;\nconst b = 1;": "c0 of the notebook must end with what it shows",
    "Deno.jupyter.md`a`;\nDeno.jupyter.md`b`;": "c0 of the notebook must end with what it shows",
  };
  for (const [source, message] of Object.entries(wrong)) {
    await assertRejects(() => runNotebook(notebookOf(source)), StudyError, message);
  }
});
