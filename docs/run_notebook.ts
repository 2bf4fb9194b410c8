/**
 * Runs `study.ipynb` from its first cell to its last and keeps what the cells show, so that it can be
 * read where nothing is run: `deno task notebook`.
 *
 * The cells run as one module with await at its top level, in a process of their own. What Deno's
 * Jupyter kernel adds to that is the display: it shows the value of a cell's last expression, which in
 * this notebook is a `Deno.jupyter` template or nothing.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { repositoryRoot } from "../io/cache.ts";
import { StudyError } from "../io/errors.ts";
import { readCommandLine } from "../io/help_text.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { createReporter } from "../io/reporter.ts";
import { runScript } from "../io/run_script.ts";

const FLAGS = {
  check: { kind: "boolean", help: "write nothing; fail if the notebook's outputs are other ones" },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

/** The tag of cells whose results are another machine's or another second's: only their form is compared. */
export const MEASURED = "measured";

/** What Jupyter's kinds of output are called where the notebook shows them. */
const MIME_TYPES: Readonly<Record<string, string>> = {
  md: "text/markdown",
  svg: "image/svg+xml",
};

/** A cell of a notebook, as far as it matters here. */
export interface Cell {
  cell_type: "code" | "markdown";
  id: string;
  metadata: { tags?: string[] };
  source: string[];
  execution_count?: number | null;
  outputs?: Output[];
}

/** What the last expression of a cell showed. */
export interface Output {
  output_type: "execute_result";
  execution_count: number;
  /** Lines by their MIME type. */
  data: Record<string, string[]>;
  metadata: Record<string, never>;
}

/** A notebook of nbformat 4.5. */
export interface Notebook {
  cells: Cell[];
  metadata: {
    kernelspec: { name: string };
    /** SHA-256 of the code that the outputs are of. */
    outputs_of?: string;
    [name: string]: unknown;
  };
  nbformat: number;
  nbformat_minor: number;
}

/** Path of the notebook that the repository has. */
export function notebookPath(): string {
  return join(repositoryRoot(), "study.ipynb");
}

/** What tells one notebook's code from another's. */
export function codeHash({ cells }: Notebook): string {
  const code = codeCells(cells).map(({ source }) => source.join(""));
  return createHash("sha256").update(JSON.stringify(code)).digest("hex");
}

function codeCells(cells: readonly Cell[]): Cell[] {
  return cells.filter(({ cell_type }) => cell_type === "code");
}

/** Stands in for the kernel's display: a line on standard output for each thing shown. */
const DISPLAY = `
const shownAs = (type: string) => (strings: TemplateStringsArray, ...values: unknown[]) =>
  console.log(JSON.stringify({ cell: Reflect.get(globalThis, "cell"), type, text: String.raw(strings, ...values) }));
Reflect.set(Deno, "jupyter", { svg: shownAs("svg"), md: shownAs("md") });
`;

/**
 * Runs a notebook's code cells.
 *
 * @param env Added to the environment that they run in.
 * @returns The same notebook with what they showed.
 * @throws {StudyError} If a cell fails, or shows something that a kernel would not.
 */
export async function runNotebook(
  notebook: Notebook,
  env: Readonly<Record<string, string>> = {},
): Promise<Notebook> {
  const code = codeCells(notebook.cells);
  for (const cell of code) checkDisplay(cell);
  const module = code.map(({ source }, i) =>
    `Reflect.set(globalThis, "cell", ${i});\n${source.join("")}\n`
  );
  const shown = await runModule([DISPLAY, ...module].join(";\n"), env);
  const outputs = code.map((_, i): Output[] =>
    shown.filter(({ cell }) => cell === i).map(({ type, text }) => ({
      output_type: "execute_result",
      execution_count: i + 1,
      data: { [MIME_TYPES[type]!]: text.match(/[^\n]*\n|[^\n]+$/g) ?? [] },
      metadata: {},
    }))
  );
  return {
    ...notebook,
    cells: notebook.cells.map((cell) => {
      const i = code.indexOf(cell);
      return i < 0 ? cell : { ...cell, execution_count: i + 1, outputs: outputs[i]! };
    }),
    metadata: { ...notebook.metadata, outputs_of: codeHash(notebook) },
  };
}

/** A kernel shows the last expression alone, so a cell may show one thing and has to end with it. */
function checkDisplay({ id, source }: Cell): void {
  const text = source.join("").trimEnd();
  const shows = [...text.matchAll(/Deno\.jupyter\./g)].length;
  if (shows === 0 || shows === 1 && /^Deno\.jupyter\.\w+`/m.test(text) && text.endsWith("`;")) {
    return;
  }
  throw new StudyError(`${id} of the notebook must end with what it shows, and show one thing`);
}

interface Shown {
  cell: number;
  type: string;
  text: string;
}

async function runModule(source: string, env: Readonly<Record<string, string>>): Promise<Shown[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--check", "-q", "--lock=deno.full.lock", "-P=engine", "--ext=ts", "-"],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  // The child may end before it has read all: its own words say why.
  await new Response(source).body!.pipeTo(child.stdin).catch(() => {});
  const { success, stdout, stderr } = await output;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new StudyError(`The notebook fails: ${text(stderr).trim()}`);
  return text(stdout).trimEnd().split("\n").map((line): Shown => {
    if (line.startsWith('{"cell":')) return JSON.parse(line);
    throw new StudyError(`The notebook prints something besides what it shows: ${line}`);
  });
}

/**
 * How a notebook's outputs differ from those of another run of it, a phrase each. Of a cell that is
 * tagged {@linkcode MEASURED} only the form is compared: kinds of output, and how many lines of text.
 */
export function outputDifferences(kept: Notebook, run: Notebook): string[] {
  if (kept.metadata.outputs_of !== codeHash(kept)) return ["they are of other code"];
  return kept.cells.flatMap((cell, i) => {
    const other = run.cells[i];
    const form = cell.metadata.tags?.includes(MEASURED) ? formOf : JSON.stringify;
    return form(cell.outputs) === form(other?.outputs) ? [] : [`${cell.id} shows something else`];
  });
}

function formOf(outputs: readonly Output[] | undefined): string {
  return JSON.stringify(
    outputs?.map(({ data }) =>
      Object.entries(data).map(([type, lines]) =>
        type === MIME_TYPES.md ? [type, lines.length] : type
      )
    ),
  );
}

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task notebook [flags]",
    description: "Runs study.ipynb and keeps what its cells show. Takes about a minute.",
    table: FLAGS,
    examples: ["deno task notebook", "deno task notebook --check"],
  });
  if (flags === undefined) return;
  const kept: Notebook = JSON.parse(await Deno.readTextFile(notebookPath()));
  const reporter = createReporter();
  reporter.line("Running the cells of study.ipynb");
  const run = await runNotebook(kept);
  if (flags.check) {
    const differences = outputDifferences(kept, run);
    if (differences.length > 0) {
      throw new StudyError(
        `The outputs in study.ipynb are not those of its cells (${differences.join("; ")}): run ` +
          '"deno task notebook"',
      );
    }
    return reporter.line("The outputs in study.ipynb are those of its cells");
  }
  await writeFileAtomic(notebookPath(), `${JSON.stringify(run, null, 1)}\n`);
  reporter.line("study.ipynb has the outputs of this run");
}

if (import.meta.main) await runScript(main);
