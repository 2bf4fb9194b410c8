import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { compared, draw, type Drawn } from "./drawn_figures.ts";
import { svgTexts, wellFormedElements } from "./well_formed.ts";

const SEEDS = "figures/accuracy_over_seeds.svg";
const SIZES = "figures/learning_set_size.svg";

const runs = [300, 1000, 60_000].flatMap((train_images, i) =>
  [0, 0.1, 0.3].map((off, seed) => ({ train_images, seed, accuracy: 90 + 4 * i + off }))
);

const figuresOf = ({ figures }: Drawn) => figures.map(({ file }) => file);

Deno.test("seeds and learning-set sizes are drawn where there are such runs", async () => {
  await draw([compared("SimpleCNN", runs)], async (drawn) => {
    assert(figuresOf(drawn).includes(SEEDS) && figuresOf(drawn).includes(SIZES));
    assertEquals(drawn.problems, []);
    const seeds = svgTexts(await drawn.read(SEEDS)).join("\n");
    assertStringIncludes(seeds, "SimpleCNN");
    assertStringIncludes(seeds, "300 / 10,000 images, 3 seeds");
    const sizes = svgTexts(await drawn.read(SIZES)).join("\n");
    assertStringIncludes(sizes, "Training images, logarithmic");
    assertStringIncludes(sizes, "Test error (%), logarithmic");
    assertStringIncludes(sizes, "SimpleCNN");
    const { alt } = drawn.figures.find(({ file }) => file === SIZES)!;
    assertStringIncludes(alt, "90.13 % with 300, 94.13 % with 1,000, 98.13 % with 60,000");
  });
  await draw([compared("SimpleCNN", runs.slice(0, 2))], (drawn) => {
    assert(!figuresOf(drawn).includes(SEEDS) && !figuresOf(drawn).includes(SIZES));
  });
});

Deno.test("seeds without any spread, one size twice and hostile names are drawn all the same", async () => {
  const alike = runs.map((run) => ({ ...run, accuracy: 100 }));
  for (const name of ["SimpleCNN", "constructor", "#1 \\n' + alert(1)", "a".repeat(300)]) {
    await draw([compared(name, alike), compared(`${name} `, alike)], (drawn) => {
      assertEquals(drawn.problems, []);
      assert(figuresOf(drawn).includes(SEEDS) && figuresOf(drawn).includes(SIZES));
    });
  }
});

Deno.test("no run is expected beyond 0 and 100 %, nor where there is nothing to tell it by", async () => {
  const altOf = async (rows: { accuracy: number; seed: number; test_images?: null }[]) => {
    let found = "";
    await draw([compared("SimpleCNN", rows)], ({ figures }) => {
      found = figures.find(({ file }) => file === SEEDS)!.alt;
    });
    return found;
  };
  const seeds = [2, 20, 40].map((accuracy, seed) => ({ accuracy, seed }));
  assertStringIncludes(await altOf(seeds), "one more run is expected from 0.00 to 100.00 %.");
  const unknown = { accuracy: 40, test_images: null, evaluated_images: null };
  const alt = await altOf([1, 2, 3].map((seed) => ({ ...unknown, seed })));
  assertStringIncludes(alt, "mean 40.00 %.");
});

Deno.test("a thousand seeds of many settings stay a figure of bounded size", async () => {
  const many = Array.from(
    { length: 20 },
    (_, setting) =>
      Array.from({ length: 1000 }, (_, seed) => ({
        train_images: 1000 * (setting + 1),
        seed,
        accuracy: 95 + Math.sin(seed) + setting / 20,
      })),
  );
  await draw([compared("SimpleCNN", many.flat())], async (drawn) => {
    for (const file of [SEEDS, SIZES]) {
      const svg = await drawn.read(file);
      wellFormedElements(svg);
      assert(svg.length < 1_500_000, `${file}: ${svg.length}`);
    }
    const { caption } = drawn.figures.find(({ file }) => file === SEEDS)!;
    assertStringIncludes(caption, " quantiles are shown");
  });
});
