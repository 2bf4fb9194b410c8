import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { INFERENCE_CLOCK } from "../../../report/analysis/seed_aggregates.ts";
import { scorePredictions } from "../../../report/analysis/test_scores.ts";
import type { ResultRow } from "../../../report/record/result_row.ts";
import type { Json, Manifest } from "../../../report/record/run_folder.ts";
import {
  compared,
  CONFUSED,
  COST,
  CURVES,
  detector,
  draw,
  type Drawn,
  evaluation,
  F1,
  history,
  images,
  labels,
  predictions,
  scores,
  SHEET,
  simpleCnn,
  SPEED,
  targets,
} from "./drawn_figures.ts";
import { svgTexts } from "./well_formed.ts";

const MANIFEST: Manifest = {
  run_id: "r0",
  started_at: "2026-01-31T12:00:00.000Z",
  part: 1,
  model: "SimpleCNN",
  settings: {},
  versions: {},
  machine: {},
  git: null,
};

Deno.test("writeFigures() draws what there are data for", async () => {
  await draw([simpleCnn, detector], ({ figures, problems }) => {
    assertEquals(figures.map(({ file }) => file), [CURVES, COST, F1, SPEED, CONFUSED, SHEET]);
    assertEquals(problems, []);
  });
  await draw([detector], ({ figures }) => assertEquals(figures.map(({ file }) => file), [SPEED]));
});

Deno.test("writeFigures() draws nothing of models without an ok run", async () => {
  const failed = compared("SimpleCNN", [{ status: "error" }], { history, evaluation });
  const absent = compared("vgg16_FineTuned", []);
  await draw([failed, absent], ({ figures, problems }) => {
    assertEquals([figures, problems], [[], []]);
  });
});

Deno.test("writeFigures() writes the same bytes again, and in another order of calls", async () => {
  const read = async ({ folder, figures }: Drawn) =>
    await Promise.all(figures.map(({ file }) => Deno.readFile(join(folder, file))));
  let first: Uint8Array[] = [];
  await draw([simpleCnn, detector], async (drawn) => void (first = await read(drawn)));
  await draw([detector], () => {});
  await draw([simpleCnn, detector], async (drawn) => assertEquals(await read(drawn), first));
});

Deno.test("learning curves show ours and the published ones", async () => {
  await draw([simpleCnn], async ({ figures, read }) => {
    const svg = await read(CURVES);
    const texts = svgTexts(svg);
    for (const text of ["SimpleCNN\nmnist, seed 1", "ours", "published", "Epoch"]) {
      assert(texts.includes(text), text);
    }
    assertEquals(lineLengths(svg), [2, 10]);
    assertEquals(
      figures[0]!.alt,
      "Training accuracy by epoch. SimpleCNN (mnist, seed 1): 91.50 % in epoch 1 to 97.25 % in 2; " +
        "published 95.60 % in epoch 1 to 99.47 % in 10.",
    );
  });
});

Deno.test("learning curves leave out an epoch without accuracy, and curves that are not there", async () => {
  const extraction = { epoch: 0, train_loss: NaN, train_accuracy: NaN, time_s: 9 };
  const own = compared("Own", [{}], { history: [extraction, ...history] });
  await draw([own], async ({ read, figures }) => {
    const svg = await read(CURVES);
    assertEquals(lineLengths(svg), [2]);
    assert(!svgTexts(svg).includes("published"));
    assertStringIncludes(figures[0]!.alt, "91.50 % in epoch 1 to 97.25 % in 2.");
  });
});

Deno.test("learning curves of several seeds have each curve and their mean", async () => {
  const second = history.map((row) => ({ ...row, train_accuracy: row.train_accuracy + 1 }));
  const seeds = { history, seedHistories: [second, history.slice(0, 1)] };
  await draw([compared("SimpleCNN", [{}], seeds)], async ({ figures, read }) => {
    const svg = await read(CURVES);
    // The mean is drawn where all three have a point.
    assertEquals(lineLengths(svg).sort(), [1, 1, 10, 2, 2]);
    assert(svgTexts(svg).includes("SimpleCNN\nmnist, mean of 3 seeds"));
    assertStringIncludes(
      figures[0]!.alt,
      "(mnist, mean of 3 seeds): 91.83 % in epoch 1; published",
    );
  });
});

Deno.test("of a single epoch a learning curve has each seed as a dot, and says so", async () => {
  const [first] = history;
  const others = [1, 2].map((more) => [
    { ...first!, train_accuracy: first!.train_accuracy + more },
  ]);
  const one = compared("Own", [{}], { history: [first!], seedHistories: others });
  await draw([one], async ({ figures, read }) => {
    // Three seeds and their mean.
    const groups = (await read(CURVES)).match(/class="mark-symbol role-mark[^>]*>.*?<\/g>/gs) ?? [];
    assertEquals(groups.join("").split("<path").length - 1, 4);
    assertStringIncludes(figures[0]!.caption, "hollow dots are the seeds and the filled dot");
  });
});

Deno.test("learning curves have the test accuracy where it was recorded", async () => {
  const evaluations = [[1, 90], [2, 96]].map(([epoch, test_accuracy]) => ({
    epoch: epoch!,
    test_loss: 0.1,
    test_accuracy: test_accuracy!,
  }));
  const recorded = compared("SimpleCNN", [{}], { history, evaluations: [evaluations] });
  await draw([recorded], async ({ figures, read }) => {
    const svg = await read(CURVES);
    assertEquals(lineLengths(svg), [2, 2, 10]);
    assert(svgTexts(svg).includes("ours, test images"));
    assertStringIncludes(
      figures[0]!.alt,
      "97.25 % in 2; on the test images 90.00 % in epoch 1 to 96.00 % in 2; published",
    );
  });
});

Deno.test("the confusion matrix has every count, and names the most frequent mistakes", async () => {
  await draw([simpleCnn], async ({ figures, read }) => {
    const texts = svgTexts(await read(CONFUSED));
    const counts = evaluation.confusion.flat().filter((count) => count > 0).map(String);
    const drawn = texts.filter((text) => /^\d+$/.test(text)).sort();
    const axes = [..."0123456789", ..."0123456789"];
    assertEquals(drawn, [...counts, ...axes].sort());
    assert(texts.includes("100 images of mnist, seed 1"));
    const { alt } = figures.find(({ file }) => file === CONFUSED)!;
    assertStringIncludes(
      alt,
      "88 of 100 images on the diagonal; most frequent mistakes: 0 as 1 (2), ",
    );
  });
});

Deno.test("the confusion matrix says how many images have no detection", async () => {
  const some = predictions.map((prediction, i) => i < 7 ? -1 : prediction);
  const detected = scorePredictions({ targets, predictions: some, scores });
  await draw([compared("SimpleCNN", [{}], { evaluation: detected })], async ({ figures, read }) => {
    const texts = svgTexts(await read(CONFUSED));
    assert(texts.includes("93 images of mnist, seed 1; 7 without a detection are left out"));
    const { alt } = figures.find(({ file }) => file === CONFUSED)!;
    assertStringIncludes(alt, "7 more without a detection");
  });
});

Deno.test("F1 of each class stands in the cells, one row per model", async () => {
  const other = compared("vgg16_FineTuned", [{}], { evaluation });
  await draw([simpleCnn, other], async ({ figures, read }) => {
    const texts = svgTexts(await read(F1));
    const cells = texts.filter((text) => /^\d\.\d{3}$/.test(text));
    const expected = evaluation.classes.map(({ f1 }) => f1.toFixed(3));
    const legend = "0.001";
    assertEquals(cells.sort(), [legend, ...expected, ...expected].sort());
    const { alt } = figures.find(({ file }) => file === F1)!;
    assertMatch(
      alt,
      /SimpleCNN \(mnist, seed 1\): from 0\.\d{3} \(class \d\) to \d\.\d{3} \(class/,
    );
  });
});

Deno.test("accuracy against time has the mean of the seeds and the published point", async () => {
  const seeds = [{ accuracy: 98, training_time_s: 10 }, { accuracy: 99, training_time_s: 30 }];
  await draw([compared("SimpleCNN", seeds)], ({ figures }) => {
    assertEquals(
      figures[0]!.alt,
      "Test accuracy against training time, means over the seeds on mnist. " +
        "SimpleCNN: ours 98.50 % in 20.0 s, published 99.27 % in 144 s.",
    );
  });
});

Deno.test("accuracy against time names machines that differ, and models of one seed", async () => {
  const machine = { processor: "AMD EPYC", cores: 2, device: "CPU" };
  const model = { processor_model: "family 26, model 2" };
  const on = (name: string, rows: Partial<ResultRow>[], more: Record<string, Json> = {}) =>
    compared(name, rows, { manifest: { ...MANIFEST, machine: { ...machine, ...more } } });
  const seeds = [{ accuracy: 99 }, { accuracy: 98.8 }];
  const models = [on("A", seeds), on("B", [{}]), on("C", seeds, model)];
  await draw(models, async ({ figures, read }) => {
    const { caption, alt } = figures.find(({ file }) => file === COST)!;
    assertStringIncludes(caption, "where there is more than one seed (not of B)");
    assertStringIncludes(caption, "AMD EPYC, 2 cores unless the legend names another");
    assertStringIncludes(
      alt,
      "C: ours 98.90 % in 121 s on AMD EPYC (family 26, model 2), 2 cores.",
    );
    const texts = svgTexts(await read(COST));
    assert(texts.includes("C\nAMD EPYC (family 26, model 2), 2 cores"), texts.join("|"));
    assert(texts.includes("A") && texts.includes("B"));
  });
  await draw(models.slice(0, 2), ({ figures }) => {
    const { caption } = figures.find(({ file }) => file === COST)!;
    assert(!caption.includes("different kinds of machine"));
  });
});

Deno.test("time per image names the card in full, whatever its processor is called", async () => {
  const machine = {
    ...{ processor: "Intel(R) Xeon(R) Processor", cores: 16 },
    device: "NVIDIA H100 80GB HBM3",
  };
  const rows = [{ inference_ms_per_image: 0.1 }];
  const models = ["", ", the long name of a processor that goes on"].map((more, i) => {
    const processor = machine.processor + more;
    const manifest = { ...MANIFEST, machine: { ...machine, processor } };
    return compared(`M${i}`, rows, { manifest });
  });
  await draw(models, async ({ read }) => {
    const texts = svgTexts(await read(SPEED));
    const card = "16 cores, NVIDIA H100 80GB HBM3)";
    assert(texts.includes(`0.100 ms (Intel Xeon, ${card}`), texts.join("|"));
    assert(texts.includes(`0.100 ms (Intel Xeon, th…, ${card}`), texts.join("|"));
  });
});

Deno.test("accuracy against time leaves out times that are no times", async () => {
  const odd = [-5, 0, NaN, Infinity, "N/A (Inference Only)", null];
  const models = odd.map((training_time_s, i) => compared(`m${i}`, [{ training_time_s }]));
  await draw(models, ({ figures }) => assertEquals(figures, []));
});

Deno.test("time per image sets published times beside ours", async () => {
  await draw([simpleCnn, detector], async ({ read, figures }) => {
    const texts = svgTexts(await read(SPEED));
    for (const text of ["0.0800 ms (cpu)", "1235 ms (cpu)", "80.9 ms"]) {
      assert(texts.includes(text), `${text} in ${texts}`);
    }
    const { alt, caption } = figures.find(({ file }) => file === SPEED)!;
    assertStringIncludes(alt, "FasterRCNN_Adapted, published: 80.9 ms.");
    assertStringIncludes(caption, INFERENCE_CLOCK);
  });
});

Deno.test("each learning curve has an axis of epochs of its own", async () => {
  const long = Array.from({ length: 30 }, (_, i) => ({ ...history[0]!, epoch: i + 1 }));
  const models = [compared("Long", [{}], { history: long }), compared("Short", [{}], { history })];
  await draw(models, async ({ read }) => {
    // Both end where their panel ends, one after 30 epochs, the other after two.
    const ends = [...(await read(CURVES)).matchAll(/class="mark-line[^"]*"[^>]*>.*?d="([^"]*)"/gs)]
      .map(([, d]) => Number(d!.match(/L([\d.]+),[^L]*$/)![1]));
    assertEquals(ends.length, 2);
    assertEquals(ends[0], ends[1]);
  });
});

Deno.test("accuracy against time fills its height with the points, wherever they are", async () => {
  for (const [first, second] of [[99.2, 99.4], [10, 99.4], [12, 12]]) {
    const models = [first!, second!].map((accuracy, i) =>
      compared(`m${i}`, [{ accuracy, training_time_s: 10 * (i + 1) }])
    );
    await draw(models, async ({ read }) => {
      const svg = await read(COST);
      const points = [...svg.matchAll(/translate\(([\d.]+),([\d.]+)\)" d="[^"]*" /g)];
      const heights = points.map(([, , y]) => Number(y));
      const spread = Math.max(...heights) - Math.min(...heights);
      assert(first === second || spread > 0.8 * 320, `${spread} of 320 pixels`);
    });
  }
});

Deno.test("time per image is drawn as dots, each with its device", async () => {
  const manifest = { ...MANIFEST, machine: { processor: "AMD EPYC", cores: 2, device: "CPU" } };
  await draw([{ ...simpleCnn, manifest }, detector], async ({ read }) => {
    const svg = await read(SPEED);
    const texts = svgTexts(svg);
    for (const text of ["0.0800 ms (AMD EPYC, 2 cores)", "published, Colab GPU"]) {
      assert(texts.includes(text), `${text} in ${texts}`);
    }
    assert(!/class="mark-rect/.test(svg));
    assertEquals(
      svg.match(/class="mark-symbol role-mark[^>]*>(.*?)<\/g>/s)![1]!.split("<path").length,
      4,
    );
  });
  const newer = { ...MANIFEST, machine: { ...manifest.machine, processor_model: "family 26" } };
  const both = [{ ...simpleCnn, manifest }, { ...detector, manifest: newer }];
  await draw(both, async ({ read }) => {
    const texts = svgTexts(await read(SPEED));
    for (const device of ["AMD EPYC, 2 cores", "AMD EPYC (family 26), 2 cores"]) {
      assert(texts.some((text) => text.endsWith(`ms (${device})`)), `${device} in ${texts}`);
    }
  });
});

Deno.test("every figure says how it is to be read", async () => {
  await draw([simpleCnn, detector], ({ figures }) => {
    for (const { caption, file } of figures) assertMatch(caption, /^[A-Z].{40,}\.$/, file);
  });
});

Deno.test("the contact sheet has the wrong predictions with the highest scores", async () => {
  await draw([simpleCnn], async ({ read, figures }) => {
    const svg = await read(SHEET);
    assertStringIncludes(svg, 'width="800" height="260"');
    // Every ninth prediction is wrong, and its grey is its index.
    const drawn = [...svg.matchAll(/<title>Image (\d+): /g)].map(([, index]) => Number(index));
    assertEquals(drawn, [0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99]);
    const shades = [...svg.matchAll(/stroke-opacity="([\d.]+)"/g)].map(([, shade]) => shade);
    const expected = drawn.map((grey) => Number((Math.round(grey / 17) / 15).toFixed(2)));
    assertEquals(shades.map(Number), expected.filter((shade) => shade > 0));
    const { alt } = figures.find(({ file }) => file === SHEET)!;
    assertStringIncludes(alt, "The 12 wrong predictions of SimpleCNN");
    assertStringIncludes(alt, "the first is a 0 predicted as 1 (1.000).");
  });
});

Deno.test("a contact sheet is left out, and it is said why, without the right images", async () => {
  const absent = () => Promise.resolve(undefined);
  await draw([simpleCnn], ({ figures, problems }) => {
    assert(!figures.some(({ file }) => file === SHEET));
    assertEquals(problems, [`${SHEET}: not drawn: this machine does not have the images of mnist`]);
  }, absent);
  const others = () => Promise.resolve({ images, labels: labels.toReversed() });
  await draw([simpleCnn], ({ figures, problems }) => {
    assert(!figures.some(({ file }) => file === SHEET));
    assertEquals(problems, [
      `${SHEET}: not drawn: the targets in predictions.csv are not those of mnist`,
    ]);
  }, others);
});

Deno.test("images are looked for in the folder that the manifest names, on this machine alone", async () => {
  const asked: unknown[] = [];
  const testImages = (wanted: unknown) => {
    asked.push(wanted);
    return Promise.resolve(undefined);
  };
  const { row } = simpleCnn;
  const set = { name: row!.dataset, sha256: row!.dataset_sha256 };
  const folders = ["/data/digits", "digits", "//host/share", 7];
  for (const data_folder of folders) {
    const manifest = { ...MANIFEST, settings: { data_folder } };
    await draw([{ ...simpleCnn, manifest }], () => {}, testImages);
  }
  assertEquals(asked, [{ ...set, folder: "/data/digits" }, set, set, set]);
});

/** Points of each line in an SVG. */
function lineLengths(svg: string): number[] {
  const lines = [...svg.matchAll(/class="mark-line[^"]*"[^>]*>.*?<path [^>]*d="([^"]*)"/gs)];
  return lines.map(([, d]) => d!.match(/[ML]/g)!.length);
}
