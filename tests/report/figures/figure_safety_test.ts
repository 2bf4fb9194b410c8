import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { scorePredictions } from "../../../report/analysis/test_scores.ts";
import { COLOUR, FILL } from "../../../report/figures/theme.ts";
import { writeFigures } from "../../../report/figures/write_figures.ts";
import { ProblemList } from "../../../report/record/problems.ts";
import { withFolder } from "../result_rows.ts";
import {
  compared,
  comparison,
  CONFUSED,
  COST,
  CURVES,
  detector,
  draw,
  evaluation,
  F1,
  history,
  images,
  labels,
  predictions,
  scores,
  simpleCnn,
  targets,
} from "./drawn_figures.ts";
import { svgTexts } from "./well_formed.ts";

Deno.test("hostile names are harmless in files, figures and words", async () => {
  const names = [
    'a|b <script>alert("1")</script> & more',
    "../../../etc/passwd",
    "A|B <SCRIPT>alert('1')</SCRIPT> & MORE",
    "\u202egpj\u0000\u0007\n\ud800",
    "datum.x' + \"\\",
    "x".repeat(500),
    "数字",
  ];
  const models = names.map((name) =>
    compared(name, [{ dataset: `<${name}>`, device: name, inference_ms_per_image: 2 }], {
      history,
      evaluation,
    })
  );
  await draw(models, async ({ figures, folder, read }) => {
    const files = figures.map(({ file }) => file);
    assertEquals(files.length, 4 + 2 * names.length);
    assertEquals(new Set(files.map((file) => file.toLowerCase())).size, files.length);
    for (const file of files) assertMatch(file, /^figures\/[\w-]{1,80}\.(svg|png)$/);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["figures"]);
    for (const { alt, title } of figures) {
      assert(!/[\p{Cc}\p{Cf}\p{Cs}]/u.test(alt + title), title);
      assert(title.length < 80, title);
    }
    for (const file of files.filter((file) => file.endsWith(".svg"))) {
      const svg = await read(file);
      assert(!/<script|href|url\((?!#)|<image/i.test(svg), file);
    }
    const drawn = svgTexts(await read(F1));
    assert(drawn.includes('a|b <script>alert("1")</script> & more'));
    assert(drawn.includes("datum.x' + \"\\"));
    assert(drawn.includes("x".repeat(39) + "…"));
  });
});

Deno.test("many models are cut to a dozen, which is said", async () => {
  const models = Array.from({ length: 30 }, (_, i) => compared(`m${i}`, [{}], { evaluation }));
  await draw(models, ({ figures, problems }) => {
    assertEquals(figures.filter(({ file }) => file.includes("confusion")).length, 12);
    assertEquals(problems, ["figures: only the first 12 of 30 models are drawn"]);
  });
});

Deno.test("a prediction beyond ten classes is not drawn, which is said", async () => {
  const odd = scorePredictions({ targets, predictions: predictions.with(3, 500), scores });
  await draw([compared("SimpleCNN", [{}], { evaluation: odd })], ({ figures, problems }) => {
    assertEquals(figures.map(({ file }) => file), [COST]);
    assertEquals(problems, [`${CONFUSED}: not drawn: there are more than 10 classes`]);
  });
});

Deno.test("figures of a single value have readable axes", async () => {
  const single = compared("Own", [{ accuracy: 100, training_time_s: 120 }], {
    history: history.slice(0, 1),
  });
  await draw([single], async ({ read }) => {
    const [curve, cost] = [svgTexts(await read(CURVES)), svgTexts(await read(COST))];
    assert(curve.includes("91.5"), `${curve}`);
    for (const tick of ["100", "150"]) assert(cost.includes(tick), `${cost}`);
  });
});

Deno.test("writeFigures() removes its own figures of an earlier report, and nothing else", async () => {
  await withFolder({}, async (folder) => {
    const options = {
      testImages: () => Promise.resolve({ images, labels }),
      problems: new ProblemList(),
    };
    await writeFigures(comparison([simpleCnn]), folder, options);
    await Deno.writeTextFile(join(folder, "figures", "mine.svg"), "");
    await Deno.writeTextFile(join(folder, "figures", "confusion_mine.svg"), "");
    await writeFigures(comparison([detector]), folder, options);
    const left = [...Deno.readDirSync(join(folder, "figures"))].map(({ name }) => name).sort();
    assertEquals(left, [".written.json", "confusion_mine.svg", "inference_time.svg", "mine.svg"]);
  });
});

Deno.test("writeFigures() removes nothing that a list of files leads it to elsewhere", async () => {
  await withFolder({ "precious.svg": "" }, async (folder) => {
    await Deno.mkdir(join(folder, "figures"));
    const list = join(folder, "figures", ".written.json");
    for (const text of ['["../precious.svg", "sub/../../precious.svg", 1]', "{", "{}"]) {
      await Deno.writeTextFile(list, text);
      await writeFigures(comparison([]), folder, {
        testImages: () => Promise.resolve(undefined),
        problems: new ProblemList(),
      });
      assert((await Deno.stat(join(folder, "precious.svg"))).isFile);
    }
  });
});

Deno.test("a figure follows the reader's theme and describes itself", async () => {
  await draw([simpleCnn], async ({ figures, read }) => {
    for (const { file, title, alt } of figures.filter(({ file }) => file.endsWith(".svg"))) {
      const svg = await read(file);
      const head =
        /^<svg [^>]* role="img"><title>([^<]*)<\/title><desc>([^<]*)<\/desc><style>([^<]*)/;
      const [, inTitle, inDesc, style] = svg.match(head)!;
      assertEquals([inTitle, inDesc], [title, alt]);
      assertStringIncludes(style!, "@media (prefers-color-scheme: dark)");
      // Whatever colour is drawn has its counterpart, but for filled cells and text on them.
      const same = new Set<string>(Object.values(FILL));
      const colours = [
        ...svg.slice(svg.indexOf("</style>")).matchAll(/(?:fill|stroke)="(#[^"]*)"/g),
      ];
      for (const [, colour] of colours) {
        if (!same.has(colour!)) assertStringIncludes(style!, `[fill="${colour}"]`);
      }
      assert(!/(fill|stroke)="(black|white|#000)/.test(svg), file);
    }
  });
});

Deno.test("whatever is drawn stands out from the canvas in both themes", async () => {
  await draw([simpleCnn], async ({ read }) => {
    const style = (await read(CURVES)).match(/<style>(.*?)<\/style>/)![1]!;
    const pairs = new Map(
      [...style.matchAll(/\[fill="(#\w{6})"\]\{fill:(#\w{6})\}/g)]
        .map(([, light, dark]) => [light!, dark!]),
    );
    assertEquals(pairs.size, 10);
    const darkCanvas = pairs.get(COLOUR.canvas)!;
    for (const [light, dark] of pairs) {
      if (light === COLOUR.canvas || light === COLOUR.line) continue;
      assert(contrast(light, COLOUR.canvas) >= 4.5, light);
      assert(contrast(dark, darkCanvas) >= 4.5, dark);
    }
  });
  assert(contrast(FILL.text, FILL.correct) >= 4.5 && contrast(FILL.text, FILL.wrong) >= 4.5);
});

/** WCAG's contrast of two colours, 1 to 21. */
function contrast(one: string, other: string): number {
  const [low, high] = [one, other].map((colour) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const value = parseInt(colour.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.05 + 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  }).sort((a, b) => a - b);
  return high! / low!;
}
