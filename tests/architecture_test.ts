/** The rooms of docs/architecture.md, held to by what the files import and what the tasks run. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path/posix";
import { roomOf } from "../docs/imports.ts";
import { repositoryRoot } from "../io/cache.ts";
import { IMPORTS, SOURCES } from "./source.ts";
import { TASKS } from "./task.ts";

/** What every room above the engine may use. */
const FOUNDATION = ["metrics/", "io/", "study.ts"];

/**
 * What a room may import from besides itself, as beginnings of paths. A room that is no key is a
 * file or folder that imports nothing of the suite.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "mod.ts": [
    ...["inference/", "training/", "models/", "data/", "engine/", "report/record/"],
    ...FOUNDATION,
  ],
  scripts: [
    "draw/",
    "experiment/",
    "inference/",
    "training/",
    "models/",
    "data/",
    "engine/",
    "report/",
    ...FOUNDATION,
  ],
  draw: ["inference/", "data/", "engine/", "report/record/", ...FOUNDATION],
  bench: ["experiment/", "training/", "models/", "data/", "engine/", "report/", ...FOUNDATION],
  experiment: ["training/", "models/", "data/", "engine/", "report/record/", ...FOUNDATION],
  inference: ["models/", "data/", "engine/", "report/record/", ...FOUNDATION],
  training: ["models/", "data/", "engine/", ...FOUNDATION],
  models: ["data/", "engine/", ...FOUNDATION],
  data: ["engine/", ...FOUNDATION],
  engine: ["io/"],
  report: FOUNDATION,
  docs: ["io/"],
  tests: [""],
};

/** The engine's doors: what models, data and training see of it. */
const ENGINE_DOORS = ["engine/engine.ts", "engine/compile.ts", "engine/ops.ts"];

/** Who looks behind them, to say what a machine has, to test a backend, or for types. */
const BEHIND_THE_DOORS = [
  "bench/our_worker.ts",
  "experiment/engine_outlook.ts",
  "experiment/machine_report.ts",
  "mod.ts",
  "scripts/conformance.ts",
  "scripts/doctor.ts",
];

/** Which files remove files, in the rooms that have people's results. */
const REMOVING_RESULTS = [
  "experiment/continuation.ts",
  "experiment/event_marks.ts",
  "experiment/resume.ts",
  "report/figures/write_figures.ts",
  "report/record/kept_row.ts",
  "report/record/leftovers.ts",
  "report/record/remove_run.ts",
  "report/runs/clean_runs.ts",
];

/** Which files of other rooms do: temporary ones, the cache's, and what the same command wrote. */
const REMOVING_OWN = [
  "bench/own_folder.ts",
  "draw/static_page.ts",
  "engine/conformance/run_conformance.ts",
  "engine/library/fetch_library.ts",
  "engine/library/fetch_wheel.ts",
  "io/atomic.ts",
  "io/pip_download.ts",
  "io/transfer.ts",
  "io/unpack_archive.ts",
  "models/checkpoint/pretrained_convolutions.ts",
  "scripts/export.ts",
  "scripts/sweep.ts",
  "training/features/feature_cache.ts",
];

const PAGE = await Deno.readTextFile(join(repositoryRoot(), "docs/architecture.md"));

/** What the report takes from npm: what draws, renders Markdown and knows distributions. */
const REPORT_PACKAGES =
  /^(node:|@std\/|pure-rand\/|(lib-r-math\.js|vega|vega-interpreter|vega-lite|marked|simple-ascii-chart)$)/;

/** Every import of a file of the suite, as `from → to`, that `isWrong` holds of. */
function importsThat(isWrong: (from: string, to: string) => boolean): string[] {
  return [...IMPORTS].flatMap(([from, { files }]) =>
    files.filter((to) => isWrong(from, to)).map((to) => `${from} → ${to}`)
  );
}

/** A circle of imports, if there is one, as the files that it goes through. */
function findCircle(): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of IMPORTS.get(path)?.files ?? []) {
      const circle = visit(next, [...way, path]);
      if (circle) return circle;
    }
    done.add(path);
  };
  for (const path of IMPORTS.keys()) {
    const circle = visit(path, []);
    if (circle) return circle;
  }
}

/** What a task hands to Deno as files. */
function filesOf(command: string): string[] {
  return command.match(/(?<=\s)[\w/]+\.ts\b/g) ?? [];
}

Deno.test("every import leads to a file that is there", () => {
  assertEquals(importsThat((_, to) => !IMPORTS.has(to) && !to.endsWith(".json")), []);
});

Deno.test("no files import each other in a circle, types included", () => {
  assertEquals(findCircle(), undefined);
});

Deno.test("nothing imports upwards", () => {
  const isWrong = (from: string, to: string) =>
    roomOf(from) !== roomOf(to) &&
    !ALLOWED[roomOf(from)]?.some((beginning) => to.startsWith(beginning));
  assertEquals(importsThat(isWrong), []);
});

Deno.test("nothing but the tests imports from the tests", () => {
  const isWrong = (from: string, to: string) => roomOf(to) === "tests" && roomOf(from) !== "tests";
  assertEquals(importsThat(isWrong), []);
});

Deno.test("models, data and training know no backend", () => {
  const isWrong = (from: string, to: string) =>
    ["models", "data", "training"].includes(roomOf(from)) && roomOf(to) === "engine" &&
    !ENGINE_DOORS.includes(to);
  assertEquals(importsThat(isWrong), []);
});

Deno.test("the engine's other files are seen by those that the page on architecture names", () => {
  const behind = [...IMPORTS].filter(([from, { files }]) =>
    !["engine", "tests"].includes(roomOf(from)) &&
    files.some((to) => roomOf(to) === "engine" && !ENGINE_DOORS.includes(to))
  );
  assertEquals(behind.map(([from]) => from).sort(), BEHIND_THE_DOORS);
  for (const path of BEHIND_THE_DOORS) assert(PAGE.includes(`\`${path}\``), path);
});

Deno.test("what removes files is on a list, and of results on the page on architecture", () => {
  const removing = [...SOURCES].filter(([path, text]) =>
    roomOf(path) !== "tests" && /\bDeno\.remove(Sync)?\(/.test(text)
  );
  const listed = [...REMOVING_OWN, ...REMOVING_RESULTS].sort();
  assertEquals(removing.map(([path]) => path).sort(), listed);
  assertEquals(listed.filter((path) => /^(experiment|report)\//.test(path)), REMOVING_RESULTS);
  for (const path of REMOVING_RESULTS) assert(PAGE.includes(`\`${path}\``), path);
});

Deno.test("what runs in a browser takes nothing that is not there", () => {
  const reached = new Set<string>();
  const visit = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    IMPORTS.get(path)?.files.forEach(visit);
  };
  for (const path of IMPORTS.keys()) if (path.startsWith("draw/page/")) visit(path);
  const wrong = [...reached].flatMap((path) =>
    IMPORTS.get(path)!.packages.filter((name) => !name.startsWith("@tensorflow/tfjs-"))
      .map((name) => `${path} → ${name}`)
  );
  assertEquals(wrong, []);
  const rooms = [...reached].filter((path) => !/^(draw\/page|data)\/|^study\.ts$/.test(path));
  assertEquals(rooms, []);
});

Deno.test("the report takes no package but those it draws and reckons with", () => {
  const wrong = [...IMPORTS].filter(([path]) => roomOf(path) === "report")
    .flatMap(([path, { packages }]) =>
      packages.filter((name) => !REPORT_PACKAGES.test(name)).map((name) => `${path} → ${name}`)
    );
  assertEquals(wrong, []);
});

Deno.test("scripts/ holds what tasks run, and nothing else", () => {
  const run = new Set(Object.values(TASKS).flatMap(({ command }) => filesOf(command)));
  const scripts = [...IMPORTS.keys()].filter((path) => roomOf(path) === "scripts");
  assertEquals([...run].filter((path) => path.startsWith("scripts/")).sort(), scripts);
  for (const path of run) assert(IMPORTS.has(path), `a task runs ${path}, which is not there`);
});

Deno.test("every task says what it does", () => {
  for (const [name, { description }] of Object.entries(TASKS)) {
    assert(/^[A-Z].{10,}[^.]$/.test(description ?? ""), `task ${name}: ${description}`);
  }
});

interface Lock {
  specifiers: Record<string, string>;
  npm: Record<string, { integrity: string }>;
}

const lock = async (name: string): Promise<Lock> =>
  JSON.parse(await Deno.readTextFile(join(repositoryRoot(), name)));

Deno.test("deno.lock holds what every task installs and no more", async () => {
  const [{ imports, links }, { specifiers }] = await Promise.all([
    Deno.readTextFile(join(repositoryRoot(), "deno.json")).then(JSON.parse),
    lock("deno.lock"),
  ]);
  const mapped = Object.values<string>(imports).filter((address) => address.startsWith("npm:"))
    .map((address) => address.replace(/^npm:\/?/, "npm:").replace(/\/$/, ""));
  // What std/csv, a linked package, is built on.
  const linked = Object.keys(specifiers).filter((name) => name.startsWith("npm:csv-parse@"));
  // JSR's own packages are locked where they are in use: see `deno task jsr`.
  const locked = Object.keys(specifiers).filter((name) => links || !name.startsWith("jsr:"));
  assertEquals(
    locked.sort(),
    [...mapped, ...linked].sort(),
    'deno.lock has grown: "git restore deno.lock", and name --lock=deno.full.lock',
  );
});

Deno.test("deno.full.lock has everything of deno.lock, to the byte", async () => {
  const [some, all] = await Promise.all([lock("deno.lock"), lock("deno.full.lock")]);
  for (const [name, { integrity }] of Object.entries(some.npm)) {
    assertEquals(all.npm[name]?.integrity, integrity, name);
  }
  for (const [name, version] of Object.entries(some.specifiers)) {
    assertEquals(all.specifiers[name], version, name);
  }
});
