/** The workflow: its form, its plan, mistakes in its configuration, and a real sweep on this machine. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { withFolder } from "../report/result_rows.ts";
import { checkSweep, hasSnakemake, snakemake, sweepWithKills, WORKFLOW, works } from "./sweeps.ts";

/** A test that needs Snakemake. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !hasSnakemake, fn });
}

/** The sweeps that are committed. */
const SWEEPS: readonly [string, number][] = [
  ["config.yaml", 10],
  ["smoke.yaml", 6],
  ["learning_set_size.yaml", 36],
];

test("the workflow passes Snakemake's lint", () =>
  withFolder({}, async (cwd) => {
    const { code, output } = await snakemake(cwd, "--lint");
    assertEquals(code, 0, output);
  }));

test("every committed sweep can be planned by each profile that is for one machine", () =>
  withFolder({}, async (cwd) => {
    for (const [name, runs] of SWEEPS) {
      const profile = ["--profile", join(WORKFLOW, "profiles/local")];
      const config = ["--configfile", join(WORKFLOW, name)];
      const { code, output } = await snakemake(cwd, ...config, ...profile, "--dry-run");
      assertEquals(code, 0, output);
      assertStringIncludes(output, `Plan: ${runs} runs with `);
      assertMatch(output, new RegExp(`^run +${runs}$`, "m"));
      assertMatch(output, /^gather +1$/m);
    }
  }));

/** Mistakes, each with what is said of it. */
const MISTAKES: readonly [string, string][] = [
  ["out: x\nmodels: [resnet]\nseeds: [1]", "models[0]: 'resnet' is not one of ['simplecnn', "],
  ["out: x\nmodels: [alexnet]\nseeds: {frist: 1}", "seeds: 'count' is a required property"],
  ["out: x\nmodels: [alexnet]\nseeds: []", "seeds: [] should be non-empty"],
  ["out: x\nmodels: [alexnet]\nseeds: [1]\nlimits: [many]", "limits[0]: 'many' is not an integer"],
  ["out: x\nmodels: [alexnet]\nseeds: [1]\ncolour: red", "('colour' was unexpected) (known are "],
  ["out: x\nmodels: [alexnet]\nseeds: [1]\nrecipes: [{name: a, lr: 0}]", "recipes[0].lr: 0 is "],
  ["out: x\nmodels: [alexnet]\nseeds: [1]\nrecipes: [fast]", "The configuration asks for no run"],
  [
    "out: x\nmodels: [vgg16]\nseeds: [1]\nrecipes: [{name: a, base: fast, models: [vgg16]}]",
    "recipe a: vgg16 has no fast recipe",
  ],
  [
    "out: x\nmodels: [simplecnn]\nseeds: [1]\nrecipes: [{name: a}, {name: a, lr: 0.1}]",
    "recipes: there are two of a",
  ],
  ["out: x\nmodels: [simplecnn]\nseeds: [1]\nrates: none.json", "none.json cannot be read: "],
  ["out: x\nmodels: [simplecnn]\nseeds: [1]\ndeno: no-deno", "no-deno cannot be started"],
];

test("a mistake in the configuration is named, with what would be right", () =>
  withFolder({}, async (cwd) => {
    const told = await Promise.all(MISTAKES.map(async ([text], i) => {
      const file = join(cwd, `${i}.yaml`);
      await Deno.writeTextFile(file, text);
      return await snakemake(cwd, "--configfile", file, "--dry-run");
    }));
    for (const [i, { code, output }] of told.entries()) {
      assertEquals(code, 1, output);
      assertStringIncludes(output, MISTAKES[i]![1]);
    }
  }));

// A namespace without a network in it; not every system lets one be made.
const offline = await works("unshare", "-rn", "true") ? ["unshare", "-rn"] : [];
if (offline.length === 0) console.log("skipped: the sweep without a network (unshare -rn fails)");

test("a sweep of 2 models and 3 seeds, two jobs killed, is whole and the same to the bit", () =>
  withFolder({}, async (cwd) => {
    const words = ["--profile", join(WORKFLOW, "profiles/local"), "--cores", "2"];
    const { ended, killed } = await sweepWithKills(cwd, { words, prefix: offline, kills: 2 });
    assertEquals(ended.code, 0, ended.output);
    assertEquals(killed.length, 2, ended.output);
    await checkSweep(cwd, killed);
    // Nothing is left to do, and no run is made twice.
    const again = await sweepWithKills(cwd, { words, kills: 0 });
    assertStringIncludes(again.ended.output, "Nothing to be done");
  }));
