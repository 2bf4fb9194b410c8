/** workflow/rules/common.smk: the runs that a configuration asks for, and their commands. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { part1Command, PART_2, PART_4 } from "../../experiment/flags.ts";
import { parseFlags } from "../../io/parse_flags.ts";
import { withFolder } from "../report/result_rows.ts";
import { plan, snakemakeTest as test } from "./sweeps.ts";

/** The commands of a plan that are of this part, as its script takes them. */
async function commands(cwd: string, config: string, part: string): Promise<string[]> {
  const { code, output } = await plan(cwd, config, "--printshellcmds");
  assertEquals(code, 0, output);
  const found = [...output.matchAll(/deno\.json part(\d) (.*?) +>/gs)];
  for (const [, number, words] of found) check(number!, words!.replaceAll("'", ""));
  const own = found.flatMap(([, number, words]) => number === part ? [words!] : []);
  assert(own.length > 0, output);
  return own;
}

/** Fails as the part would. */
function check(part: string, words: string): void {
  const argv = words.split(/\s+/);
  if (part === "1") parseFlags(argv, part1Command("published").table);
  else if (part === "2") parseFlags(argv, PART_2.table);
  else parseFlags(argv, PART_4.table);
}

test("every command of a sweep is one that its part takes", () =>
  withFolder({}, async (cwd) => {
    const recipes = [
      "published",
      "fast",
      "{name: own, epochs: 10.0, batch_size: 16, lr: 0.00001, precision: bf16}",
      "{name: head, train_head: true, epochs: 2, batch_size: 128, lr: 0.1, precision: bf16}",
      "{name: random, weights: random}",
      "{name: convolutions, weights: convolutions, batch_size: 20}",
    ];
    const config = "out: x\nmodels: [simplecnn, fasterrcnn, vgg16, alexnet]\nseeds: [1.0]\n" +
      `limits: [300, 2500]\ntest_limit: 100\nrecipes: [${recipes.join(", ")}]`;
    const detectors = await commands(cwd, config, "2");
    const heads = detectors.filter((words) => words.includes("--train-head"));
    assertEquals(heads.length, 2);
    for (const words of heads) {
      assertStringIncludes(words, " --epochs 2 --head-batch-size 128 --lr 0.1 ");
      assert(!words.includes(" --batch-size"), words);
    }
    const own = (await commands(cwd, config, "1")).filter((words) => / 1e-05 /.test(words));
    assertEquals(own.length, 2);
    assertStringIncludes(own[0]!, " --limit 300 --epochs 10 --batch-size 16 --lr 1e-05 ");
    assertStringIncludes(own[0]!, " --test-limit 100 --backend tensorflow --device auto ");
    assertStringIncludes(own[0]!, " --precision bf16 ");
  }));

test("a model makes no run by a recipe whose settings it has not, and that is said", () =>
  withFolder({}, async (cwd) => {
    const plans: [string, string, string, number][] = [
      ["vgg16, fasterrcnn", "weights: convolutions", "no weights of convolutions alone", 1],
      ["simplecnn, fasterrcnn", "lr: 0.01", "has no lr without", 1],
      ["simplecnn, vgg16", "weights: random", "simplecnn starts from no weights", 1],
      ["vgg16, fasterrcnn", "models: [vgg16]", "a: is of other models", 1],
    ];
    for (const [models, setting, words, runs] of plans) {
      const recipe = `recipes: [{name: a, ${setting}}]`;
      const config = `out: x\nmodels: [${models}]\nseeds: [1]\n${recipe}`;
      const { code, output } = await plan(cwd, config);
      assertEquals(code, 0, output);
      assertMatch(output, new RegExp(`^No run of (fasterrcnn|simplecnn), .*${words}`, "m"));
      assertMatch(output, new RegExp(`^run +${runs}$`, "m"));
    }
  }));

test("a recipe by which nothing is run is named", () =>
  withFolder({}, async (cwd) => {
    const recipes = "[published, {name: a, models: [vgg16]}, {name: b, weights: random}]";
    const config = `out: x\nmodels: [simplecnn]\nseeds: [1]\nrecipes: ${recipes}`;
    const { code, output } = await plan(cwd, config);
    assertEquals(code, 0, output);
    assertMatch(output, /^No run of vgg16 by recipe a: models has simplecnn alone\.$/m);
    assertMatch(output, /^No run by recipe b: simplecnn starts from no weights\.$/m);
  }));

test("weights and data may lie in folders of any name", () =>
  withFolder({ "josé.pth": "" }, async (cwd) => {
    await Deno.mkdir(join(cwd, "mes données"));
    const config = "out: x\nmodels: [alexnet]\nseeds: [1]\ndata: [mes données]\n" +
      "recipes: [{name: a, weights: josé.pth}]";
    const { code, output } = await plan(cwd, config, "--printshellcmds");
    assertEquals(code, 0, output);
    assertMatch(output, /^prepare +2$/m);
    assertMatch(output, /--weights '[^']*\/josé\.pth'/);
    assertMatch(output, /--data '[^']*\/mes données'/);
  }));

test("data are prepared on the device of the runs, for all users of the folder", () =>
  withFolder({}, async (cwd) => {
    const config = "out: x\nmodels: [simplecnn]\nseeds: [1]\nbackend: webgpu\ndevice: software";
    for (const words of await commands(cwd, config, "1")) {
      assertStringIncludes(words, " --backend webgpu --device software ");
    }
    // And what is written for them may be read by whoever may read what the user writes.
    const mode = (path: string) => Deno.statSync(join(cwd, path)).mode! & 0o777;
    const [forecast] = [...Deno.readDirSync(join(cwd, "x/forecasts"))];
    const written = ["x/runs.txt", `x/forecasts/${forecast!.name}`];
    assertEquals(written.map(mode), written.map(() => mode("sweep.yaml")));
  }));

test("a run that takes more memory than there is is named, and planned alone", () =>
  withFolder({}, async (cwd) => {
    const config = "out: x\nmodels: [simplecnn]\nseeds: [1, 2]";
    const scarce = await plan(cwd, config, "--resources", "mem_mb=100", "gpu=1");
    assertEquals(scarce.code, 0, scarce.output);
    assertMatch(scarce.output, /^Too little memory: \S+ takes 0\.7 GB, and there are 0\.1 for it/m);
    assertMatch(scarce.output, /resources: .*mem_mb=100\b/);
    const enough = await plan(cwd, config, "--resources", "mem_mb=8000", "gpu=1");
    assert(!enough.output.includes("Too little memory"), enough.output);
  }));

test("features of random weights and of a head's boxes are planned for each seed", () =>
  withFolder({}, async (cwd) => {
    const cases = [
      // 70,000 images, 36,864 bytes each; and 2,000 of 256 KiB.
      ["models: [alexnet]\nrecipes: [{name: a, weights: random}]", "7.7", ["1", "2", "3"]],
      ["models: [fasterrcnn]\nlimits: [2000]\nrecipes: [{name: a, train_head: true}]", "1.6", []],
      // A second recipe shares them, and so do fewer images.
      [
        "models: [fasterrcnn]\nlimits: [500, 2000]\nrecipes: [{name: a, train_head: true}, " +
        "{name: b, train_head: true, lr: 0.01, epochs: 2, batch_size: 64}]",
        "1.6",
        [],
      ],
    ] as const;
    for (const [config, gigabytes, seeds] of cases) {
      const text = `out: x\nseeds: [1, 2, 3]\n${config}`;
      const { code, output } = await plan(cwd, text, "--printshellcmds");
      assertEquals(code, 0, output);
      assertStringIncludes(output, ` and ${gigabytes} GB of features in the cache`);
      const prepared = [...output.matchAll(/part4 .*? --epochs 1 .*? --json /gs)];
      const given = prepared.map(([words]) => / --seed (\d) /.exec(words)?.[1] ?? "");
      assertEquals(given.sort(), [...seeds]);
    }
  }));

test("a run asks for memory by its device, batch and head", () =>
  withFolder({}, async (cwd) => {
    const megabytes = async (config: string) => {
      const { code, output } = await plan(cwd, `out: x\nseeds: [1]\nlimits: [2500]\n${config}`);
      assertEquals(code, 0, output);
      const found = output.matchAll(/wildcards: run=(\S+)-seed1$[^]*?\bmem_mb=(\d+)/gm);
      return new Map([...found].map(([, name, number]) => [name!, Number(number)]));
    };
    const recipes = [
      "{name: usual}",
      "{name: large, batch_size: 2500, models: [simplecnn]}",
      "{name: head, train_head: true}",
    ];
    const models = "models: [simplecnn, fasterrcnn]\n";
    const found = await megabytes(`${models}recipes: [${recipes.join(", ")}]`);
    const of = (name: string) => found.get(name)!;
    const usual = of("simplecnn-mnist-2500-usual");
    assert(usual > 1000 && of("simplecnn-mnist-2500-large") > 2 * usual, `${[...found]}`);
    const detector = of("fasterrcnn-mnist-all-usual");
    assert(of("fasterrcnn-mnist-2500-head") > detector + 1500, `${[...found]}`);
    const [[, onGpu]] = [...await megabytes("models: [simplecnn]\ndevice: gpu")] as [
      [string, number],
    ];
    assert(onGpu > 1.5 * usual, `${onGpu}`);
  }));
