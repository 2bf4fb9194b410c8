import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { compareRuns, simple } from "../compared_runs.ts";
import { PEER } from "../peers.ts";
import type { Answered } from "../result_rows.ts";

/** A run of SimpleCNN at a commit, by this command. */
function run(
  seed: number,
  { command, commit = "0123abcd", images = 60_000, clean = true }: {
    command: string;
    commit?: string;
    images?: number;
    clean?: boolean;
  },
): Answered {
  return {
    ...simple,
    row: { run_id: `seed-${seed}-${images}`, seed, train_images: images },
    manifest: { settings: { command: command.split(" ") }, git: { commit, clean } },
  };
}

/** The lines of the report's commands. */
async function commandsOf(runs: readonly Answered[]): Promise<string[]> {
  let lines: string[] = [];
  await compareRuns({ a: runs }, (_, report) => {
    lines = report.split("```sh\n")[1]!.split("\n```")[0]!.split("\n");
  });
  return lines;
}

Deno.test("the commands repeat every run that counts, the seeds of a setting at once", async () => {
  const limited = "--limit 1000 --seed=2 --out=elsewhere --resume";
  assertEquals(
    await commandsOf([
      run(10, { command: "--seed 10 --out somewhere --quiet" }),
      run(2, { command: "--out again --seeds 2,3" }),
      run(3, { command: "--out again --seeds 2,3 --libtensorflow /tmp/tf/library.so" }),
      run(4, { command: "--runs 4 --seed 1", commit: "4567abcd" }),
      run(2, { command: limited, images: 1000 }),
      run(1, { command: "--limit 300", images: 300 }),
    ]),
    [
      "here=$(git symbolic-ref --quiet --short HEAD || git rev-parse HEAD)",
      "git checkout 4567abcd",
      "deno task part1 --seed 4",
      "git checkout 0123abcd",
      "deno task part1 --seeds 2,3,10",
      "deno task part1 --limit 1000 --seed 2",
      "deno task part1 --limit 300",
      'git checkout "$here"',
      "deno task compare",
    ],
  );
});

Deno.test("a run is not exactly repeatable if any of its sittings had changes", async () => {
  const warning = "SimpleCNN ran with changes that were not committed";
  const command = "--seed 1";
  const earlier = (clean: boolean): Answered => ({
    ...simple,
    manifest: { earlier_git: [{ commit: "4567abcd", clean }] },
  });
  const cases = [
    [run(1, { command }), false],
    [run(1, { command, clean: false }), true],
    [earlier(true), false],
    [earlier(false), true],
  ] as const;
  for (const [one, isWarned] of cases) {
    await compareRuns({ a: [one] }, (_, report) => {
      assertEquals(report.includes(warning), isWarned);
    });
  }
});

Deno.test("a command counts up many seeds in a row, and says how many more it does not name", async () => {
  const range = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => first + i);
  const lineOf = async (seeds: readonly number[]) => {
    const runs = seeds.map((seed): Answered => ({
      ...run(seed, { command: `--seed ${seed}` }),
      images: 1,
    }));
    return (await commandsOf(runs)).find((line) => line.startsWith("deno task part1"));
  };
  assertEquals(await lineOf(range(5, 24)), `deno task part1 --seeds ${range(5, 24).join(",")}`);
  assertEquals(await lineOf(range(5, 25)), "deno task part1 --seed 5 --runs 25");
  assertEquals(
    await lineOf([...range(0, 30), 90, 95]),
    "deno task part1 --seed 0 --runs 30 # and 2 more seeds",
  );
  const even = range(1, 26).map((seed) => 2 * seed);
  assertEquals(
    await lineOf(even),
    `deno task part1 --seeds ${even.slice(0, 24).join(",")} # and 2 more seeds`,
  );
});

Deno.test("the commands leave no one at another commit", async () => {
  const script = await commandsOf([
    run(1, { command: "--seed 1" }),
    run(2, { command: "--seed 2", commit: "89ab0123" }),
  ]);
  const checkouts = script.filter((line) => line.startsWith("git checkout"));
  assertEquals(checkouts.at(-1), 'git checkout "$here"');
  assertEquals(script.indexOf(checkouts.at(-1)!), script.indexOf("deno task compare") - 1);
});

Deno.test("the report says how PyTorch's runs are repeated where it has any", async () => {
  const told = "PyTorch's runs are made by the scripts in `bench/reference/`";
  await compareRuns({ a: [run(1, { command: "--seed 1" })] }, (_, report) => {
    assertStringIncludes(
      report,
      "these commands repeat all our runs that this report's tables are made from",
    );
    assert(!report.includes(told));
  });
  await compareRuns(
    { a: [run(1, { command: "--seed 1" })] },
    (_, report) => assertStringIncludes(report, told),
    async (folder) => {
      await Deno.mkdir(join(folder, "a", "pytorch"));
      await Deno.writeTextFile(join(folder, "a", "pytorch", "one.json"), JSON.stringify(PEER));
    },
  );
});

Deno.test("very many commands are cut, and the report says where the others are", async () => {
  const runs = Array.from(
    { length: 62 },
    (_, i) => run(1, { command: `--limit ${i + 1} --seed 1`, images: i + 1 }),
  );
  await compareRuns({ a: runs }, (_, report) => {
    assertEquals(report.match(/^deno task part1 --limit \d+ --seed 1$/gm)?.length, 60);
    assertStringIncludes(report, "The commands of 2 more are in their runs' `manifest.json`.");
  });
});

Deno.test("a run of any seed with changes that were not committed is not exactly repeatable", async () => {
  const dirty = run(1, { command: "--seeds 1,2", clean: false });
  await compareRuns({ a: [dirty, run(2, { command: "--seeds 1,2" })] }, (_, report) => {
    assertStringIncludes(report, "> **Not exactly repeatable**: SimpleCNN ran with changes");
  });
  await compareRuns({ a: [run(2, { command: "--seeds 1,2" })] }, (_, report) => {
    assert(!report.includes("Not exactly repeatable"));
  });
});

Deno.test("a run by two versions of the code is said to be of both", async () => {
  const { manifest, ...first } = run(1, { command: "--seed 1", commit: "89ab0123".repeat(5) });
  const earlier_git = [{ commit: "0123abcd".repeat(5), clean: false }];
  await compareRuns({ a: [{ ...first, manifest: { ...manifest, earlier_git } }] }, (_, report) => {
    const cell = "`0123abcd0123`, with local changes, then `89ab012389ab`";
    assertStringIncludes(report, `| ${cell} |`);
  });
});
