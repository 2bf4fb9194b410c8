/** workflow/rules/kept.smk: what is there already, when a configuration has changed. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { exists } from "../../io/path_kind.ts";
import { withFolder } from "../report/result_rows.ts";
import { plan, snakemake, snakemakeTest as test, WORKFLOW } from "./sweeps.ts";

/** A configuration with these lines in place of its own. */
function configuration(changes: Readonly<Record<string, string>> = {}): string {
  const lines = {
    out: "x",
    models: "[simplecnn]",
    seeds: "[1, 2]",
    test_limit: "1000",
    recipes: "[{name: a, lr: 0.001}]",
    ...changes,
  };
  return Object.entries(lines).map(([name, value]) => `${name}: ${value}\n`).join("");
}

/** What a plan would do, with its commands; the test fails if it was refused. */
async function planned(cwd: string, config: string): Promise<string> {
  const { code, output } = await plan(cwd, config, "--printshellcmds");
  assertEquals(code, 0, output);
  return output;
}

/** How often a plan would follow a rule. */
function jobs(output: string, rule: string): number {
  return Number(new RegExp(`^${rule} +(\\d+)$`, "m").exec(output)?.[1] ?? 0);
}

async function write(path: string, text = ""): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}

/** Leaves what a plan's first jobs would leave: marks in the sweep's folder, and stamps in the cache. */
async function prepare(cwd: string, output: string): Promise<void> {
  for (const [path, name] of output.matchAll(/x\/prepared\/([^\s,]*)\.json/g)) {
    await write(join(cwd, path));
    await write(join(cwd, "cache/prepared", name!));
  }
}

/** Leaves what a plan's jobs would leave, each run in `folder` with what its own command writes. */
async function make(cwd: string, output: string, folder = "runs"): Promise<void> {
  await prepare(cwd, output);
  const records = [...output.matchAll(/printf %s '(\[.*\])' > x\/unfinished\/(\S+)\/flags\.json/g)];
  assert(records.length > 0, output);
  for (const [, flags, name] of records) {
    await write(join(cwd, "x", folder, name!, "flags.json"), flags);
  }
}

/** What is said of the first run, after its folder, where a plan is refused. */
async function refusal(cwd: string, changes: Readonly<Record<string, string>>): Promise<string> {
  const { code, output } = await plan(cwd, configuration(changes));
  assertEquals(code, 1, output);
  assertStringIncludes(output, "Give the recipe another name or the sweep another folder");
  return /^ +x\/\w+\/simplecnn-mnist-all-a-seed1: (.*)$/m.exec(output)?.[1] ?? output;
}

for (const folder of ["runs", "unfinished"]) {
  test(`a run in ${folder}/ is not taken for one with other settings`, () =>
    withFolder({}, async (cwd) => {
      await make(cwd, await planned(cwd, configuration()), folder);
      assertEquals(jobs(await planned(cwd, configuration()), "run"), folder === "runs" ? 0 : 2);
      const refused: [Record<string, string>, string][] = [
        [{ recipes: "[{name: a, lr: 0.01}]" }, "--lr was 0.001 and is 0.01"],
        [{ recipes: "[{name: a}]", seeds: "[1, 3]" }, "--lr was 0.001 and is not given"],
        [{ test_limit: "all" }, "--test-limit was 1000 and is not given"],
        [
          { backend: "wasm", threads: "3" },
          "--backend was tensorflow and is wasm, --threads was 2",
        ],
        [
          { recipes: "[{name: a, lr: 0.001, precision: bf16}]" },
          "--precision was not given and is bf16",
        ],
      ];
      for (const [changes, words] of refused) {
        assertStringIncludes(await refusal(cwd, changes), words);
      }
      // Under another name they are other runs.
      const other = await planned(cwd, configuration({ recipes: "[{name: b, lr: 0.01}]" }));
      assertEquals(jobs(other, "run"), 2);
    }));
}

test("a run of an earlier version is judged by its manifest, and taken if it has none", () =>
  withFolder({}, async (cwd) => {
    const run = join(cwd, "x/runs/simplecnn-mnist-all-a-seed1");
    await Deno.mkdir(run, { recursive: true });
    assertEquals(jobs(await planned(cwd, configuration()), "run"), 1);
    const flags = "--data mnist --seed 1 --recipe published --lr 0.001 --test-limit 1000 " +
      "--backend tensorflow --device auto";
    // A machine of one core, and a folder that was another.
    const command = `${flags} --threads 1 --resume --out /before`.split(" ");
    await write(join(run, "runs/id/manifest.json"), JSON.stringify({ settings: { command } }));
    assertEquals(jobs(await planned(cwd, configuration()), "run"), 1);
    assertEquals(
      await refusal(cwd, { test_limit: "all" }),
      "--test-limit was 1000 and is not given",
    );
  }));

test("a sweep with more limits or seeds makes the new runs alone", () =>
  withFolder({}, async (cwd) => {
    const own = { models: "[alexnet]", recipes: "[published]", test_limit: "all" };
    const before = await planned(cwd, configuration({ ...own, limits: "[1000]" }));
    assertEquals([jobs(before, "run"), jobs(before, "prepare")], [2, 2]);
    await make(cwd, before);
    const limits = await planned(cwd, configuration({ ...own, limits: "[1000, 10000]" }));
    // The features of more images are prepared, the data are there.
    assertEquals([jobs(limits, "run"), jobs(limits, "prepare")], [2, 1]);
    assert(!/^ +output: .*alexnet-mnist-1000-published/m.test(limits), limits);
    const more = { ...own, limits: "[1000]", seeds: "[1, 2, 3]" };
    const seeds = await planned(cwd, configuration(more));
    assertEquals([jobs(seeds, "run"), jobs(seeds, "prepare")], [1, 0]);
  }));

test("what is prepared counts for its own backend, while it is in the cache", () =>
  withFolder({}, async (cwd) => {
    await prepare(cwd, await planned(cwd, configuration()));
    assertEquals(jobs(await planned(cwd, configuration()), "prepare"), 0);
    assertEquals(jobs(await planned(cwd, configuration({ backend: "wasm" })), "prepare"), 1);
    await Deno.remove(join(cwd, "cache"), { recursive: true });
    assertEquals(jobs(await planned(cwd, configuration()), "prepare"), 1);
  }));

test("the report is made again of fewer runs and of one made again, and of the same ones not", () =>
  withFolder({}, async (cwd) => {
    await make(cwd, await planned(cwd, configuration()));
    for (const name of ["gathered/part1.csv", "report/figures/a.svg", "report/report.md"]) {
      await write(join(cwd, "x", name));
    }
    assertMatch(await planned(cwd, configuration()), /Nothing to be done/);
    const fewer = await planned(cwd, configuration({ seeds: "[1]" }));
    assertEquals(["run", "gather", "report"].map((rule) => jobs(fewer, rule)), [0, 1, 1]);
    const names = join(cwd, "x/runs.txt");
    await write(names, "simplecnn-mnist-all-a-seed1\nsimplecnn-mnist-all-a-seed2\n");
    await Deno.utime(names, 1, 1);
    await Deno.remove(join(cwd, "x/runs/simplecnn-mnist-all-a-seed2"), { recursive: true });
    const again = await planned(cwd, configuration());
    assertEquals(["run", "gather", "report"].map((rule) => jobs(again, rule)), [1, 1, 1]);
  }));

test("the report is made again where another configuration was planned while it was made", () =>
  withFolder({}, async (cwd) => {
    const names = (seeds: number[]) =>
      seeds.map((seed) => `simplecnn-mnist-all-a-seed${seed}\n`).join("");
    await make(cwd, await planned(cwd, configuration()));
    await planned(cwd, configuration({ seeds: "[1]" }));
    for (
      const [name, text] of [
        ["gathered/part1.csv", ""],
        ["gathered/runs.txt", names([1, 2])],
        ["report/figures/a.svg", ""],
        ["report/report.md", ""],
      ]
    ) await write(join(cwd, "x", name!), text);
    const fewer = await planned(cwd, configuration({ seeds: "[1]" }));
    assertEquals(["run", "gather", "report"].map((rule) => jobs(fewer, rule)), [0, 1, 1]);
  }));

/** In Deno's place: parts that leave a row and no more, of which seed 2's fails while `fail` is there. */
const PARTS = `#!/bin/sh
case "$*" in *sweep_forecast*) exec "${Deno.execPath()}" "$@" ;; esac
for word; do
  case "$before" in --out) out=$word ;; --seed) seed=$word ;; esac
  before=$word
done
mkdir -p "$out"
case "$*" in *" compare "*) echo "# Report" > "$out/report.md"; exit ;; esac
if [ "$seed" = 2 ] && [ -e fail ]; then exit 1; fi
id=\${out##*/}
mkdir -p "$out/runs/$id"
printf 'run_id,status\\n%s,ok\\n' "$id" > "$out/part1.csv"
`;

test("runs that fail for good keep back no others, and what is finished stays", () =>
  withFolder({ fail: "", parts: PARTS }, async (cwd) => {
    await Deno.chmod(join(cwd, "parts"), 0o755);
    const profile = ["--profile", join(WORKFLOW, "profiles/local"), "--cores", "2"];
    const sweep = async (changes: Readonly<Record<string, string>>) => {
      await write(join(cwd, "sweep.yaml"), configuration({ deno: "./parts", ...changes }));
      return await snakemake(cwd, "--configfile", "sweep.yaml", ...profile);
    };
    const rows = (folder: string) => Deno.readTextFile(join(cwd, "x", folder, "part1.csv"));
    const header = "run_id,status\n";
    const row = (seed: number) => `simplecnn-mnist-all-a-seed${seed},ok\n`;
    const failed = await sweep({});
    assertEquals(failed.code, 1, failed.output);
    const names = (folder: string) =>
      [...Deno.readDirSync(join(cwd, folder))].map(({ name }) => name);
    assertEquals(names("x/prepared"), names("cache/prepared").map((name) => `${name}.json`));
    assertStringIncludes(failed.output, "x/so_far/report/report.md is of the 1 of 2 runs that are");
    assertEquals(await rows("so_far/gathered"), header + row(1));
    await Deno.remove(join(cwd, "fail"));
    const whole = await sweep({});
    assertEquals(whole.code, 0, whole.output);
    assertEquals(await rows("gathered"), header + row(1) + row(2));
    assertEquals([...Deno.readDirSync(join(cwd, "x/unfinished"))], []);
    assert(!await exists(join(cwd, "x/so_far")));
    // A run whose folder is removed is made again, each time, and what is made of it.
    for (let times = 0; times < 2; times++) {
      await Deno.remove(join(cwd, "x/runs/simplecnn-mnist-all-a-seed2"), { recursive: true });
      const again = await sweep({});
      assertEquals(again.code, 0, again.output);
      const made = ["run", "gather", "report"].map((rule) => jobs(again.output, rule));
      assertEquals(made, [1, 1, 1], again.output);
    }
    const changed = await sweep({ test_limit: "500" });
    assertEquals(changed.code, 1);
    assertStringIncludes(changed.output, "--test-limit was 1000 and is 500");
    // Of what Snakemake knows of the runs, nothing makes them again.
    const more = await sweep({ seeds: "[1, 2, 3]", limits: "[all, 100]" });
    assertEquals(more.code, 0, more.output);
    assertEquals(jobs(more.output, "run"), 4);
  }));
