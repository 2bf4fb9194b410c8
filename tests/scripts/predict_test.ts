/** `deno task predict` from its command line, in processes of its own. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { digitPng } from "../../inference/digit_view.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { idx } from "../data/idx_samples.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { taskArgs } from "../task.ts";
import { ENV, part1, Program, stoppedWhileLoading } from "./part1_process.ts";

const { images } = await firstTestDigits(3);
const digit = (i: number) => images.subarray(784 * i, 784 * (i + 1));
const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const RESULTS = join(folder, "results");
const trained = await part1([
  ...["--limit=640", "--test-limit=20", "--epochs=1", "--out", RESULTS],
]);
assertEquals(trained.code, 0, trained.stderr);

const PICTURES: Record<string, Uint8Array> = {
  "seven.png": digitPng(digit(0)),
  "two.PNG": digitPng(digit(1).map((grey) => 255 - grey)),
  "notes.txt": new TextEncoder().encode("not looked at"),
};
for (const [name, bytes] of Object.entries(PICTURES)) {
  await Deno.mkdir(join(folder, "pictures"), { recursive: true });
  await Deno.writeFile(join(folder, "pictures", name), bytes);
}
await Deno.writeFile(join(folder, "digits-idx3-ubyte"), idx(0x803, [3, 28, 28], images));
await Deno.writeFile(join(folder, "empty.png"), new Uint8Array());
await Deno.writeFile(join(folder, "half.png"), PICTURES["seven.png"]!.subarray(0, 300));

/** Runs the task with its own permissions, in the folder with the pictures. */
async function predict(args: readonly string[], stdin: Uint8Array = new Uint8Array()) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("predict"), ...args],
    cwd: repositoryRoot(),
    env: { ...ENV, INIT_CWD: folder },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(stdin).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: problem! };
}

const ANSWER = String.raw`\d \([<>]?[ \d.]+ %\), then \d \([<>]?[ \d.]+ %\)`;

Deno.test("predict answers pictures, folders, IDX files and standard input, and says what it cannot read", async () => {
  const { code, stdout, stderr } = await predict([
    ...["pictures", "empty.png", "digits-idx3-ubyte", "half.png", "-", "none.jpg"],
    ...["--results", RESULTS],
  ], PICTURES["seven.png"]);
  assertEquals(code, 1);
  const lines = stdout.trimEnd().split("\n");
  assertMatch(lines[0]!, /^Model: SimpleCNN, run \S+, \d+\.00 % of its test images/);
  const names = ["pictures/seven.png", "pictures/two.PNG", "digits-idx3-ubyte[0]"];
  names.push("digits-idx3-ubyte[1]", "digits-idx3-ubyte[2]", "standard input");
  for (const [i, name] of names.entries()) {
    assertMatch(lines[i + 1]!, new RegExp(`^${RegExp.escape(name)}: ${ANSWER}$`));
  }
  assertEquals(lines.length, 1 + names.length);
  assertEquals(stderr.trimEnd().split("\n"), [
    "error: Cannot read empty.png: it is empty",
    "error: Cannot read half.png: it is cut off",
    "error: Cannot read none.jpg: there is no such file or folder",
  ]);
});

Deno.test("predict --json prints a line for each digit; a picture's answer is that of its digit", async () => {
  const { code, stdout, stderr } = await predict([
    ...["pictures/seven.png", "pictures/two.PNG", "digits-idx3-ubyte", "--json", "--explain"],
    ...["--results", RESULTS, "--run", "best", "--save-views", "views"],
  ]);
  assertEquals(code, 0, stderr);
  const rows = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(rows.map(({ picture, index, ink }) => [picture, index, ink]), [
    ["pictures/seven.png", undefined, "light"],
    ["pictures/two.PNG", undefined, "dark"],
    ...[0, 1, 2].map((index) => ["digits-idx3-ubyte", index, undefined]),
  ]);
  for (const { digit, probability, runner_up, probabilities, model } of rows) {
    assertEquals([probabilities.length, model], [10, "SimpleCNN"]);
    assertEquals([probabilities[digit], Math.max(...probabilities)], [probability, probability]);
    assert(runner_up.probability <= probability && runner_up.digit !== digit);
  }
  for (const [picture, i] of [[0, 2], [1, 3]] as const) {
    const { pixels, digit } = rows[picture]!;
    assertEquals(digit, rows[i]!.digit);
    for (const [at, grey] of pixels.entries()) {
      assert(Math.abs(grey - rows[i]!.pixels[at]) <= 4, `${at}: ${grey}`);
    }
  }
  const views = Array.from(Deno.readDirSync(join(folder, "views")), ({ name }) => name).sort();
  assertEquals(views, [
    ...[0, 1, 2].map((i) => `digits-idx3-ubyte-${i}.png`),
    ...["seven.png", "two.png"],
  ]);
});

Deno.test("predict --save-views looks at the folder before it starts", async () => {
  const { code, stdout, stderr } = await predict([
    ...["pictures", "--results", RESULTS, "--save-views", "digits-idx3-ubyte"],
  ]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /^error: Cannot write \S+ \(.*\): a file or folder of that name is in the way/,
  );
  assertEquals(stderr.split("\n").length, 2);
});

Deno.test("predict --save-views leaves the user's own pictures alone, and answers all the same", async () => {
  const own = join(folder, "own");
  await Deno.mkdir(own);
  const names = ["grey.png", "rgb.png", "rgba.png"];
  for (const name of names) {
    const fixture = join(repositoryRoot(), "tests", "fixtures", "pictures", name);
    await Deno.copyFile(fixture, join(own, name));
  }
  const before = names.map((name) => Deno.readFileSync(join(own, name)));
  const pictures = ["pictures", ...names.map((name) => join("own", name))];
  const args = [...pictures, "--results", RESULTS, "--save-views", "own"];
  for (const _ of ["at first", "again"]) {
    const { code, stdout, stderr } = await predict(args);
    assertEquals(code, 1);
    assertEquals(stdout.split("\n").length, 1 + 5 + 1, stdout);
    assertEquals(stderr.trimEnd().split("\n"), [
      `error: ${join(own, "grey.png")} is there already and deno task predict did not write it: ` +
      "move it, or choose another place with --save-views",
      "error: 2 more views could not be kept",
    ]);
  }
  assertEquals(names.map((name) => Deno.readFileSync(join(own, name))), before);
  const all = Array.from(Deno.readDirSync(own), ({ name }) => name).sort();
  assertEquals(all, [...names, "seven.png", "two.png"]);
});

Deno.test("predict --explain shows what the model saw; --ink forces what counts as ink", async () => {
  const { code, stdout, stderr } = await predict([
    ...["pictures/two.PNG", "--explain", "--ink=dark", "--results", RESULTS],
  ]);
  assertEquals(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n").slice(1);
  assertMatch(
    lines[1]!,
    /^ {2}dark ink on light, inverted; cropped to \d+×\d+ at \d+,\d+ of 224×224/,
  );
  const blocks = lines.slice(2, 30);
  assert(blocks.some((line) => line.includes("██")) && blocks.every((line) => line.length <= 58));
  assertEquals(lines.slice(30).map((line) => line.trim()[0]), [..."0123456789"]);
  const forced = await predict(["pictures/two.PNG", "--ink=light", "--results", RESULTS]);
  assertEquals(forced.code, 1);
  assertStringIncludes(
    forced.stderr,
    "error: Cannot read pictures/two.PNG: nothing in it stands out",
  );
});

Deno.test("predict stops at Ctrl-C in the midst of a file of digits, what it knows being said", async () => {
  const count = 60_000;
  const path = join(folder, "many-idx3-ubyte");
  await Deno.writeFile(path, idx(0x803, [count, 28, 28], new Uint8Array(784 * count)));
  const args = [...taskArgs("predict"), path, "--results", RESULTS];
  const program = new Program(Deno.execPath(), args);
  await program.until(/\[0\]: /);
  program.kill("SIGINT");
  const { code, stdout, stderr } = await program.end();
  assertEquals([code, stderr.split("\n").length], [130, 2], stderr);
  const lines = stdout.trimEnd().split("\n");
  assert(lines.length > 1 && lines.length < 1 + count, `${lines.length} lines`);
  await Deno.remove(path);
});

Deno.test("predict stops quietly once nobody reads its answers", async () => {
  const count = 5000;
  const path = join(folder, "unread-idx3-ubyte");
  await Deno.writeFile(path, idx(0x803, [count, 28, 28], new Uint8Array(784 * count)));
  const child = new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("predict"), path, "none.png", "--json", "--quiet", "--results", RESULTS],
    cwd: repositoryRoot(),
    env: { ...ENV, INIT_CWD: folder },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const problem = await new Response(child.stderr).text();
  // Of what comes after those digits nothing is said.
  assertEquals([(await child.status).code, problem], [0, ""]);
});

Deno.test("predict stops at the first Ctrl-C, while its model loads and while it waits for standard input", async () => {
  const early = await stoppedWhileLoading("predict", ["none.png", "--results", RESULTS]);
  assertEquals([early.code, early.stdout, early.stderr], [130, "Loading\n", ""]);
  for (const typed of ["", "\x89PNG"]) {
    const args = [...taskArgs("predict"), "pictures/seven.png", "-", "--results", RESULTS];
    const program = new Program(Deno.execPath(), args, { INIT_CWD: folder });
    await program.until(/seven\.png: /);
    await program.type(typed);
    program.kill("SIGINT");
    const { code, stderr } = await program.end();
    assertEquals(code, 130);
    assertMatch(stderr, /^error: Interrupted.*\n$/);
  }
});

Deno.test("predict says how to get a model, and which flags there are", async () => {
  const nowhere = join(folder, "nowhere");
  const missing = await predict(["pictures/seven.png", "--results", nowhere]);
  assertEquals([missing.code, missing.stdout], [2, ""]);
  assertStringIncludes(
    missing.stderr,
    `expected an existing folder; there is none at ${nowhere}\n`,
  );
  await Deno.mkdir(nowhere);
  // Whatever has to be fetched to answer at all is not fetched in vain.
  const noEngine = ["--libtensorflow", join(folder, "digits-idx3-ubyte")];
  const none = await predict(["pictures/seven.png", "--results", nowhere, ...noEngine]);
  assertEquals([none.code, none.stdout], [1, ""]);
  assertMatch(
    none.stderr,
    /^error: There is no finished run in .*nowhere that .*deno task part1.*\n$/,
  );
  if (Deno.build.os === "linux") {
    const { code, stderr } = await predict(["pictures/seven.png", "--run", "/proc/x.pth"]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^error: Cannot look at \/proc\/x\.pth \(Deno lets no task in there\): .*\n$/,
    );
  }
  for (const args of [[], ["seven.png", "--sed=1"], ["seven.png", "--ink=blue"]]) {
    const { code, stderr } = await predict(args);
    assertEquals(code, 2);
    // The flags that there are come in a line of their own.
    assertMatch(stderr, /^error: .*\n(There are --.*\n)?$/);
  }
  for (const args of [[""], ["pictures/seven.png", ""]]) {
    const { code, stdout, stderr } = await predict(args);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^error: The name of a picture is empty: .*\n$/);
  }
  const { code, stdout } = await predict(["--help"]);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "deno task predict PICTURE... [flags]");
});
