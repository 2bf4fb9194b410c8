/** Snakemake for the tests of the workflow: whether it is there, and sweeps whose jobs are killed. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, type ResultRow } from "../../report/record/results.ts";
import { filesIn } from "../scripts/part1_process.ts";

export const WORKFLOW = join(repositoryRoot(), "workflow");

/** What is on the command line in these tests: nothing of the machine's own profiles. */
const COMMON = ["--snakefile", join(WORKFLOW, "Snakefile"), "--nocolor"];

export interface Ended {
  code: number;
  /** Both streams. */
  output: string;
}

/** Runs a command to its end in a folder. */
export async function command(words: readonly string[], cwd?: string): Promise<Ended> {
  const [program = "", ...args] = words;
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      ...(cwd !== undefined && { cwd, env: environment(cwd) }),
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { code: 127, output: error.message };
    throw error;
  }
}

/** `deno task test` sets INIT_CWD; the workflow's jobs are to start in their own folder. */
function environment(cwd: string): Record<string, string> {
  return { NO_COLOR: "1", INIT_CWD: cwd, LD_LIBRARY_PATH: "" };
}

/** Whether a program can be started and is content. */
export async function works(...words: string[]): Promise<boolean> {
  return (await command(words)).code === 0;
}

export const hasSnakemake = /^9\./.test((await command(["snakemake", "--version"])).output);
if (!hasSnakemake) {
  console.log("skipped: the workflow (there is no Snakemake 9: pip install snakemake==9.27.1)");
}

/** Calls Snakemake in a folder, where its cache is too. */
export function snakemake(cwd: string, ...args: string[]): Promise<Ended> {
  return command(["env", "MNIST_STUDY_CACHE=cache", "snakemake", ...COMMON, ...args], cwd);
}

/** Plans a configuration in a folder, by the profile for one machine. */
export async function plan(cwd: string, config: string, ...words: string[]): Promise<Ended> {
  await Deno.writeTextFile(join(cwd, "sweep.yaml"), config);
  const profile = ["--profile", join(WORKFLOW, "profiles/local")];
  return await snakemake(cwd, "--configfile", "sweep.yaml", ...profile, "--dry-run", ...words);
}

/** A test that needs Snakemake. */
export function snakemakeTest(name: string, fn: () => Promise<void>, reason = ""): void {
  const skipped = reason === "" ? "" : `: skipped, ${reason}`;
  Deno.test({ name: name + skipped, ignore: !hasSnakemake || reason !== "", fn });
}

/**
 * Runs `workflow/smoke.yaml` in a folder, and of its jobs that have a checkpoint kills one at random for
 * each of `kills`, in that way.
 *
 * @param words What Snakemake is called with, and how it is started.
 * @returns The names of the runs that were killed.
 */
export async function sweepWithKills(
  cwd: string,
  { words, prefix = [], kills }: { words: string[]; prefix?: string[]; kills: Kill[] },
): Promise<{ ended: Ended; killed: string[] }> {
  const killed: string[] = [];
  let going = true;
  const killing = (async () => {
    while (going && killed.length < kills.length) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const candidates = await runsWithCheckpoint(join(cwd, "results/smoke/unfinished"));
      const left = candidates.filter((name) => !killed.includes(name));
      const name = left[Math.floor(Math.random() * left.length)];
      if (name !== undefined && await kills[killed.length]!(cwd, name)) killed.push(name);
    }
  })();
  const config = join(WORKFLOW, "smoke.yaml");
  const ended = await command(
    [...prefix, "snakemake", ...COMMON, "--configfile", config, ...words],
    cwd,
  );
  going = false;
  await killing;
  return { ended, killed };
}

async function runsWithCheckpoint(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.includes("-seed")) continue;
      const files = filesIn(join(folder, name));
      const finished = files.some((file) => /finished$|predictions\.csv$/.test(file));
      if (!finished && files.some((file) => file.endsWith("checkpoint.safetensors"))) {
        names.push(name);
      }
    }
  } catch (error) {
    // Files come and go, and so does the folder.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
}

/** A sweep is told apart from others on this machine by the folder that it was started in. */
const KILL = `
for file in $(grep -laz -- "unfinished/$1$" /proc/[0-9]*/cmdline 2> /dev/null); do
  grep -qaz 'scripts/part[0-9][.]ts$' "$file" || continue
  grep -qazxF "INIT_CWD=$2" "\${file%cmdline}environ" || continue
  pid=\${file#/proc/}
  kill -KILL "\${pid%/cmdline}" && exit
done
exit 1`;

/** Ends the run of this name in the sweep of a folder; false if there is none. */
type Kill = (cwd: string, name: string) => Promise<boolean>;

/** Sends SIGKILL to the part that makes a run; the shell around it lives. */
export async function killPart(cwd: string, name: string): Promise<boolean> {
  return await works("sh", "-c", KILL, "sh", name, cwd);
}

/**
 * Makes sure that a sweep of `workflow/smoke.yaml` has found what was asked, and that runs which were
 * killed on the way have the very bits of runs that nobody has disturbed.
 */
export async function checkSweep(
  cwd: string,
  killed: readonly string[],
  { models = ["SimpleCNN", "alexnet_FineTuned"] }: { models?: readonly string[] } = {},
): Promise<void> {
  const out = join(cwd, "results/smoke");
  const files = ["part1.csv", "part4.csv"].slice(0, models.length);
  const rows = (await Promise.all(files.map((file) => readRows(join(out, "gathered", file)))))
    .flat();
  assertEquals(
    rows.map(({ model, seed, status, train_images, test_images }) =>
      [model, seed, status, train_images, test_images].join(" ")
    ).sort(),
    models.flatMap((model) => [1, 2, 3].map((seed) => `${model} ${seed} ok 500 100`)),
  );
  const report = await Deno.readTextFile(join(out, "report/report.md"));
  assert(!/no row|is missing/.test(report.split("## Problems")[1]!), report.slice(-500));
  for (const row of rows) {
    const files = [...Deno.readDirSync(join(out, "gathered/runs", row.run_id))].map(({ name }) =>
      name
    );
    for (const name of ["manifest.json", "history.csv", "predictions.csv"]) {
      assert(files.includes(name), `${row.run_id} has no ${name}`);
    }
    assert(
      !files.includes("checkpoint.safetensors"),
      "the checkpoint of a finished run has stayed",
    );
  }
  for (const name of killed) {
    const log = await Deno.readTextFile(join(out, "logs/runs", `${name}.log`));
    assert(/Resum|resum|going on|epoch \d+ of/i.test(log), `${name} was not resumed:\n${log}`);
    const run = await undisturbed(cwd, name);
    const row = rows.find(({ model, seed }) => model === run.row.model && seed === run.row.seed)!;
    for (const column of ["test_loss", "accuracy", "f1"] as const) {
      assertEquals(row[column], run.row[column], `${name}: ${column}`);
    }
    const file = "predictions.csv";
    const resumed = await Deno.readTextFile(join(out, "gathered/runs", row.run_id, file));
    const straight = await Deno.readTextFile(join(run.out, "runs", run.row.run_id, file));
    assert(resumed === straight, `${name} has other predictions than an undisturbed run`);
  }
}

async function readRows(path: string): Promise<ResultRow[]> {
  const problems = new ProblemList();
  const rows = await readResults(path, problems);
  assertEquals(problems.list(), []);
  return rows.map(({ row }) => row);
}

/** The same run by the part's own command. */
async function undisturbed(cwd: string, name: string): Promise<{ row: ResultRow; out: string }> {
  const out = join(cwd, "undisturbed", name);
  const seed = name.match(/-seed(\d+)$/)![1]!;
  const [task, ...own] = name.startsWith("simplecnn")
    ? ["part1", "--epochs=10"]
    : ["part4", "--models=alexnet", "--weights=random", "--epochs=2"];
  const sizes = [
    `--seed=${seed}`,
    "--threads=1",
    "--data=mnist",
    "--limit=500",
    "--test-limit=100",
  ];
  const words = [Deno.execPath(), "task", "--config"];
  const ended = await command(
    [...words, join(repositoryRoot(), "deno.json"), task!, ...own, ...sizes, "--out", out],
    cwd,
  );
  assertEquals(ended.code, 0, ended.output);
  const [row] = await readRows(join(out, `${task}.csv`));
  return { row: row!, out };
}
