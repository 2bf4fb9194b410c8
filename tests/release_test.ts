/** What a stranger needs of the repository besides code: licence, citation, line ends, workflow. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { PACKAGE_KINDS, RELEASES } from "../engine/library/releases.ts";
import { repositoryRoot } from "../io/cache.ts";
import { taskArgs, TASKS } from "./task.ts";

const read = (path: string) => Deno.readTextFile(join(repositoryRoot(), path));

async function run(command: string, ...args: string[]) {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1" },
  }).output();
  const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { success, stdout: out!, stderr: problem! };
}

Deno.test("licence, citation and package agree", async () => {
  const [licence, citation, config] = await Promise.all(
    ["LICENSE", "CITATION.cff", "deno.json"].map(read),
  );
  const { license, version } = JSON.parse(config!);
  assertEquals(license, "MIT");
  assertMatch(licence!, /^MIT License\n\nCopyright \(c\) \d{4} The MNIST study suite's authors\n/);
  assertStringIncludes(citation!, "\n  - name: The MNIST study suite's authors\n");
  assertStringIncludes(citation!, `\nversion: ${version}\n`);
  assertStringIncludes(citation!, `\nlicense: ${license}\n`);
});

Deno.test("what is fetched first is the TensorFlow that the committed results were measured with", async () => {
  const { wheel, archive } = RELEASES["linux-x86_64"]!;
  const first = { wheel, archive }[PACKAGE_KINDS[0]]!.version;
  const { stdout } = await run("git", "ls-files", "results/*/manifest.json");
  const manifests = await Promise.all(stdout.trim().split("\n").map(read));
  const used = manifests.map((text): string | undefined => JSON.parse(text).versions.tensorflow);
  assertEquals([...new Set(used.filter((version) => version !== undefined))], [first]);
  const guide = await read("docs/guide.md");
  assertStringIncludes(guide, `the wheel of ${first} through your own \`pip download\``);
  assertStringIncludes(
    guide,
    `the official C archive of ${archive!.version.replace(/\.\d+$/, "")}\n`,
  );
});

Deno.test("docs/licences.md names every package that deno.json maps", async () => {
  const [page, config] = await Promise.all(["docs/licences.md", "deno.json"].map(read));
  const { imports, scopes } = JSON.parse(config!);
  const maps: Record<string, string>[] = [imports, ...Object.values(scopes)];
  for (const address of maps.flatMap((map) => Object.values<string>(map))) {
    const name = /^(?:npm|jsr):\/?(@?[^@]+)@/.exec(address)![1]!;
    // tfjs-core comes with tfjs and is licensed with it.
    if (name !== "@tensorflow/tfjs-core") assertStringIncludes(page!, `\`${name}\``);
  }
});

Deno.test("every file is committed with LF, or is known to git as binary", async () => {
  const { stdout } = await run("git", "ls-files", "--eol");
  const wrong = stdout.split("\n").filter((line) =>
    /^i\/(crlf|mixed)/.test(line) || (line.startsWith("i/-text") && !line.includes("attr/-text"))
  );
  assertEquals(wrong, []);
});

Deno.test("nothing is committed that a run leaves for itself, wherever it is in the results", async () => {
  const { stdout } = await run("git", "ls-files", "--cached", "--ignored", "--exclude-standard");
  assertEquals(stdout, "");
  const left = ["", "backends/"].flatMap((folder) =>
    [
      ".lock",
      "figures/.snakemake_timestamp",
      "runs/20261126T010410465Z-part1-SimpleCNN-seed1-8cf1564d/.lock",
      "runs/20261126T010410465Z-part1-SimpleCNN-seed1-8cf1564d/checkpoint.safetensors",
      "runs/20261126T010410465Z-part1-SimpleCNN-seed1-8cf1564d/events.out.tfevents.1",
    ].map((name) => `results/reference/${folder}${name}`)
  );
  const ignored = await run("git", "check-ignore", "--no-index", ...left);
  assertEquals(ignored.stdout.trim().split("\n"), left);
  const kept = ["figures/.written.json", "part1.csv", "runs/x/history.csv"];
  const others = kept.map((name) => `results/reference/backends/${name}`);
  assertEquals((await run("git", "check-ignore", "--no-index", ...others)).stdout, "");
});

Deno.test("the workflow runs tests, check and the gate, each action at a commit", async () => {
  const workflow = await read(".github/workflows/check.yml");
  for (const [, action] of workflow.matchAll(/uses: (.*)$/gm)) {
    assertMatch(action!, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  }
  const tasks = Array.from(workflow.matchAll(/deno task ([\w-]+)/g), ([, name]) => name!);
  for (const name of tasks) assert(name in TASKS, `there is no task ${name}`);
  for (const name of ["check", "test", "compare", "jsr"]) assert(tasks.includes(name), name);
});

Deno.test("the workflow's gate passes on the committed results", async () => {
  const workflow = await read(".github/workflows/check.yml");
  const [, flags] = /deno task compare (--check .*) --out /.exec(workflow)!;
  const out = await Deno.makeTempDir();
  try {
    const { success, stderr } = await run(
      Deno.execPath(),
      ...[...taskArgs("compare"), ...flags!.split(" "), "--out", out],
    );
    assert(success, stderr);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("deno publish --dry-run passes, as far as it goes without a network", async () => {
  const { success, stderr } = await run(
    Deno.execPath(),
    ...["publish", "--dry-run", "--allow-dirty", "--lock=deno.full.lock"],
  );
  assert(success, stderr);
});
