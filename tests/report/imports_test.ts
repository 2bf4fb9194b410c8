import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "node:path/posix";
import { repositoryRoot } from "../../io/cache.ts";

/** What each room of the report may import besides itself; the rest is for `compare.ts`. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  record: ["io", "metrics"],
  analysis: ["report/record", "io/weights_label.ts", "metrics", "study.ts"],
  figures: ["report/record", "report/analysis", "io", "metrics", "study.ts"],
  page: ["report/record", "report/analysis", "io", "metrics", "study.ts"],
};

/** What reads CSV, draws, renders Markdown and knows distributions. */
const PACKAGES =
  /^(node:|@std\/csv$|pure-rand\/|(lib-r-math\.js|vega|vega-interpreter|vega-lite|marked)$)/;

const root = repositoryRoot();

/** The files and packages that a file imports, types included. */
async function importsOf(file: string): Promise<string[]> {
  const source = await Deno.readTextFile(join(root, file));
  return [...source.matchAll(/(?:from "|import\("|^import ")([^"\n]+)"[;)]/gm)]
    .map(([, from]) => from!.startsWith(".") ? join(dirname(file), from!) : from!);
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(join(root, folder)));
  return entries.filter(({ isFile }) => isFile).map(({ name }) => join(folder, name)).sort();
}

Deno.test("each room of the report imports only what lies below it, and no engine", async () => {
  for (const [room, allowed] of Object.entries(ROOMS)) {
    const folder = join("report", room);
    const known = [folder, ...allowed];
    const files = await filesOf(folder);
    assert(files.length > 0);
    for (const file of files) {
      for (const from of await importsOf(file)) {
        const isKnown = known.some((one) => from === one || from.startsWith(`${one}/`));
        assert(isKnown || PACKAGES.test(from), `${file} imports ${from}`);
      }
    }
  }
});

Deno.test("metrics/ imports nothing", async () => {
  for (const file of await filesOf("metrics")) {
    assertEquals(await importsOf(file), [], file);
  }
});

Deno.test("no files of the report import each other in a circle", async () => {
  const done = new Set<string>();
  const visit = async (file: string, way: readonly string[]): Promise<void> => {
    assert(!way.includes(file), `circle: ${[...way, file].join(" -> ")}`);
    if (done.has(file)) return;
    for (const from of await importsOf(file)) {
      if (from.startsWith("report/")) await visit(from, [...way, file]);
    }
    done.add(file);
  };
  await visit("report/compare.ts", []);
  for (const room of Object.keys(ROOMS)) {
    for (const file of await filesOf(join("report", room))) await visit(file, []);
  }
});
