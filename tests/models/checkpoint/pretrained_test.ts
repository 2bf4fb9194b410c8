import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { failureLines, StudyError, UsageError } from "../../../io/errors.ts";
import { sha256Hex } from "../../../io/sha256.ts";
import {
  ALEXNET_WEIGHTS,
  FASTER_RCNN_WEIGHTS,
  obtainWeights,
  type PinnedWeights,
  VGG16_WEIGHTS,
} from "../../../models/checkpoint/pretrained.ts";
import { saveCheckpoint } from "../../../models/checkpoint/safetensors.ts";
import { recordingReporter, withFolder } from "../../data/idx_samples.ts";
import { type Answer, type Bytes, DEAD, mirror } from "../../data/local_mirror.ts";
import { later } from "../../io/clock.ts";

/** A small published file behind a server on this machine. */
interface Setting {
  folder: string;
  cache: string;
  path: string;
  bytes: Bytes;
  source: PinnedWeights;
  asked: string[];
  reporter: ReturnType<typeof recordingReporter>;
}

async function withWeights(
  answer: ((bytes: Bytes) => Answer) | "dead",
  action: (setting: Setting) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const made = join(folder, "made.safetensors");
    const data = Float32Array.from({ length: 5000 }, (_, index) => index);
    await saveCheckpoint(made, new Map([["weight", { dtype: "float32", shape: [5000], data }]]));
    const bytes = await Deno.readFile(made);
    const sha256 = sha256Hex(bytes);
    const file = `net-${sha256.slice(0, 8)}.pth`;
    const server = answer === "dead" ? undefined : mirror(answer(bytes));
    try {
      await action({
        folder,
        cache: join(folder, "cache"),
        path: join(folder, "cache", "weights", file),
        bytes,
        source: {
          file,
          urls: [`${server?.url ?? DEAD}${file}`],
          bytes: bytes.length,
          sha256Prefix: sha256.slice(0, 8),
        },
        asked: server?.asked ?? [],
        reporter: recordingReporter(),
      });
    } finally {
      await server?.stop();
    }
  });
}

const whole = (bytes: Bytes): Answer => () => new Response(bytes);

Deno.test("the published weights are torchvision's, with the sum that each name carries", () => {
  for (
    const { file, urls, sha256Prefix } of [VGG16_WEIGHTS, ALEXNET_WEIGHTS, FASTER_RCNN_WEIGHTS]
  ) {
    assertEquals(urls, [`https://download.pytorch.org/models/${file}`]);
    assertMatch(sha256Prefix, /^[0-9a-f]{8}$/);
    assertStringIncludes(file, `-${sha256Prefix}.pth`);
  }
});

Deno.test("obtainWeights() fetches published weights once, then takes them from the cache", () =>
  withWeights(whole, async ({ source, cache, path, bytes, asked, reporter }) => {
    const options = { weights: "pretrained", source, strict: true, reporter, cache };
    const expected = { label: `torchvision:${source.file}`, sha256: sha256Hex(bytes), path };
    assertEquals(await obtainWeights(options), expected);
    assertEquals(await Deno.readFile(path), bytes);
    assertEquals(await obtainWeights(options), expected);
    assertEquals(asked, [source.file]);
    assertEquals(reporter.warnings, []);
  }));

Deno.test("obtainWeights() continues a download that broke off", () => {
  const ranges: (string | null)[] = [];
  const resuming = (bytes: Bytes): Answer => (_, request) => {
    ranges.push(request.headers.get("range"));
    const start = Number(/\d+/.exec(request.headers.get("range") ?? "0")![0]);
    return new Response(bytes.slice(start), {
      status: start > 0 ? 206 : 200,
      headers: start > 0
        ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }
        : {},
    });
  };
  return withWeights(resuming, async ({ source, cache, path, bytes, reporter }) => {
    await Deno.mkdir(join(cache, "weights"), { recursive: true });
    await Deno.writeFile(`${path}.part`, bytes.subarray(0, 9000));
    await obtainWeights({ weights: "pretrained", source, strict: true, reporter, cache });
    assertEquals(ranges, ["bytes=9000-"]);
    assertEquals(await Deno.readFile(path), bytes);
  });
});

Deno.test("obtainWeights() fetches weights again whose SHA-256 is wrong in the cache", () =>
  withWeights(whole, async ({ source, cache, path, bytes, reporter }) => {
    const damaged = bytes.slice();
    damaged[9000]! ^= 1;
    await Deno.mkdir(join(cache, "weights"), { recursive: true });
    await Deno.writeFile(path, damaged);
    await obtainWeights({ weights: "pretrained", source, strict: true, reporter, cache });
    assertEquals(await Deno.readFile(path), bytes);
    assertEquals(reporter.warnings.length, 1);
    assertStringIncludes(reporter.warnings[0]!, "is damaged (SHA-256");
  }));

for (
  const [what, answer, reason] of [
    ["cannot be reached", "dead", "127.0.0.1"],
    ["are another file", (bytes: Bytes) => whole(bytes.map((byte) => byte ^ 1)), "SHA-256"],
    ["are cut short", (bytes: Bytes) => whole(bytes.slice(1)), "bytes"],
  ] as const
) {
  Deno.test(`obtainWeights() warns of random weights where the published ones ${what}`, () =>
    withWeights(answer, async ({ source, cache, path, reporter }) => {
      const options = { weights: "pretrained", source, strict: false, reporter, cache };
      const random = { label: "random", sha256: "", path: undefined };
      assertEquals(await obtainWeights(options), random);
      const [warning] = reporter.warnings;
      for (const part of ["RANDOM WEIGHTS", source.file, reason, "--weights PATH"]) {
        assertStringIncludes(warning!, part);
      }
      await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
      const strict = { ...options, strict: true };
      const error = await assertRejects(() => obtainWeights(strict), StudyError);
      for (const part of ["--strict", source.file, reason]) {
        assertStringIncludes(error.message, part);
      }
      assertEquals(error.message.split("\n").length, 1);
    }));
}

Deno.test("obtainWeights() asks once who does not deliver, and again after a fault of the cache", () =>
  withWeights(whole, async ({ folder, source, cache, path, asked, reporter }) => {
    const options = { weights: "pretrained", source, strict: true, reporter, cache };
    const obtain = (other = {}) => obtainWeights({ ...options, ...other });
    await Deno.mkdir(`${path}.part`, { recursive: true });
    await assertRejects(() => obtain(), StudyError, "Cannot");
    await Deno.remove(`${path}.part`);
    await Deno.writeTextFile(join(folder, "file"), "");
    await assertRejects(() => obtain({ cache: join(folder, "file") }), StudyError, "Cannot");
    assertEquals((await obtain()).path, path);

    await Deno.remove(path);
    const count = asked.length;
    const other = { ...source, sha256Prefix: "0".repeat(8), file: "net-00000000.pth" };
    for (let time = 0; time < 2; time++) {
      await assertRejects(() => obtain({ source: other }), StudyError, "SHA-256");
    }
    assertEquals(asked.length, count + 1);
    // Another cache may have been filled, or be another disk's.
    const second = { source: other, cache: join(folder, "second") };
    await assertRejects(() => obtain(second), StudyError, "SHA-256");
    assertEquals(asked.length, count + 2);
  }));

Deno.test("obtainWeights() puts nothing in the place of weights that its cache does not take", () =>
  withWeights(whole, async ({ folder, source, cache, path, reporter }) => {
    const options = { weights: "pretrained", source, strict: false, reporter, cache };
    const refused = async (what: string, other = {}) => {
      const error = await assertRejects(() => obtainWeights({ ...options, ...other }), StudyError);
      assertStringIncludes(error.message, what);
      return error.message;
    };
    await Deno.mkdir(`${path}.part`, { recursive: true });
    await refused(`Cannot write ${path}.part`);
    await Deno.remove(`${path}.part`);
    await Deno.mkdir(path);
    await refused("Cannot keep weights");
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    assertStringIncludes(await refused(file, { cache: file }), "MNIST_STUDY_CACHE");
    assertEquals(reporter.warnings.filter((text) => text.includes("RANDOM WEIGHTS")), []);
  }));

Deno.test("obtainWeights() asks again in the process in which nobody delivered, a minute later", () => {
  let works = false;
  const answer = (bytes: Bytes): Answer => () =>
    works ? new Response(bytes) : new Response("gone", { status: 404 });
  return withWeights(answer, async ({ source, cache, path, asked, reporter }) => {
    const obtain = () =>
      obtainWeights({ weights: "pretrained", source, strict: true, reporter, cache });
    const refuse = async () => void await assertRejects(obtain, StudyError, "404");
    // That the failure is told again does not make it newer.
    await refuse();
    await later(31_000, refuse);
    assertEquals(asked.length, 1);
    works = true;
    assertEquals((await later(62_000, obtain)).path, path);
  });
});

Deno.test("obtainWeights() tells a missing network in two short lines, the rest with verbose", () =>
  withFolder(async (cache) => {
    const urls = [`${DEAD}${ALEXNET_WEIGHTS.file}`];
    const reporter = recordingReporter();
    const { convolutions: _, ...whole } = ALEXNET_WEIGHTS;
    const options = { weights: "pretrained", strict: false, reporter, cache };
    for (const verbose of [false, true]) {
      const source = { ...whole, urls };
      await obtainWeights({ ...options, source, reporter: { ...reporter, verbose } });
    }
    const [short, long] = reporter.warnings.map((text) => text.split("\n"));
    assertEquals([short!.length, long!.length], [2, 3]);
    for (const line of short!) assert(line.length <= 165, line);
    assertStringIncludes(short![1]!, "(--verbose shows what was tried)");
    assertStringIncludes(long![2]!, `  ${urls[0]}: `);
    const strict = { ...options, source: { ...whole, urls }, strict: true };
    const error = await assertRejects(() => obtainWeights(strict), StudyError);
    for (const line of failureLines(error, { prefix: "error: " })) {
      assert(line.length <= 165, line);
    }
  }));

Deno.test("obtainWeights() asked for random weights asks nobody and warns of nothing", () =>
  withWeights(whole, async ({ source, cache, asked, reporter }) => {
    const options = { weights: "random", source, strict: true, reporter, cache };
    assertEquals((await obtainWeights(options)).label, "random");
    assertEquals([asked, reporter.warnings, reporter.lines], [[], [], []]);
  }));

Deno.test("obtainWeights() knows a file that is the published one from one that is not", () =>
  withWeights("dead", async ({ folder, source, cache, bytes, reporter }) => {
    const mine = join(folder, "mine.safetensors");
    await Deno.writeFile(mine, bytes);
    const options = { weights: mine, source, strict: true, reporter, cache };
    const sha256 = sha256Hex(bytes);
    assertEquals(await obtainWeights(options), {
      label: `torchvision:${source.file}`,
      sha256,
      path: mine,
      isOwn: true,
    });
    const other = { ...options, source: VGG16_WEIGHTS };
    assertEquals(await obtainWeights(other), {
      label: "file:mine.safetensors",
      sha256,
      path: mine,
      isOwn: true,
    });
  }));

Deno.test("obtainWeights() puts nothing in the place of a file that is missing or damaged", () =>
  withWeights(whole, async ({ folder, source, cache, bytes, asked, reporter }) => {
    const path = join(folder, "mine.safetensors");
    const options = { weights: path, source, strict: false, reporter, cache };
    const missing = await assertRejects(() => obtainWeights(options), UsageError);
    assertStringIncludes(missing.message, `"${path}": there is no such file`);
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 1));
    const damaged = await assertRejects(() => obtainWeights(options), StudyError);
    assertStringIncludes(damaged.message, path);
    await assertRejects(() => obtainWeights({ ...options, weights: folder }), StudyError);
    // Sound in form, but not what its name says.
    const renamed = join(folder, source.file);
    await Deno.writeFile(renamed, bytes.with(-1, bytes.at(-1)! ^ 1));
    const other = await assertRejects(
      () => obtainWeights({ ...options, weights: renamed }),
      StudyError,
    );
    assertStringIncludes(other.message, `${renamed} is damaged`);
    assertEquals([asked, reporter.warnings], [[], []]);
  }));
