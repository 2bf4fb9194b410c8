import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type BenchContext, startOurs } from "../../bench/context.ts";
import type { Program } from "../../bench/child.ts";
import { checkEnoughImages, checkStudyImages, sizeNote } from "../../bench/image_counts.ts";
import { measureMemory } from "../../bench/memory.ts";
import { measureScaling } from "../../bench/scaling.ts";
import { measurePart4 } from "../../bench/whole_part4.ts";
import { loadDataset } from "../../data/load_dataset.ts";
import { StudyError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import type { PairedTiming } from "../../report/record/bench_results.ts";
import { idxImages, idxLabels, withFolder, writeFiles } from "../data/idx_samples.ts";
import { benchContext } from "./bench_context.ts";

const STUDY = { train: 60_000, test: 10_000 };
/** A tenth of the training images, a quarter of the test images. */
const FEW = { train: 6_000, test: 2_500 };

/** The value after a flag; undefined without that flag. */
function valueOf({ args }: Program, flag: string): string | undefined {
  return args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined;
}

/**
 * Runs a case of part 4 whose programs would take a second, and a tenth of one for each image; a fifth
 * of that if PyTorch computes features once.
 */
async function part4(
  name: Parameters<typeof measurePart4>[1],
  images: BenchContext["images"],
): Promise<{ timing: PairedTiming; once: PairedTiming; sizes: (string | undefined)[][] }> {
  const context = benchContext(images);
  const sizes: (string | undefined)[][] = [];
  const places = { folder: "out", idx: "idx", missing: undefined };
  await measurePart4(context, name, places, (program) => {
    const [limit, testLimit] = [valueOf(program, "--limit"), valueOf(program, "--test-limit")];
    const once = program.args.includes("--cache-features");
    sizes.push([limit, testLimit, ...(once ? ["once"] : [])]);
    const pace = once ? 50 : 10;
    return Promise.resolve({ units: 1, seconds: 1 + Number(limit ?? images.train) / pace });
  });
  assertEquals(context.done, [name], "the case is done with when both peers are");
  const last = (label: RegExp) => context.found.findLast(({ theirs }) => label.test(theirs.label))!;
  return { timing: last(/^the study's/), once: last(/features computed once/), sizes };
}

Deno.test("a whole run of part 4 counts the images that the data set has", async () => {
  const { timing, sizes } = await part4("part4-alexnet", FEW);
  const once = [["960", "400", "once"], ["1920", "800", "once"]];
  assertEquals(sizes, [[undefined, undefined], ["960", "400"], ["1920", "800"], ...once]);
  assertEquals(timing.ours.timings, [{ units: 6_000, seconds: 601 }]);
  assertEquals(timing.theirs.timings, [{ units: 960, seconds: 96 }]);
  assertStringIncludes(
    timing.note!,
    "with 6,000 training and 2,500 test images instead of the study's 60,000 training and " +
      "10,000 test images; the study's procedure on 960 and 1920 training images (with 400 " +
      "and 800 test images) took ",
  );
  const whole = await part4("part4-alexnet", STUDY);
  assertEquals(whole.sizes.slice(0, 3), [[undefined, undefined], ["960", "160"], ["1920", "320"]]);
  assertEquals(whole.timing.ours.timings, [{ units: 60_000, seconds: 6001 }]);
  assertEquals(whole.timing.note!.startsWith("60000 images; the study's procedure"), true);
});

Deno.test("two sets of images are extended to those that the data set has", async () => {
  const { timing, sizes } = await part4("part4-vgg16", FEW);
  assertEquals(
    sizes.slice(0, 4),
    [["1536", "640"], ["3072", "1280"], ["128", "54"], ["384", "160"]],
  );
  const [{ units, seconds }] = timing.ours.timings as [PairedTiming["ours"]["timings"][0]];
  assertEquals([units, Math.round(seconds)], [6_000, 601]);
  const whole = await part4("part4-vgg16", STUDY);
  assertEquals(whole.timing.ours.timings[0]!.units, 60_000);
});

Deno.test("a whole run of part 4 is set beside PyTorch with features computed once, too", async () => {
  const { timing, once, sizes } = await part4("part4-vgg16", STUDY);
  assertEquals(sizes.length, 6); // Ours is run once for both.
  assertEquals(once.ours, timing.ours);
  assertEquals([once.case, once.title], [timing.case, timing.title]);
  const [{ units, seconds }] = once.theirs.timings as [PairedTiming["theirs"]["timings"][0]];
  assertEquals([units, Number(seconds.toFixed(6))], [256, 5.12]);
  assertStringIncludes(once.note!, "PyTorch with features computed once on 128 and 384 training");
  assertStringIncludes(once.note!, "ours on 1536 and 3072 training images");
  assert(!once.note!.includes("the study's procedure"));
});

Deno.test("a whole run of part 4 is one of each side, and says so where pairs were asked for", async () => {
  const places = { folder: "out", idx: "idx", missing: undefined };
  for (const pairs of [1, 3]) {
    const lines: string[] = [];
    const reporter = { ...silentReporter, line: (text: string) => void lines.push(text) };
    const context = { ...benchContext(STUDY), pairs, reporter };
    const run = () => Promise.resolve({ units: 1, seconds: 1 });
    await measurePart4(context, "part4-alexnet", places, run);
    const said = lines.filter((line) => line.includes("--pairs"));
    assertEquals(
      said,
      pairs === 1 ? [] : ["part4-alexnet is one run of each side, whatever --pairs says"],
    );
    assertEquals(context.found.at(-1)!.ours.timings.length, 1);
  }
});

Deno.test("a whole run of part 4 is refused where there are fewer images than it takes", async () => {
  for (const name of ["part4-alexnet", "part4-vgg16"] as const) {
    const { timing, sizes } = await part4(name, { train: 1_500, test: 250 });
    assertEquals([timing.ours.timings, sizes], [[], []]);
    const most = name === "part4-alexnet" ? "1,920" : "3,072";
    assertStringIncludes(
      timing.note!,
      `this takes at least ${most} training images: the data set has 1,500 training and 250 ` +
        "test images",
    );
  }
});

Deno.test("memory and scaling are refused where there are not as many images as they say", async () => {
  const context = benchContext(FEW);
  for (const name of ["memory", "memory-alexnet", "memory-vgg16"] as const) {
    await assertRejects(
      () => measureMemory(context, name, "/no/such/folder"),
      StudyError,
      // Elsewhere it cannot be measured at all.
      Deno.build.os === "linux" ? "60,000 training and 10,000 test images" : "Linux",
    );
  }
  await assertRejects(
    () => measureScaling(context, "/no/such/folder"),
    StudyError,
    "this takes at least 60,000 training and 1,000 test images: the data set has 6,000 training",
  );
});

Deno.test("checkStudyImages(), checkEnoughImages() and sizeNote() pass the study's size over", () => {
  checkStudyImages(STUDY);
  checkStudyImages(FEW, { test: 2_500 });
  assertThrows(() => checkStudyImages({ ...STUDY, train: 60_001 }), StudyError);
  assertThrows(
    () => checkStudyImages(FEW, { test: 10_000 }),
    StudyError,
    "takes 10,000 test images",
  );
  checkEnoughImages(FEW, FEW);
  checkEnoughImages(FEW, { test: 1 });
  assertThrows(() => checkEnoughImages(FEW, { test: 2_501 }), StudyError, "at least 2,501 test");
  assertEquals(sizeNote(STUDY), undefined);
  assertStringIncludes(sizeNote({ ...STUDY, test: 9_999 })!, "9,999 test images instead of");
});

Deno.test("our side says how many images it has loaded, and times none that are too few", async () => {
  await withFolder(async (data) => {
    const labels = (count: number) => idxLabels(...Array.from({ length: count }, (_, i) => i % 10));
    await writeFiles(data, {
      "train-images-idx3-ubyte": idxImages(300),
      "train-labels-idx1-ubyte": labels(300),
      "t10k-images-idx3-ubyte": idxImages(40),
      "t10k-labels-idx1-ubyte": labels(40),
    });
    const worker = await startOurs(
      { data, backend: "auto", threads: 2, engineFlags: [] },
      "float32",
    );
    try {
      assertEquals(worker.info.images, { train: 300, test: 40 });
      const { name, sha256 } = await loadDataset({ data, reporter: silentReporter });
      assertEquals(worker.info.dataset, { name, sha256 });
      const request = { variant: "default", precision: "float32", seconds: 0.01 } as const;
      const has = "the data set has 300 training and 40 test images";
      await assertRejects(
        () => worker.run({ ...request, case: "inference" }),
        StudyError,
        `this takes 10,000 test images: ${has}`,
      );
      await assertRejects(
        () => worker.run({ ...request, case: "step" }),
        StudyError,
        `this takes at least 12,800 training images: ${has}`,
      );
    } finally {
      await worker.stop();
    }
  });
});
