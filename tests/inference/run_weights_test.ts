/** Where the weights that a run started from are looked for; no engine is started. */

import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { weightsOfRun, type WeightsOfRunOptions } from "../../inference/run_weights.ts";
import { StudyError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import { sha256Hex } from "../../io/sha256.ts";
import { cachedWeightsPath, type PinnedWeights } from "../../models/checkpoint/pretrained.ts";
import type { LocatedRun } from "../../report/record/find_run.ts";
import { WEIGHTS_FILE } from "../../report/record/run_folder.ts";
import { withFolder } from "../report/result_rows.ts";

const SOURCE: PinnedWeights = { file: "net-0123abcd.pth", urls: [], sha256Prefix: "0123abcd" };
const PUBLISHED = new TextEncoder().encode("published weights");
const LABELS = { published: `torchvision:${SOURCE.file}`, own: "file:own.pth" };

/** A run with those weights, started with that command line; `file` is what it says it read. */
function runOf(label: string, command: string[], file?: string) {
  const weights_sha256 = sha256Hex(PUBLISHED);
  const settings = { weights: label, weights_sha256, command, [WEIGHTS_FILE]: file };
  return { runId: "run-1", manifest: { settings } } as unknown as LocatedRun;
}

/** Finds with a cache that is at first empty. */
function optionsIn(folder: string): WeightsOfRunOptions & { cache: string } {
  return { source: SOURCE, cache: join(folder, "cache"), reporter: silentReporter };
}

Deno.test("weightsOfRun() finds torchvision's file where the command line named it", () =>
  withFolder({ "mine.pth": PUBLISHED }, async (folder) => {
    const path = join(folder, "mine.pth");
    const found = { label: LABELS.published, path };
    for (const words of [["--weights", path], [`--weights=${path}`]]) {
      const run = runOf(LABELS.published, ["--models=alexnet", ...words, "--seed", "2"]);
      assertEquals(await weightsOfRun(run, optionsIn(folder)), found);
    }
    // Of a file under another label it is the only place.
    const own = runOf(LABELS.own, ["--weights", path]);
    assertEquals(await weightsOfRun(own, optionsIn(folder)), { label: LABELS.own, path });
  }));

Deno.test("weightsOfRun() takes torchvision's file from the cache where it is there", () =>
  withFolder({ "mine.pth": "changed since" }, async (folder) => {
    const options = optionsIn(folder);
    const path = cachedWeightsPath(SOURCE, options.cache);
    await Deno.mkdir(join(options.cache, "weights"), { recursive: true });
    await Deno.writeFile(path, PUBLISHED);
    for (const words of [[], ["--weights=pretrained"], ["--weights", join(folder, "mine.pth")]]) {
      const found = await weightsOfRun(runOf(LABELS.published, words), options);
      assertEquals(found, { label: LABELS.published, path });
    }
  }));

Deno.test("weightsOfRun() takes the file that the run has recorded, the cache's published one before it", () =>
  withFolder({ "mine.pth": PUBLISHED }, async (folder) => {
    const options = optionsIn(folder);
    const path = join(folder, "mine.pth");
    const gone = join(folder, "gone.pth");
    for (const label of [LABELS.published, LABELS.own]) {
      assertEquals(await weightsOfRun(runOf(label, ["--weights", gone], path), options), {
        label,
        path,
      });
      await assertRejects(
        () => weightsOfRun(runOf(label, ["--weights", path], gone), options),
        StudyError,
        `they are not where it had them (${gone})`,
      );
    }
    const cached = cachedWeightsPath(SOURCE, options.cache);
    await Deno.mkdir(join(options.cache, "weights"), { recursive: true });
    await Deno.writeFile(cached, PUBLISHED);
    for (const file of [path, gone]) {
      const found = await weightsOfRun(runOf(LABELS.published, [], file), options);
      assertEquals(found, { label: LABELS.published, path: cached });
    }
    assertEquals((await weightsOfRun(runOf(LABELS.own, [], path), options)).path, path);
  }));

Deno.test("weightsOfRun() refuses another file than the run's, and says where it looked", () =>
  withFolder({ "mine.pth": "changed since" }, async (folder) => {
    const path = join(folder, "mine.pth");
    const options = optionsIn(folder);
    const other = () => weightsOfRun(runOf(LABELS.published, ["--weights", path]), options);
    await assertRejects(
      other,
      StudyError,
      `${path} is not the file that run run-1 started from: its SHA-256 is `,
    );
    const cached = cachedWeightsPath(SOURCE, options.cache);
    const places: [words: string[], place: string][] = [
      [[], cached],
      [["--weights", "pretrained"], cached],
      [["--weights", join(folder, "gone.pth")], join(folder, "gone.pth")],
    ];
    for (const [words, place] of places) {
      await assertRejects(
        () => weightsOfRun(runOf(LABELS.published, words), options),
        StudyError,
        `they are not where it had them (${place})`,
      );
    }
  }));
