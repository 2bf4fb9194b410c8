/** `--tensorboard` in processes of their own: it shows a run and changes nothing of it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { CHECKPOINT } from "../../experiment/resume.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { openCheckpoint } from "../../models/checkpoint/open_checkpoint.ts";
import { runFolder } from "../../report/record/run_folder.ts";
import { noReader, readEvents } from "../experiment/read_events.ts";
import { withFolder } from "../report/result_rows.ts";
import { ENDLESS, part1, rowsOf, start } from "./part1_process.ts";

/** More than a killed run has by then, and few. */
const EPOCHS = 4;

/** Steps of an epoch. */
const STEPS = 24;

const SMALL = ["--data=mnist", `--limit=${STEPS}`, "--batch-size=1", "--test-limit=40"];

async function tensors(folder: string): Promise<[string, ArrayLike<number>][]> {
  using checkpoint = await openCheckpoint(join(folder, CHECKPOINT));
  const found: [string, ArrayLike<number>][] = [];
  for (const name of checkpoint.names()) {
    found.push([name, (await checkpoint.read(name)).data as Float32Array]);
  }
  return found;
}

Deno.test("part1 --tensorboard, killed and resumed, has the bits and events of a run in one go", () =>
  withFolder({}, async (folder) => {
    const [shown, plain] = [join(folder, "shown"), join(folder, "plain")];
    const killed = start([...SMALL, ...ENDLESS, "--tensorboard", "--out", shown]);
    await killed.until(/^Train Epoch: 2 \[0/m);
    killed.kill("SIGKILL");
    await killed.end();
    const whole = [...SMALL, `--epochs=${EPOCHS}`];
    const [resumed, other] = await Promise.all([
      part1([...whole, "--tensorboard", "--resume", "--out", shown]),
      part1([...whole, "--out", plain]),
    ]);
    assertEquals([resumed.code, resumed.stderr], [0, ""]);
    assertEquals([other.code, other.stderr], [0, ""]);
    assertStringIncludes(resumed.stdout, "Going on with run ");
    const [[one], [two]] = [await rowsOf(shown), await rowsOf(plain)];
    const folders = [runFolder(shown, one!.run_id), runFolder(plain, two!.run_id)] as const;
    const [first, second] = await Promise.all(folders.map(tensors));
    assertEquals(first!.map(([name]) => name), second!.map(([name]) => name));
    for (const [i, [name, data]] of first!.entries()) {
      assert(data.length > 0 && data.length === second![i]![1].length, name);
      for (let j = 0; j < data.length; j++) {
        if (data[j] !== second![i]![1][j]) throw new Error(`${name}[${j}] is not the same`);
      }
    }
    const [predictions, same] = await Promise.all(
      folders.map((path) => Deno.readTextFile(join(path, "predictions.csv"))),
    );
    assertEquals(predictions, same);
    const isEvent = ({ name }: Deno.DirEntry) => name.includes("event");
    assertEquals([...Deno.readDirSync(folders[1])].filter(isEvent), []);
    // One for each process, and what is known of them.
    assertEquals([...Deno.readDirSync(folders[0])].filter(isEvent).length, 3);
    if (noReader !== undefined) return console.log(`not read: TensorBoard's events (${noReader})`);
    const { scalars, images } = await readEvents(folders[0]);
    const steps = Array.from({ length: EPOCHS * STEPS }, (_, i) => i + 1);
    assertEquals(scalars["train/loss"]!.map(([step]) => step), steps);
    assertEquals(scalars["train/accuracy"]!.length, EPOCHS);
    const [last, ...more] = scalars["test/accuracy"]!;
    assertEquals([last![0], more], [EPOCHS * STEPS, []]);
    assert(Math.abs(last![1] - one!.accuracy!) < 1e-4);
    assertEquals(Object.values(images).length, one!.accuracy === 100 ? 0 : 1);
  }));

Deno.test("what writes events is loaded only where it is asked for", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--lock=deno.full.lock", "scripts/part1.ts"],
    cwd: repositoryRoot(),
  }).output();
  interface Dependency {
    specifier: string;
    isDynamic?: boolean;
    code?: unknown;
  }
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { dependencies?: Dependency[] }[];
  };
  const writers = /\/(tensorboard|summary_writer)\.ts$/;
  const imports = modules.flatMap(({ dependencies = [] }) => dependencies)
    .filter(({ specifier, code }) => writers.test(specifier) && code !== undefined);
  assert(imports.length >= 2);
  assertEquals(imports.filter(({ isDynamic }) => isDynamic !== true), []);
});
