import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { ModelComparison } from "../../../report/analysis/comparison.ts";
import { meanInterval } from "../../../report/analysis/statistics.ts";
import { analyseSweeps } from "../../../report/analysis/sweeps.ts";
import type { ResultRow } from "../../../report/record/result_row.ts";
import { compared } from "../figures/drawn_figures.ts";

/** A model with runs of these accuracies for each setting, seeds counted from 1. */
function model(name: string, settings: [Partial<ResultRow>, number[]][]): ModelComparison {
  return compared(
    name,
    settings.flatMap(([row, accuracies]) =>
      accuracies.map((accuracy, i) => ({ ...row, accuracy, seed: i + 1 }))
    ),
  );
}

Deno.test("meanInterval() is scipy's t interval of the mean", () => {
  // scipy.stats.t.interval(0.95, 2, loc=mean, scale=sd / sqrt(3)) of 99.1, 99.2 and 99.4
  const { low, high } = meanInterval({ n: 3, mean: 99.23333333333333, sd: 0.15275252316519994 })!;
  assertAlmostEquals(low, 98.85387502997366, 1e-6);
  assertAlmostEquals(high, 99.61279163669303, 1e-6);
  assertEquals(meanInterval({ n: 1, mean: 1, sd: NaN }), null);
});

Deno.test("a distribution takes three seeds, and a published value the study's own setting", () => {
  const { distributions } = analyseSweeps([
    model("SimpleCNN", [
      [{}, [99.4, 99.1, 99.2]],
      [{ train_images: 300 }, [90, 92, 91]],
      [{ train_images: 1000 }, [95, 96]],
    ]),
  ]);
  assertEquals(
    distributions.map(({ row, accuracies }) => [row.train_images, accuracies]),
    [[300, [90, 91, 92]], [60_000, [99.1, 99.2, 99.4]]],
  );
  const [few, all] = distributions;
  assertEquals(few!.published, null);
  assertEquals(all!.published, { accuracy: 99.27, below: 2 });
  assert(
    all!.next!.low < all!.mean!.low && all!.mean!.low < 99.1,
    "one run varies more than the mean",
  );
});

Deno.test("a curve is of runs that differ in the number of training images and the seed alone", () => {
  const { curves } = analyseSweeps([
    model("SimpleCNN", [
      [{ train_images: 60_000 }, [99.1, 99.2]],
      [{ train_images: 300 }, [90, 92]],
      [{ train_images: 1000, epochs: 5 }, [95]],
    ]),
    model("alexnet_FineTuned", [[{ train_images: 300 }, [80]], [{ train_images: 1000 }, [85]]]),
    model("vgg16_FineTuned", [[{}, [99]]]),
    model("FasterRCNN_Adapted", [[{ train_images: null }, [11]], [{ train_images: 0 }, [12]]]),
  ]);
  assertEquals(
    curves.map(({ row, points }) => [
      row.model,
      points.map(({ images, accuracy, mean }) => [images, accuracy.mean, mean === null]),
    ]),
    [
      ["SimpleCNN", [[300, 91, false], [60_000, 99.15, false]]],
      ["alexnet_FineTuned", [[300, 80, true], [1000, 85, true]]],
    ],
  );
});

Deno.test("the best setting is tested against every other, and p is Holm's", () => {
  const { contests } = analyseSweeps([
    model("SimpleCNN", [
      [{}, [99.1, 99.2, 99.3]],
      [{ batch_size: 64 }, [99.4, 99.3, 99.5]],
      [{ batch_size: 32 }, [99.9]],
      [{ train_images: 300 }, [90, 91]],
    ]),
    model("SimpleCNN_Fast", [[{ epochs: 4 }, [99.4, 99.5, 99.45]]]),
  ]);
  assertEquals(contests.length, 1);
  const [{ title, settings, leftOut }] = contests as [typeof contests[0]];
  assertEquals([title, leftOut], ["SimpleCNN", 1]);
  assertEquals(settings.map(({ row }) => row.batch_size), [128, 64, 128]);
  assertEquals(settings[0]!.row.model, "SimpleCNN_Fast");
  // scipy.stats.ttest_ind(equal_var=False): 0.0315622 and 0.4960554, the smaller one twice
  assertEquals(settings[0]!.p, NaN);
  assertAlmostEquals(settings[1]!.p, 0.496055374458433, 1e-6);
  assertAlmostEquals(settings[2]!.p, 2 * 0.03156223162568073, 1e-6);
  assertAlmostEquals(settings[2]!.behind, 0.25, 1e-9);
});

Deno.test("seeds that are all alike, and accuracies that cannot be, test and show nothing", () => {
  const unknown = { test_images: null, evaluated_images: null };
  const { contests, distributions } = analyseSweeps([
    // Three times 99.1 have a standard deviation of 1.7e-14.
    model("SimpleCNN", [[unknown, [99.1, 99.1, 99.1]], [{ ...unknown, epochs: 2 }, [90, 90, 90]]]),
    model("vgg16_FineTuned", [[{}, [1e300, 2, 3]], [{ epochs: 2 }, [-1, 2, 3]]]),
  ]);
  assertEquals(contests.map(({ settings }) => settings.map(({ p }) => p)), [[NaN, NaN]]);
  assertEquals(distributions.map(({ row, mean, next }) => [row.model, mean, next]), [
    ["SimpleCNN", null, null],
    ["SimpleCNN", null, null],
  ]);
});

Deno.test("seeds that are all alike are as far apart as whole images can tell, where these are known", () => {
  const of = (images: number, other: number) => {
    const known = { test_images: images, evaluated_images: images };
    return analyseSweeps([
      model("SimpleCNN", [[known, [99, 99]], [{ ...known, epochs: 2 }, [other, other]]]),
    ]).contests[0]!.settings[1]!.p;
  };
  // scipy.stats.t.sf(1 / se, 2) twice, se being one image's share over sqrt(12): a closed form.
  const p = (t: number) => 1 - t / Math.sqrt(2 + t * t);
  assertAlmostEquals(of(100, 98), p(Math.sqrt(12)), 1e-6);
  assertAlmostEquals(of(10_000, 98), p(100 * Math.sqrt(12)), 1e-8);
});

Deno.test("an interval ends where accuracies do", () => {
  const { distributions, curves } = analyseSweeps([
    model("SimpleCNN", [[{}, [99, 99.9, 100]], [{ train_images: 300 }, [2, 20, 40]]]),
  ]);
  const [few, all] = distributions;
  assertEquals([few!.next, few!.mean!.low], [{ low: 0, high: 100 }, 0]);
  assertEquals([all!.next!.high, all!.mean!.high], [100, 100]);
  assertAlmostEquals(all!.next!.low, 96.9, 0.1);
  assertEquals(curves[0]!.points.map(({ mean }) => mean), [few!.mean, all!.mean]);
});
