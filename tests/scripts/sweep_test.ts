import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { machineLimits } from "../../io/machine_limits.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

/** `deno task sweep` with a program called snakemake on the path, or with none. */
async function sweep(
  folder: string,
  args: readonly string[],
  { snakemake, env }: { snakemake?: string; env?: Record<string, string> } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  if (snakemake !== undefined) {
    const path = join(folder, "snakemake");
    await Deno.writeTextFile(path, `#!/bin/sh\n${snakemake}\n`);
    await Deno.chmod(path, 0o755);
  }
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("sweep"), ...args],
    cwd: repositoryRoot(),
    env: {
      // Beside it what the shell needs, but no Snakemake that this machine may have.
      PATH: snakemake === undefined ? folder : `${folder}:/usr/bin:/bin`,
      NO_COLOR: "1",
      LD_LIBRARY_PATH: "",
      INIT_CWD: folder,
      MNIST_STUDY_CACHE: join(folder, "cache"),
      ...env,
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** What Snakemake says of itself, and a note of how it was called. */
const FAKE = 'case "$*" in *--version*) echo 9.27.1 ;; *) echo "called in $PWD:" "$@" ;; esac';

/** A Snakemake that does this and fails. */
function failing(action: string): string {
  return FAKE.replace('echo "called in $PWD:" "$@"', `${action || ":"}; exit 1`);
}

Deno.test("sweep without Snakemake, or with an old one, says what to install", () =>
  withFolder({}, async (folder) => {
    const none = await sweep(folder, []);
    assertEquals(none.code, 1);
    assertEquals(
      none.stderr,
      "error: There is no Snakemake here: pip install snakemake==9.27.1\n",
    );
    const old = await sweep(folder, [], { snakemake: "echo 7.32.4" });
    assertEquals(old.code, 1);
    assertStringIncludes(old.stderr, "Snakemake is 7.32.4, which is too old: pip install ");
  }));

Deno.test("sweep finds a Snakemake whose libraries are where LD_LIBRARY_PATH says", () =>
  withFolder({ "my sweep.yaml": "" }, async (folder) => {
    const snakemake = `[ -n "$LD_LIBRARY_PATH" ] || exit 127\n${FAKE}`;
    const env = { LD_LIBRARY_PATH: "/opt/conda/lib" };
    const args = ["--config=my sweep.yaml"];
    const { code, stdout, stderr } = await sweep(folder, args, { snakemake, env });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "called in ");
    // What is shown can be copied.
    assertStringIncludes(stdout, ` --configfile '${folder}/my sweep.yaml' --profile `);
  }));

Deno.test("sweep without the executor of a cluster says what to install", () =>
  withFolder({}, async (folder) => {
    const snakemake = 'case "$*" in *slurm*) exit 2 ;; *) echo 9.27.1 ;; esac';
    const { code, stderr } = await sweep(folder, ["--on", "slurm"], { snakemake });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "pip install snakemake-executor-plugin-slurm\n");
  }));

Deno.test("sweep hands over in the user's folder, with the profile and the configuration", () =>
  withFolder({ "my.yaml": "" }, async (folder) => {
    const args = ["--config", "my.yaml", "--on", "slurm", "--jobs", "7", "--dry-run"];
    const { code, stdout, stderr } = await sweep(folder, args, { snakemake: FAKE });
    assertEquals(code, 0, stderr);
    const workflow = join(repositoryRoot(), "workflow");
    assertStringIncludes(
      stdout,
      `called in ${await Deno.realPath(folder)}: --snakefile ${workflow}/Snakefile --configfile ` +
        `${folder}/my.yaml --profile ${workflow}/profiles/slurm --jobs 7 --dry-run --quiet rules`,
    );
  }));

Deno.test("sweep plans with what was measured of this machine, where that was done", () =>
  withFolder({}, async (folder) => {
    await Deno.mkdir(join(folder, "cache"));
    await Deno.writeTextFile(join(folder, "cache/rates.json"), "{}");
    const { code, stdout } = await sweep(folder, ["--jobs=2"], { snakemake: FAKE });
    assertEquals(code, 0);
    assertStringIncludes(stdout, `--cores 2 --config measured_rates=${folder}/cache/rates.json`);
  }));

Deno.test("sweep measures nothing that it would not plan with", () =>
  withFolder({ "my.yaml": "" }, async (folder) => {
    const args = ["--config=my.yaml", "--on=kubernetes"];
    const { code, stdout, stderr } = await sweep(folder, [...args, "--measure"], {
      snakemake: FAKE,
    });
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "error: --measure and --on kubernetes exclude each other");
    // What was measured before does not go there either.
    await Deno.mkdir(join(folder, "cache"));
    await Deno.writeTextFile(join(folder, "cache/rates.json"), "{}");
    const planned = await sweep(folder, args, { snakemake: FAKE });
    assertEquals(planned.code, 0, planned.stderr);
    assert(!planned.stdout.includes("measured_rates"), planned.stdout);
  }));

Deno.test("sweep --measure measures with the backend, device and cores of the configuration", () =>
  withFolder({ "my.yaml": "backend: abacus\nthreads: 3\n" }, async (folder) => {
    const args = ["--config=my.yaml", "--measure"];
    const { code, stdout, stderr } = await sweep(folder, args, { snakemake: FAKE });
    assertStringIncludes(stdout, ", with --backend=abacus --device=auto --threads=3\n");
    assertStringIncludes(stderr, "error: The measurement failed: --backend abacus: expected ");
    assertEquals(code, 1);
  }));

Deno.test("sweep on this machine shares its memory, as its control group allows, and one GPU", () =>
  withFolder({}, async (folder) => {
    const { code, stdout, stderr } = await sweep(folder, ["--jobs=2"], { snakemake: FAKE });
    assertEquals(code, 0, stderr);
    const bytes = Math.min(Deno.systemMemoryInfo().total, machineLimits().memoryBytes ?? Infinity);
    const resources = `--resources mem_mb=${Math.floor(bytes / 1e6)} gpu=1`;
    assertStringIncludes(stdout, `/workflow/profiles/local ${resources} --cores 2`);
    const cluster = await sweep(folder, ["--on=slurm"], { snakemake: FAKE });
    assert(!cluster.stdout.includes("--resources"), cluster.stdout);
  }));

Deno.test("sweep names a configuration that is not there, and ends as Snakemake does", () =>
  withFolder({}, async (folder) => {
    const missing = await sweep(folder, ["--config", "none.yaml"], { snakemake: FAKE });
    assertEquals(missing.code, 2);
    assertStringIncludes(missing.stderr, `There is no ${join(folder, "none.yaml")}: copy `);
    const closed = await sweep(folder, ["--config", "."], { snakemake: FAKE });
    assertEquals(closed.code, 2);
    assertStringIncludes(closed.stderr, `${folder} is a folder: copy `);
    const failed = await sweep(folder, [], {
      snakemake: failing('touch "$MNIST_STUDY_PLANNED"'),
    });
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.stderr, "the same command goes on with what is left");
    assert(!failed.stderr.includes("    at "), failed.stderr);
  }));

Deno.test("sweep that could not be planned says what is to be corrected, not to go on", () =>
  withFolder({ "my.yaml": "" }, async (folder) => {
    const args = ["--config", "my.yaml"];
    for (const more of [[], ["--dry-run"]]) {
      const { code, stderr } = await sweep(folder, [...args, ...more], { snakemake: failing("") });
      assertEquals(code, 1);
      assertEquals(
        stderr,
        `error: Nothing was run, for the reasons above: correct ${folder}/my.yaml and try again\n`,
      );
    }
    const snakemake = failing('touch "$MNIST_STUDY_PLANNED"');
    const planned = await sweep(folder, [...args, "--dry-run"], { snakemake });
    assertEquals(planned.code, 1);
    assertStringIncludes(planned.stderr, "has not shown the whole plan");
    assert(!planned.stderr.includes("goes on"), planned.stderr);
  }));
