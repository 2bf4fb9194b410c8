/** `deno task export` from its command line: what it writes over, and what not. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { basename, join } from "node:path";
import { readManifest, writeManifest } from "../../report/record/run_folder.ts";
import { ALEXNET, FASTER_RCNN_ADAPTED } from "../../study.ts";
import { filesIn } from "./files_in.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";
import { part1, Program, rowsOf, TINY } from "./part1_process.ts";

const results = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(results, { recursive: true }));
const trained = await part1([...TINY, "--out", results]);
assertEquals(trained.code, 0, trained.stderr);
const [row] = await rowsOf(results);
const run = join(results, "runs", row!.run_id);

function exportBest(...args: string[]) {
  const common = ["best", "--results", results, "--quiet"];
  return new Program(Deno.execPath(), [...taskArgs("export"), ...common, ...args]).end();
}

/** The content of every file in a folder, by its path. */
function contentsOf(folder: string): Record<string, Uint8Array> {
  return Object.fromEntries(filesIn(folder).map((path) => [path, Deno.readFileSync(path)]));
}

/** Makes sure that an export says this in one line and leaves all in a folder as it was. */
async function assertRefused(args: readonly string[], line: RegExp, folder: string): Promise<void> {
  const before = contentsOf(folder);
  const { code, stdout, stderr } = await exportBest(...args);
  assertMatch(stderr, line);
  assertEquals([code, stdout, stderr.split("\n").length], [1, "", 2], stderr);
  assertEquals(contentsOf(folder), before);
}

/** How a refusal names the file that it is about, below a folder. */
function isThere(folder: string, name: string): RegExp {
  const path = RegExp.escape(join(folder, name));
  return new RegExp(
    `^error: ${path} is there already and deno task export did not write it: move it, or choose ` +
      "another place with --out\n$",
  );
}

Deno.test("export writes over an earlier export, in both formats", () =>
  withFolder({}, async (folder) => {
    for (const format of ["safetensors", "tfjs"]) {
      const args = ["--format", format, "--out", join(folder, format)];
      for (const _ of ["at first", "again"]) {
        const { code, stderr } = await exportBest(...args);
        assertEquals([code, stderr], [0, ""]);
      }
    }
    assertEquals(filesIn(folder).map((path) => path.slice(folder.length + 1)).sort(), [
      ...["safetensors/model.md", "safetensors/model.safetensors"],
      ...["tfjs/README.md", "tfjs/model.json", "tfjs/weights-1-of-1.bin"],
    ]);
  }));

Deno.test("export --format tfjs leaves no weights of an earlier export of another size", () =>
  withFolder({}, async (folder) => {
    const args = ["--format", "tfjs", "--out", folder];
    assertEquals((await exportBest(...args)).code, 0);
    const others = ["weights-1-of-14.bin", "weights-14-of-14.bin"];
    for (const name of [...others, "weights.bin"]) {
      await Deno.writeTextFile(join(folder, name), "x");
    }
    assertEquals((await exportBest(...args)).code, 0);
    assertEquals(filesIn(folder).map((path) => basename(path)).sort(), [
      ...["README.md", "model.json", "weights-1-of-1.bin", "weights.bin"],
    ]);
    assertMatch(
      await Deno.readTextFile(join(folder, "README.md")),
      /^Files: `model\.json`, `weights-1-of-1\.bin`\.$/m,
    );
  }));

Deno.test("export shows any name of a file in its snippets as Python and TypeScript read it", () =>
  withFolder({}, async (folder) => {
    const name = `we"i\\.safetensors`;
    assertEquals((await exportBest("--out", join(folder, name))).code, 0);
    const card = await Deno.readTextFile(join(folder, `we"i\\.md`));
    assertStringIncludes(card, String.raw`load_file("we\"i\\.safetensors"))`);
    assertStringIncludes(card, String.raw`loadModel("we\"i\\.safetensors");`);
  }));

for (const name of ["README.md", "model.json", "weights-1-of-1.bin"]) {
  Deno.test(`export --format tfjs leaves a ${name} alone that is not its own`, () =>
    withFolder({ [name]: `{"name": "mine"}` }, async (folder) => {
      const args = ["--format=tfjs", "--out", folder];
      await assertRefused(args, isThere(folder, name), folder);
    }));
}

Deno.test("export leaves weights and texts alone that are not its own", async () => {
  // Names and layouts are those of an export; the notes in its header are not.
  const checkpoint = await Deno.readFile(join(run, "checkpoint.safetensors"));
  await withFolder({ "README.md": "mine", "own.safetensors": checkpoint }, async (folder) => {
    const to = (name: string) => ["--out", join(folder, name)];
    await assertRefused(to("README.safetensors"), isThere(folder, "README.md"), folder);
    await assertRefused(to("own.safetensors"), isThere(folder, "own.safetensors"), folder);
    await Deno.mkdir(join(folder, "other.md"));
    await assertRefused(to("other.safetensors"), isThere(folder, "other.md"), folder);
  });
});

Deno.test("export makes no folder of a file's name", () =>
  withFolder({}, async (folder) => {
    for (
      const [format, name, line] of [
        [
          "safetensors",
          "x.pth",
          "--out x.pth: expected a .safetensors file or a folder, and .pth is",
        ],
        ["tfjs", "x.safetensors", "--out x.safetensors: --format tfjs writes a folder; name one"],
      ] as const
    ) {
      // The name alone stands in the message where it was given alone.
      const env = { INIT_CWD: folder };
      const args = ["best", "--results", results, "--format", format, "--out", name];
      const program = new Program(Deno.execPath(), [...taskArgs("export"), ...args], env);
      const { code, stdout, stderr } = await program.end();
      assertEquals([code, stdout], [2, ""]);
      assertEquals(stderr.slice(0, `error: ${line}`.length), `error: ${line}`);
    }
    assertEquals(filesIn(folder), []);
  }));

Deno.test("export writes nothing into a run's folder", () =>
  withFolder({}, async (folder) => {
    const line = /^error: .* is in the folder of a run, .*: choose another place with --out\n$/;
    await assertRefused(["--out", join(run, "checkpoint.safetensors")], line, results);
    await assertRefused(["--format=tfjs", "--out", run], line, results);
    const link = join(folder, "link");
    await Deno.symlink(run, link, { type: "dir" });
    await assertRefused(["--out", join(link, "deeper", "model.safetensors")], line, results);
  }));

Deno.test("export refuses what it has no form for, or no weights of, before an engine is fetched", () =>
  withFolder({ "no-library": "", "empty.pth": "" }, async (folder) => {
    const detector = join(folder, "detector");
    await Deno.mkdir(detector);
    await writeManifest(detector, { ...await readManifest(run), model: FASTER_RCNN_ADAPTED.name });
    const alexnet = join(folder, "alexnet");
    await Deno.mkdir(alexnet);
    await Deno.copyFile(
      join(run, "checkpoint.safetensors"),
      join(alexnet, "checkpoint.safetensors"),
    );
    await writeManifest(alexnet, { ...await readManifest(run), model: ALEXNET.name });
    for (
      const [word, line] of [
        [detector, /^error: FasterRCNN_Adapted is no sequence of layers, so tfjs has no form for/],
        [alexnet, /^error: Run .* started from weights that it does not keep/],
        [join(folder, "empty.pth"), /^error: .*empty\.pth/],
        ["nothing", /^error: There is no run "nothing" in /],
      ] as const
    ) {
      const format = word === alexnet ? "safetensors" : "tfjs";
      const args = [word, "--results", results, "--format", format, "--out", join(folder, "out")];
      const noEngine = ["--libtensorflow", join(folder, "no-library")];
      const program = new Program(Deno.execPath(), [...taskArgs("export"), ...args, ...noEngine]);
      const { code, stderr } = await program.end();
      assertMatch(stderr, line);
      assertEquals(code, 1);
    }
  }));
