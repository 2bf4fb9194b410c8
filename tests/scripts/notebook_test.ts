/**
 * `study.ipynb`, its code cells run as one module with await at its top level. The kernel adds only
 * the display of what is shown, which a stand-in for `Deno.jupyter` records here.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { findLibrary } from "../../engine/library/find_library.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { silentReporter } from "../../io/reporter.ts";

interface Cell {
  cell_type: "code" | "markdown";
  id: string;
  source: string[];
  outputs?: unknown[];
  execution_count?: number | null;
}

const root = repositoryRoot();
const notebook = JSON.parse(await Deno.readTextFile(join(root, "study.ipynb")));
const cells: Cell[] = notebook.cells;
const code = cells.filter(({ cell_type }) => cell_type === "code");
const library = await findLibrary({ reporter: silentReporter });

const DISPLAY = `
const show = (type: string) => (strings: TemplateStringsArray, ...values: unknown[]) =>
  console.log(JSON.stringify({ type, text: String.raw(strings, ...values) }));
Reflect.set(Deno, "jupyter", { svg: show("svg"), md: show("md") });
`;

Deno.test("study.ipynb is for Deno's kernel, and its outputs are not kept", () => {
  const { nbformat, nbformat_minor, metadata } = notebook;
  assertEquals([nbformat, nbformat_minor, metadata.kernelspec.name], [4, 5, "deno"]);
  assertEquals(new Set(cells.map(({ id }) => id)).size, cells.length);
  for (const { outputs, execution_count } of code) {
    assertEquals([outputs, execution_count], [[], null]);
  }
});

Deno.test("study.ipynb runs from its first cell to its last", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--check", "-q", "--lock=deno.full.lock", "-P=engine", "--ext=ts", "-"],
    cwd: root,
    env: { NO_COLOR: "1", LIBTENSORFLOW_PATH: library.path },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const source = [DISPLAY, ...code.map(({ source }) => source.join(""))].join("\n;\n");
  const output = child.output();
  await new Response(source).body!.pipeTo(child.stdin);
  const { code: status, stdout, stderr } = await output;
  const decoder = new TextDecoder();
  assertEquals(status, 0, decoder.decode(stderr));
  const shown = decoder.decode(stdout).trimEnd().split("\n")
    .map((line): { type: string; text: string } => JSON.parse(line));
  assertEquals(shown.map(({ type }) => type), ["md", "svg", "svg", "md", "md", "md", "md"]);
  const [data, digits, curve, confusion, copy, alike, table] = shown.map(({ text }) => text);
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
  assertMatch(table!, /^\| Model \|[^]*SimpleCNN/);
});
