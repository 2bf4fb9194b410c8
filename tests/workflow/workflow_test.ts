/** The workflow: its form, its plan, mistakes in its configuration, and a real sweep on this machine. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { exists } from "../../io/path_kind.ts";
import { DATA, DETECTION } from "../../study.ts";
import { withFolder } from "../report/result_rows.ts";
import {
  checkSweep,
  command,
  killPart,
  snakemake,
  snakemakeTest as test,
  sweepWithKills,
  WORKFLOW,
  works,
} from "./sweeps.ts";

/** The sweep takes a minute and a half of two cores. */
const REAL_SWEEP = Deno.env.has("TEST_SWEEP") ? "" : "TEST_SWEEP=1 runs it";

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
      assert(!output.includes("The rates are of "), output);
      assertMatch(output, new RegExp(`^run +${runs}$`, "m"));
      assertMatch(output, /^gather +1$/m);
    }
  }));

/** Configurations, each with what is said of its mistakes. */
const MISTAKES: readonly [string, readonly string[]][] = [
  [
    `out: x
models: [resnet]
seeds: {frist: 1}
limits: [0, many, 1e4]
colour: red
recipes: [{name: a, lr: 0}, quick, {name: b, lr: 1e-4}, {name: c, lr: 2.5E3, epochs: 1e1}]`,
    [
      "models[0]: 'resnet' is not one of ['simplecnn', ",
      "seeds: 'count' is a required property",
      "('frist' was unexpected) (known are count, first)",
      "limits[0]: 0 is not an integer of 1 or more or 'all'",
      "limits[1]: 'many' is not an integer of 1 or more or 'all'",
      "('colour' was unexpected) (known are ",
      "recipes[0].lr: 0 is less than or equal to the minimum of 0",
      "recipes[1]: 'quick' is not 'published' or 'fast' or 'accurate' or settings with a name",
      "limits[2]: '1e4' is text in YAML; the number is 1.0e+4",
      "recipes[2].lr: '1e-4' is text in YAML; the number is 1.0e-4",
      "recipes[3].lr: '2.5E3' is text in YAML; the number is 2.5e+3",
      "recipes[3].epochs: '1e1' is text in YAML; the number is 1.0e+1",
    ],
  ],
  ["out: x\nmodels: [simplecnn]\nseeds: [2, 1, 2]", ["seeds: 2 is there twice"]],
  ["out: x\nmodels: [alexnet]\nseeds: [1]\nrecipes: [fast]", ["asks for no run: no recipe is"]],
  [
    "out: x\nmodels: [vgg16]\nseeds: [1]\nrecipes: [{name: a, base: fast, models: [vgg16]}]",
    ["recipe a: vgg16 has no fast recipe"],
  ],
  [
    "out: x\nmodels: [simplecnn]\nseeds: [1]\nrecipes: [{name: a}, {name: a, lr: 0.1}]",
    ["recipes: there are two of a"],
  ],
  [
    `out: x
models: [fasterrcnn]
seeds: {first: 2000000000, count: 2}
data: [mnits, auto, mnist]
limits: [${DETECTION.maxHeadImages}, ${DETECTION.maxHeadImages + 1}, ${DATA.trainImages}, all]
backend: wasm
device: gpu
recipes:
- {name: a, train_head: true, precision: bf16}
- {name: b, models: [fasterrcnn], epochs: 3}
- {name: c, base: fast, train_head: true}
- {name: d, train_head: true, lr: .inf, weights: pretraned}
- published
- {name: e}`,
    [
      "data: auto is mnist: name one of them",
      `limits: ${DATA.trainImages} and all are all images of auto and mnist: name one of them`,
      "recipes: published and e are the same: name one of them",
      `a: train_head takes ${DETECTION.maxHeadImages} training images at most, whose features fit ` +
      `into memory, and limits has ${DETECTION.maxHeadImages + 1}`,
      "into memory, and limits has all",
      "recipe a: precision: wasm has no bf16",
      "recipe b: fasterrcnn is trained with train_head alone, and has no epochs without",
      "recipe c: no model has all of its settings",
      "recipe d: lr: inf is no number to learn with",
      "recipe d: weights: there is no file pretraned (known are pretrained, convolutions and ",
      "data: there is no folder mnits (known are auto, mnist and fashion)",
      "device: wasm has auto and cpu, not gpu",
      "seeds: the last would be greater than 2000000000",
    ],
  ],
  [
    "out: x\nmodels: [vgg16, alexnet]\nseeds: [1]\nrecipes: [{name: a, weights: sweep.yaml}]",
    ["recipe a: weights: a file is of one model, not of vgg16 and alexnet: name one by models"],
  ],
  ["out: x\nmodels: [simplecnn]\nseeds: [1]\nrates: none.json", ["none.json cannot be read: "]],
  // Nothing comes from the default file.
  ["recipes: [fast]", [
    "the file: 'models' is a required property",
    "the file: 'out' is a required property",
    "the file: 'seeds' is a required property",
  ]],
  [
    "out: x\nmodels: [vgg16]\nmodels: [simplecnn]\nseeds: [1]\nrecipes:\n- {name: a, lr: 1, lr: 2}",
    ["the file: models is there twice", "recipes[0]: lr is there twice"],
  ],
];

test("mistakes in a configuration are named, all at once, with what would be right", () =>
  withFolder({}, async (cwd) => {
    for (const [text, expected] of MISTAKES) {
      const file = join(cwd, "sweep.yaml");
      await Deno.writeTextFile(file, text);
      const { code, output } = await snakemake(cwd, "--configfile", file, "--dry-run");
      assertEquals(code, 1, output);
      for (const words of expected) assertStringIncludes(output, words);
    }
  }));

test("a sweep learns whether its configuration was refused, whatever was wrong with it", () =>
  withFolder({}, async (cwd) => {
    const right = "out: x\nmodels: [simplecnn]\nseeds: [1]";
    for (const text of [...MISTAKES.map(([text]) => text), "models: [", right]) {
      await Deno.writeTextFile(join(cwd, "sweep.yaml"), text);
      const snakefile = ["--snakefile", join(WORKFLOW, "Snakefile")];
      const words = ["snakemake", ...snakefile, "--configfile", "sweep.yaml", "--dry-run"];
      const mark = join(cwd, "planned");
      const { output } = await command(["env", `MNIST_STUDY_PLANNED=${mark}`, ...words], cwd);
      assertEquals(await exists(mark), text === right, output);
    }
  }));

test("the configuration's rates go before those of the machine that the sweep is called on", () =>
  withFolder({}, async (cwd) => {
    const ours = JSON.parse(await Deno.readTextFile(join(WORKFLOW, "rates.json")));
    const plan = async (rates: string) => {
      const config = `out: x\nmodels: [simplecnn]\nseeds: [1]\n${rates}`;
      await Deno.writeTextFile(join(cwd, "sweep.yaml"), config);
      const words = ["--configfile", "sweep.yaml", "--config", "measured_rates=measured.json"];
      const { code, output } = await snakemake(cwd, ...words, "--dry-run");
      assertEquals(code, 0, output);
      return output.match(/, the longest run (\d+) min;.* Rates: (.*)\./)?.slice(1);
    };
    for (const [name, imagesPerSecond] of [["nodes", 1000], ["measured", 500]] as const) {
      const rates = { ...ours, startSeconds: 0, trainingImagesPerSecond: imagesPerSecond };
      await Deno.writeTextFile(join(cwd, `${name}.json`), JSON.stringify(rates));
    }
    assertEquals(await plan("rates: nodes.json"), ["10", "nodes.json"]);
    assertEquals(await plan(""), ["20", "measured.json"]);
  }));

test("a plan says where its rates are of another backend than the runs, or of no GPU", () =>
  withFolder({}, async (cwd) => {
    const cases = [
      ["backend: wasm", "tensorflow, and the runs are on wasm: times may be others"],
      ["device: gpu", "a processor, and the runs are on the gpu: times may be others"],
    ] as const;
    for (const [setting, expected] of cases) {
      const config = `out: x\nmodels: [simplecnn]\nseeds: [1]\n${setting}`;
      await Deno.writeTextFile(join(cwd, "sweep.yaml"), config);
      const { code, output } = await snakemake(cwd, "--configfile", "sweep.yaml", "--dry-run");
      assertEquals(code, 0, output);
      const said = /^The rates are of (.*?)\. /m.exec(output)?.[1];
      assertEquals(said, expected);
    }
  }));

// A namespace without a network in it; not every system lets one be made.
const offline = await works("unshare", "-rn", "true") ? ["unshare", "-rn"] : [];
if (offline.length === 0) console.log("skipped: the sweep without a network (unshare -rn fails)");

test(
  "a sweep of 2 models and 3 seeds, two jobs killed, is whole and the same to the bit",
  () =>
    withFolder({}, async (cwd) => {
      const words = ["--profile", join(WORKFLOW, "profiles/local"), "--cores", "2"];
      const { ended, killed } = await sweepWithKills(cwd, {
        words,
        prefix: offline,
        kills: [killPart, killPart],
      });
      assertEquals(ended.code, 0, ended.output);
      assertEquals(killed.length, 2, ended.output);
      await checkSweep(cwd, killed);
      // Nothing is left to do, and no run is made twice.
      const again = await sweepWithKills(cwd, { words, kills: [] });
      assertStringIncludes(again.ended.output, "Nothing to be done");
    }),
  REAL_SWEEP,
);

// A file system of its own, small enough to be filled; it takes the right to mount one.
const mountable = await works(
  ...["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"],
);

test(
  "a sweep whose disk is full fails, and goes on when there is room again",
  () =>
    withFolder({}, async (cwd) => {
      const disk = join(cwd, "results");
      await Deno.mkdir(disk);
      assert(await works("mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", disk));
      try {
        const words = [
          ...["--profile", join(WORKFLOW, "profiles/local"), "--cores", "2"],
          ...["--config", "models=[simplecnn]"],
        ];
        // Whatever is freed is taken at once.
        let filler: Deno.ChildProcess | undefined;
        const fill = join(disk, "filler");
        const { ended, killed } = await sweepWithKills(cwd, {
          words,
          kills: [() => {
            const loop = 'while :; do cat /dev/zero >> "$1"; sleep 0.02; done';
            const args = ["-c", loop, "sh", fill];
            filler = new Deno.Command("sh", { args, stderr: "null" }).spawn();
            return Promise.resolve(true);
          }],
        });
        filler!.kill();
        await filler!.status;
        await Deno.remove(fill);
        assertEquals([ended.code, killed.length], [1, 1], ended.output);
        // What the run said was for a file on that disk.
        assertStringIncludes(ended.output, "Error in rule run");
        const again = await sweepWithKills(cwd, { words, kills: [] });
        assertEquals(again.ended.code, 0, again.ended.output);
        await checkSweep(cwd, killed, { models: ["SimpleCNN"] });
      } finally {
        await command(["umount", "--lazy", disk]);
      }
    }),
  REAL_SWEEP || (mountable ? "" : "no file system can be mounted"),
);
