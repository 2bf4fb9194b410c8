/** README's code runs as it stands there. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { repositoryRoot } from "../../io/cache.ts";
import { CHECKPOINT } from "../../report/record/run_folder.ts";
import { withFolder } from "../report/result_rows.ts";
import { ENV, part1, rowsOf } from "../scripts/part1_process.ts";

const root = repositoryRoot();
const readme = await Deno.readTextFile(join(root, "README.md"));

/** What the code shows, and what comes after it to be seen. */
const BLOCKS = Array.from(readme.matchAll(/^```ts\n([^]*?)^```$/gm), ([, code]) => code!);
const IMAGES = "const images = new Uint8Array(2 * 784).fill(99);\n";

/** Runs code in a folder, and gives what it prints. */
async function run(folder: string, code: string): Promise<string> {
  const path = join(folder, "snippet.ts");
  await Deno.writeTextFile(path, code.replace("./mod.ts", join(root, "mod.ts")));
  const config = ["--config", join(root, "deno.json"), "--lock", join(root, "deno.lock")];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", ...config, "-P=engine", "--no-prompt", path],
    cwd: folder,
    env: ENV,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("README's code loads what PyTorch saved, and a run's own checkpoint in the same way", () =>
  withFolder({}, async (folder) => {
    assertEquals(BLOCKS.length, 2);
    const [loads, asks] = BLOCKS as [string, string];
    const fixture = join(root, "tests", "fixtures", "simple_cnn", "zip.pth.gz");
    await Deno.writeFile(
      join(folder, "simple_cnn.pth"),
      Uint8Array.from(gunzipSync(await Deno.readFile(fixture))),
    );
    const twoDigits = /^Tensor\s*\[(\d), \d\]\s*$/;
    assert(twoDigits.test(await run(folder, IMAGES + loads)));

    const results = join(folder, "results");
    const tiny = ["--limit=64", "--test-limit=1", "--epochs=1"];
    const trained = await part1([...tiny, "--out", results]);
    assertEquals(trained.code, 0, trained.stderr);
    const [row] = await rowsOf(results);
    await Deno.copyFile(
      join(results, "runs", row!.run_id, CHECKPOINT),
      join(folder, "simple_cnn.pth"),
    );
    const [, first] = twoDigits.exec(await run(folder, IMAGES + loads))!;
    const print = "console.log(JSON.stringify(Array.from(probabilities)));\n";
    const printed: number[] = JSON.parse(await run(folder, IMAGES + asks + print));
    assertEquals(printed.length, 20);
    assertEquals(printed.indexOf(Math.max(...printed)) % 10, Number(first));
  }));
