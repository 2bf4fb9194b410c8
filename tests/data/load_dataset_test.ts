import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { loadDataset } from "../../data/load_dataset.ts";
import { FASHION_MNIST, FILE_STEMS, MNIST, publishedName } from "../../data/sources.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { StudyError, UsageError } from "../../io/errors.ts";
import { sha256Hex } from "../../io/sha256.ts";
import {
  concat,
  gzip,
  idx,
  idxImages,
  idxLabels,
  recordingReporter,
  sampleFiles,
  samplePublished,
  withFolder,
  writeFiles,
} from "./idx_samples.ts";
import { later } from "../io/clock.ts";
import { type Answer, DEAD, mirror, serving, withSources } from "./local_mirror.ts";

const NAMES = FILE_STEMS.map(publishedName);
const CONTENTS = Object.values(sampleFiles());
const VALUES = CONTENTS.map((content, i) => content.subarray(i % 2 === 0 ? 16 : 8));
const SHA256 = sha256Hex(...VALUES);

/** The suite's settings, for a script that runs by itself. */
const CONFIG = ["deno.json", "deno.lock"].map((name, i) =>
  `--${["config", "lock"][i]}=${join(repositoryRoot(), name)}`
);

const PACKED = samplePublished("mnist", []).packed;
const good = serving(PACKED);

Deno.test("loadDataset() fetches mnist, then takes it from the cache", async () => {
  await withSources([good], async ({ sources, reporter }, [asked]) => {
    const options = { data: "mnist", reporter };
    const fetched = await loadDataset(options, sources);
    assertEquals(asked, NAMES);
    assertEquals([fetched.name, fetched.sha256], ["mnist", SHA256]);
    assertEquals(fetched.source, sources.mnist.mirrors[0]);
    assertEquals([fetched.train.count, fetched.test.count], [3, 2]);
    assertEquals(fetched.train.images, VALUES[0]);
    assertEquals([...fetched.train.labels], [7, 0, 9]);
    assertEquals(fetched.test.images, VALUES[2]);
    assertEquals([...fetched.test.labels], [1, 2]);
    const again = await loadDataset(options, sources);
    assertEquals(asked!.length, 4);
    assertEquals(again.sha256, SHA256);
    assertEquals(again.source, `cache ${join(sources.cache, "mnist")}`);
    assertEquals(reporter.warnings, []);
  });
});

Deno.test("loadDataset() asks the mirrors in order and stays with the one that delivers", async () => {
  const gone: Answer = () => new Response("gone", { status: 404 });
  await withSources([gone, "dead", good, good], async ({ sources, reporter }, asked) => {
    const { source } = await loadDataset({ data: "auto", reporter }, sources);
    assertEquals(asked, [[NAMES[0]!], [], NAMES, []]);
    assertEquals(source, sources.mnist.mirrors[2]);
  });
});

Deno.test("loadDataset() fetches once for two runs at once", async () => {
  await withSources([good], async ({ sources, reporter }, [asked]) => {
    const load = () => loadDataset({ data: "mnist", reporter }, sources);
    const sets = await Promise.all([load(), load()]);
    assertEquals(sets.map(({ sha256 }) => sha256), [SHA256, SHA256]);
    assertEquals(asked, NAMES);
  });
});

Deno.test("loadDataset() passes over a page, a wrong file and a short one", async () => {
  const page: Answer = () =>
    new Response("<!doctype html><html></html>", { headers: { "content-type": "text/html" } });
  const wrong: Answer = (name) => new Response(PACKED[name]!.map((byte) => byte ^ 1));
  const short: Answer = (name) => new Response(PACKED[name]!.slice(0, -3));
  await withSources([page, wrong, short, good], async ({ sources, reporter }) => {
    const set = await loadDataset({ data: "mnist", reporter }, sources);
    assertEquals([set.sha256, set.source], [SHA256, sources.mnist.mirrors[3]!]);
  });
});

Deno.test("loadDataset() goes on where a broken transfer stopped", async () => {
  const ranges: (string | null)[] = [];
  const breaking: Answer = (name, request) => {
    const range = request.headers.get("range");
    if (name !== NAMES[0]) return good(name, request);
    ranges.push(range);
    const bytes = PACKED[name]!;
    if (range === null) {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(bytes.slice(0, 100));
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-length": `${bytes.length}` } });
    }
    const from = Number(/\d+/.exec(range)![0]);
    const headers = { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    return new Response(bytes.slice(from), { status: 206, headers });
  };
  await withSources([breaking], async ({ sources, reporter }) => {
    const { sha256 } = await loadDataset({ data: "mnist", reporter }, sources);
    assertEquals(sha256, SHA256);
    assertEquals(ranges, [null, "bytes=100-"]);
  });
});

Deno.test("loadDataset() asks mirrors that deliver nothing once, and says why", async () => {
  const gate = Promise.withResolvers<void>();
  const silent: Answer = () => gate.promise.then(() => new Response(null));
  await withSources([silent, "dead"], async ({ sources, reporter }, [asked]) => {
    const started = performance.now();
    const load = () => loadDataset({ data: "auto", reporter }, sources);
    const { message } = await assertRejects(load, StudyError).finally(gate.resolve);
    assert(performance.now() - started < 5000);
    for (const part of [NAMES[0]!, DEAD]) assertStringIncludes(message, part);
    assertEquals(message.includes("\n"), false);
    // Neither another file nor another load asks the mirrors again.
    await assertRejects(load, StudyError);
    assertEquals(asked, [NAMES[0]!]);
  });
});

Deno.test("loadDataset() fetches a damaged cache file again, and says so", async () => {
  await withSources([good], async ({ sources, packed, reporter }, [asked]) => {
    const flipped = packed[NAMES[2]!]!.slice();
    flipped[40]! ^= 1;
    const cache = join(sources.cache, "mnist");
    for (const bad of [flipped, flipped.slice(0, 30), new TextEncoder().encode("<html>")]) {
      await writeFiles(cache, { ...packed, [NAMES[2]!]: bad });
      reporter.warnings.length = 0;
      asked!.length = 0;
      const set = await loadDataset({ data: "mnist", reporter }, sources);
      assertEquals([set.sha256, asked], [SHA256, [NAMES[2]!]]);
      assertEquals(reporter.warnings.length, 1);
      assertStringIncludes(reporter.warnings[0]!, join(cache, NAMES[2]!));
      assertEquals(await Deno.readFile(join(cache, NAMES[2]!)), packed[NAMES[2]!]);
    }
  });
});

Deno.test("loadDataset() names a damaged cache file that cannot be fetched again", async () => {
  await withSources(["dead"], async ({ sources, packed, reporter }) => {
    const path = join(sources.cache, "mnist", NAMES[3]!);
    await writeFiles(join(sources.cache, "mnist"), { ...packed, [NAMES[3]!]: new Uint8Array(9) });
    const load = (data: string) => loadDataset({ data, reporter }, sources);
    const { message } = await assertRejects(() => load("mnist"), StudyError);
    for (const part of [`${path} is damaged`, "9 bytes", DEAD]) assertStringIncludes(message, part);
    const again = await assertRejects(() => load("auto"), StudyError);
    assertStringIncludes(again.message, `${path} is damaged`);
  });
});

Deno.test("loadDataset() asks mirrors again in the process in which they failed, a minute later", async () => {
  let works = false;
  const answer: Answer = (name, request) =>
    works ? good(name, request) : new Response("gone", { status: 404 });
  await withSources([answer], async ({ sources, reporter }, [asked]) => {
    const load = () => loadDataset({ data: "mnist", reporter }, sources);
    for (let time = 0; time < 2; time++) await assertRejects(load, StudyError, "404");
    assertEquals(asked, [NAMES[0]!]);
    works = true;
    assertEquals((await later(61_000, load)).sha256, SHA256);
  });
});

Deno.test("loadDataset() says where a cache cannot be written", async () => {
  await withSources([good], async ({ sources, folder, reporter }) => {
    await Deno.writeTextFile(join(folder, "file"), "");
    const cache = join(folder, "file", "cache");
    const load = () => loadDataset({ data: "mnist", reporter }, { ...sources, cache });
    const { message } = await assertRejects(load, StudyError);
    assertStringIncludes(message, "MNIST_STUDY_CACHE");
    // Once it can, the set is asked for after all.
    const part = join(sources.cache, "mnist", `${NAMES[0]!}.part`);
    await Deno.mkdir(part, { recursive: true });
    const loadHere = () => loadDataset({ data: "mnist", reporter }, sources);
    await assertRejects(loadHere, StudyError);
    await Deno.remove(part);
    assertEquals((await loadHere()).name, "mnist");
  });
});

Deno.test("loadDataset() reads a folder of one's own, packed or not, under its usual names", async () => {
  const own = sampleFiles(9);
  const sha256 = sha256Hex(...Object.values(own).map((it, i) => it.subarray(i % 2 ? 8 : 16)));
  await withSources([], async ({ sources, folder, reporter }) => {
    for (const mark of ["-", "."]) {
      for (const pack of [false, true]) {
        const data = join(folder, `own${mark}${pack}`);
        await writeFiles(
          data,
          Object.fromEntries(FILE_STEMS.map((stem) => [
            `${stem}${mark}idx${stem.endsWith("images") ? 3 : 1}-ubyte${pack ? ".gz" : ""}`,
            pack ? gzip(own[stem]) : own[stem],
          ])),
        );
        const set = await loadDataset({ data, reporter }, sources);
        assertEquals(set.name, `dir:own${mark}${pack}`);
        assertEquals([set.sha256, set.source], [sha256, `folder ${data}`]);
      }
    }
    assertEquals([...reporter.lines, ...reporter.warnings], []);
  });
});

Deno.test("loadDataset() knows a published set in a folder by its content", async () => {
  await withSources([], async ({ sources, folder, reporter }) => {
    for (const [seed, name] of [[0, "mnist"], [50, "fashion-mnist"]] as const) {
      const data = join(folder, `set${seed}`);
      const contents = Object.values(sampleFiles(seed));
      const names = NAMES.map((name) => name.slice(0, -3));
      await writeFiles(data, Object.fromEntries(names.map((name, i) => [name, contents[i]!])));
      const set = await loadDataset({ data, reporter }, sources);
      assertEquals(set.name, name);
    }
  });
});

Deno.test("loadDataset() names what is missing or wrong in a folder", async () => {
  await withSources([], async ({ sources, folder, packed, reporter }) => {
    const data = join(folder, "own");
    const load = () => loadDataset({ data, reporter }, sources);
    const unknown = await assertRejects(load, UsageError);
    for (const part of [data, "auto, mnist, fashion"]) {
      assertStringIncludes(unknown.message, part);
    }
    await writeFiles(data, { [NAMES[0]!]: packed[NAMES[0]!]!, [NAMES[3]!]: packed[NAMES[3]!]! });
    const missing = await assertRejects(load, StudyError);
    assertMatch(
      missing.message,
      /train-labels-idx1-ubyte, t10k-images-idx3-ubyte in .*own/,
    );
    await writeFiles(data, { ...packed, [NAMES[1]!]: gzip(idxLabels(1, 2)) });
    const uneven = await assertRejects(load, StudyError);
    for (const part of [NAMES[0]!, NAMES[1]!, "3 images", "expected 2"]) {
      assertStringIncludes(uneven.message, part);
    }
    await writeFiles(data, {
      ...packed,
      [NAMES[1]!]: concat(packed[NAMES[1]!]!, Uint8Array.of(1)),
    });
    assertStringIncludes((await assertRejects(load, StudyError)).message, join(data, NAMES[1]!));
  });
});

/** What is said of a folder that has these files, by their paths in it. */
async function saidOf(paths: readonly string[]): Promise<string> {
  let message = "";
  await withSources([], async ({ sources, folder, reporter }) => {
    const data = join(folder, "own");
    await Deno.mkdir(data);
    for (const path of paths) {
      await writeFiles(dirname(join(data, path)), { [basename(path)]: idxLabels(1) });
    }
    const error = await assertRejects(() => loadDataset({ data, reporter }, sources), StudyError);
    message = error.message.replaceAll(data, "DATA");
  });
  return message;
}

Deno.test("loadDataset() says what lies in a folder that has no set under its usual names", async () => {
  assertMatch(
    await saidOf([]),
    /in DATA: it is empty: put the set's 4 IDX files there, as NAME-idxN-ubyte /,
  );
  const inner = NAMES.map((name) => join("MNIST", "raw", name));
  assertStringIncludes(
    await saidOf([...inner, "processed/training.pt"]),
    `they are in ${join("DATA", "MNIST", "raw")}: name that folder`,
  );
  const emnist = NAMES.map((name) => `emnist-digits-${name.replace("t10k", "test")}`);
  assertMatch(
    await saidOf(emnist),
    /it holds emnist-digits-test-images-idx3-ubyte\.gz and 3 more: give .*, t10k-images-idx3-ubyte\.gz for the first$/,
  );
  assertStringIncludes(
    await saidOf(emnist.map((name) => join("gzip", name))),
    `${join("DATA", "gzip")} holds emnist-digits-test-images`,
  );
  assertMatch(
    await saidOf(["qmnist-train-labels-idx2-int.gz"]),
    /train-labels-idx1-ubyte\.gz for the first$/,
  );
  assertMatch(
    await saidOf(["train-images-idx3-ubyte/train-images.idx3-ubyte"]),
    /train-images-idx3-ubyte is a folder there: move the file in it out of it$/,
  );
  const tables = ["a", "b", "c", "d", "e", "f", "g"].map((name) => `${name}.csv`);
  assertMatch(await saidOf(tables), /it holds a\.csv, .*, e\.csv and 2 more: put /);
});

Deno.test("loadDataset() takes little more memory than the images", async () => {
  await withFolder(async (folder) => {
    const count = 400_000;
    const size = 16 + count * 784;
    const [images, labels] = [join(folder, "train-images-idx3-ubyte"), "train-labels-idx1-ubyte"];
    await writeFiles(folder, {
      [labels]: idx(0x801, [count], new Uint8Array(count)),
      "t10k-images-idx3-ubyte": idxImages(1),
      "t10k-labels-idx1-ubyte": idxLabels(1),
    });
    await Deno.writeFile(images, idx(0x803, [count, 28, 28], new Uint8Array()));
    await Deno.truncate(images, size);
    const load = async (most: number, ...limit: string[]) => {
      const script = join(repositoryRoot(), "tests", "data", "loaded_memory.ts");
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-q",
          ...CONFIG,
          "--allow-read",
          "--allow-env",
          "--allow-ffi",
          script,
          folder,
          ...limit,
        ],
        stderr: "inherit",
      }).output();
      const loaded = JSON.parse(new TextDecoder().decode(stdout));
      assert(loaded.bytes < size + most, `${loaded.bytes} bytes for ${size}`);
      return loaded.count;
    };
    assertEquals(await load(60e6), count);
    // As large as if its bytes could not be made fewer; what is unpacked at a time comes on top.
    await Deno.writeFile(`${images}.gz`, gzipSync(await Deno.readFile(images), { level: 0 }));
    await Deno.remove(images);
    assertEquals(await load(220e6, String(count - 1)), count - 1);
  });
});

Deno.test("loadDataset() takes fashion from its folder, else from cache and mirror", async () => {
  const fashion = samplePublished("fashion-mnist", [], 50);
  const server = mirror(serving(fashion.packed));
  try {
    await withSources([], async ({ sources, reporter }) => {
      const set = { ...fashion, mirrors: [server.url] };
      const load = () => loadDataset({ data: "fashion", reporter }, { ...sources, fashion: set });
      // Packed in another way than the published files, as a distribution does.
      const local = Object.fromEntries(
        FILE_STEMS.map((stem) => [publishedName(stem).slice(0, -3), sampleFiles(50)[stem]]),
      );
      await writeFiles(sources.fashionFolder, local);
      const found = await load();
      assertEquals(
        [found.name, found.source],
        ["fashion-mnist", `folder ${sources.fashionFolder}`],
      );
      assertEquals([server.asked, reporter.warnings], [[], []]);

      await writeFiles(sources.fashionFolder, { [NAMES[0]!.slice(0, -3)]: new Uint8Array(3) });
      const fetched = await load();
      assertEquals([fetched.source, fetched.sha256], [server.url, found.sha256]);
      assertEquals(reporter.warnings.length, 1);
      assertStringIncludes(reporter.warnings[0]!, NAMES[0]!.slice(0, -3));

      await Deno.remove(sources.fashionFolder, { recursive: true });
      assertMatch((await load()).source, /^cache /);
      assertEquals(server.asked, NAMES);
    });
  } finally {
    await server.stop();
  }
});

Deno.test("loadDataset() keeps the first images under a limit", async () => {
  await withSources([good], async ({ sources, reporter }) => {
    const options = { data: "mnist", reporter };
    const set = await loadDataset({ ...options, limit: 2, testLimit: 1 }, sources);
    assertEquals([set.train.count, set.test.count], [2, 1]);
    assertEquals(set.train.images, VALUES[0]!.slice(0, 1568));
    assertEquals([...set.train.labels, ...set.test.labels], [7, 0, 1]);
    assertEquals(set.sha256, SHA256);
    reporter.lines.length = 0;
    const all = await loadDataset({ ...options, limit: 3, testLimit: 99 }, sources);
    assertEquals([all.train.count, all.test.count], [3, 2]);
    assertEquals(reporter.lines.length, 1);
    assertMatch(reporter.lines[0]!, /only 2 test images.*99/);
    for (const limit of [0, -1, 1.5, NaN]) {
      await assertRejects(() => loadDataset({ ...options, limit }, sources), RangeError);
    }
  });
});

const DEBIAN = "/usr/share/datasets/fashion-mnist";
const installed = await Deno.stat(DEBIAN).then(() => true, () => false);
if (!installed) console.log(`skipped: no Fashion-MNIST in ${DEBIAN}`);
Deno.test({
  name: "loadDataset() finds Fashion-MNIST in Debian's folder by its content",
  ignore: !installed,
  async fn() {
    await withFolder(async (folder) => {
      const reporter = recordingReporter();
      const set = await loadDataset({ data: DEBIAN, reporter }, {
        mnist: MNIST,
        fashion: FASHION_MNIST,
        fashionFolder: DEBIAN,
        cache: folder,
        connectTimeoutMs: 1,
        stallTimeoutMs: 1,
      });
      assertEquals([set.name, set.train.count, set.test.count], ["fashion-mnist", 60000, 10000]);
      // Fashion-MNIST has as many pictures of each of its ten classes.
      const counts = new Array<number>(10).fill(0);
      for (const label of set.train.labels) counts[label]!++;
      assertEquals(counts, new Array(10).fill(6000));
    });
  },
});
