/** The recipes' trials: their file, their table, and what a recipe is compared with. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { candidatesOf } from "../../bench/recipe_candidates.ts";
import {
  addTrial,
  checkTrials,
  formatTrials,
  parseTrials,
  readTrials,
  type RecipeTrial,
  renderTrials,
  trialsTitle,
  WHOLE,
} from "../../bench/recipe_trials.ts";
import { StudyError } from "../../io/errors.ts";
import { SIMPLE_CNN_FAST, type TrainingSettings } from "../../study.ts";
import { withFolder } from "../report/result_rows.ts";

const TRIAL: RecipeTrial = {
  recipe: "fast",
  candidate: WHOLE,
  seed: 1,
  accuracy: 99.31,
  seconds: 12.5,
  precision: "bfloat16",
  settings: '{"epochs":1,"recipe":{"labelSmoothing":0.1}}',
};

Deno.test("parseTrials() reads what formatTrials() has written, and passes over what is damaged", () => {
  const trials = [TRIAL, { ...TRIAL, candidate: "without Muon, for all", seed: 2 }];
  const text = formatTrials(trials);
  assertEquals(parseTrials(text), trials);
  assertEquals(parseTrials(`${text}fast,the recipe,x,y\n`), trials);
  assertEquals(parseTrials("another,file\n1,2\n"), []);
});

Deno.test("readTrials() is empty where there is no file", () =>
  withFolder({}, async (folder) => assertEquals(await readTrials(join(folder, "no.csv")), [])));

Deno.test("addTrial() keeps what another search has added meanwhile, and lines that are no trials", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "new/recipes.csv");
    const others = [2, 3, 4, 5].map((seed) => ({ ...TRIAL, seed }));
    assertEquals(await addTrial(path, TRIAL), [TRIAL]);
    await Promise.all(others.map((trial) => addTrial(path, trial)));
    assertEquals((await readTrials(path)).map(({ seed }) => seed).toSorted(), [1, 2, 3, 4, 5]);
    const damaged = `${await Deno.readTextFile(path)}fast,the recipe,x`;
    await Deno.writeTextFile(path, damaged);
    const last = { ...TRIAL, seed: 6 };
    assertEquals((await addTrial(path, last)).at(-1), last);
    assertEquals(await addTrial(path, { ...last, accuracy: 1 }), await readTrials(path));
    assertEquals((await Deno.readTextFile(path)).startsWith(`${damaged}\n`), true);
    assertEquals((await readTrials(path)).length, 6);
  }));

Deno.test("a file with another header is no file of trials, and is left alone", () =>
  withFolder({ "recipes.csv": "another,file\n1,2\n" }, async (folder) => {
    const path = join(folder, "recipes.csv");
    await assertRejects(() => checkTrials(path), StudyError, "another header");
    await assertRejects(() => addTrial(path, TRIAL), StudyError, "another header");
    assertEquals(await Deno.readTextFile(path), "another,file\n1,2\n");
    await checkTrials(join(folder, "none.csv"));
  }));

Deno.test("renderTrials() sets each candidate beside the recipe", () => {
  const page = renderTrials([
    ...[99.3, 99.4].map((accuracy, seed) => ({ ...TRIAL, seed, accuracy })),
    ...[99.0, 99.1].map((accuracy, seed) => ({ ...TRIAL, seed, accuracy, candidate: "without" })),
  ]);
  const [whole, without] = [WHOLE, "without"].map((name) =>
    page.split("\n").find((line) => line.startsWith(`| ${name} `))!.split("|").map((cell) =>
      cell.trim()
    )
  );
  assertEquals(whole!.slice(1, -1), [WHOLE, "99.35 ± 0.07", "", "", "12.5", "2"]);
  assertEquals(without!.slice(1, 4), ["without", "99.05 ± 0.07", "−0.30"]);
  assert(/^−0\.\d\d to /.test(without![4]!), without![4]);
});

Deno.test("trialsTitle() names the recipes that trials are of, and no other", () => {
  const title = (...recipes: string[]) =>
    trialsTitle(recipes.map((recipe) => ({ ...TRIAL, recipe })));
  assertEquals(title("fast", "fast"), "What each ingredient of part 1's fast recipe contributes");
  assertEquals(
    title("fast", "accurate"),
    "What each ingredient of part 1's fast and accurate recipes contributes",
  );
});

Deno.test("renderTrials() mixes no number formats and no settings, whatever a candidate is called", () => {
  const trial = (candidate: string, accuracy: number, changes: Partial<RecipeTrial> = {}) =>
    [0, 0.1].map((more, seed) => ({
      ...TRIAL,
      ...changes,
      ...{ candidate, seed, accuracy: accuracy + more },
    }));
  const page = renderTrials([
    ...trial(WHOLE, 99.0),
    ...trial("without", 98.0),
    ...trial("with more", 99.0),
    // Another search, in another format, and one with other settings than the first.
    ...trial(WHOLE, 99.2, { precision: "float32" }),
    ...trial("without", 98.9, { precision: "float32" }),
    ...trial(WHOLE, 99.5, { settings: "{}" }),
    ...trial("without", 99.4, { settings: "{ }" }),
  ]);
  const rows = page.split("\n").filter((line) => line.startsWith("| ")).slice(1)
    .map((line) => line.split("|").slice(1, 4).map((cell) => cell.trim()));
  assertEquals(rows.filter(([name]) => !name!.startsWith("---")), [
    [`${WHOLE}, bfloat16, settings 1 of 2`, "99.05 ± 0.07", ""],
    ["without, bfloat16, settings 1 of 2", "98.05 ± 0.07", "−1.00"],
    ["with more", "99.05 ± 0.07", "0.00"],
    [`${WHOLE}, float32, settings 1 of 2`, "99.25 ± 0.07", ""],
    ["without, float32, settings 1 of 2", "98.95 ± 0.07", "−0.30"],
    [`${WHOLE}, bfloat16, settings 2 of 2`, "99.55 ± 0.07", ""],
    ["without, bfloat16, settings 2 of 2", "99.45 ± 0.07", "−0.10"],
  ]);
});

Deno.test("candidatesOf() leaves out one ingredient at a time, adds one, and changes the rates", () => {
  const settings: TrainingSettings = {
    ...SIMPLE_CNN_FAST.training,
    oneCycle: true,
    recipe: { labelSmoothing: 0.1, dropoutRate: 0.2 },
  };
  const candidates = candidatesOf(settings);
  assertEquals(candidates.get(WHOLE), settings);
  const others = [...candidates.values()].slice(1);
  assertEquals(others.map(({ recipe }) => recipe), [
    { dropoutRate: 0.2 },
    { labelSmoothing: 0.1 },
    settings.recipe,
    { ...settings.recipe, average: { decay: 0.9, every: 5 } },
    { ...settings.recipe, augmentation: { shift: 1 } },
    { ...settings.recipe, frozen: ["conv1.weight", "conv1.bias"] },
    settings.recipe,
    settings.recipe,
  ]);
  const oneCycles = [true, true, undefined, true, true, true, true, true];
  assertEquals(others.map(({ oneCycle }) => oneCycle), oneCycles);
  const rates = others.slice(-2).map(({ learningRate }) => learningRate / settings.learningRate);
  assertEquals(rates, [0.5, 2]);
});
