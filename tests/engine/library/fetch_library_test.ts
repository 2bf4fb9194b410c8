import { PIP_RATE } from "../../../engine/library/fetch_wheel.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { basename, join } from "node:path";
import { fetchLibrary, type FetchLibraryOptions } from "../../../engine/library/fetch_library.ts";
import { damageIn } from "../../../engine/library/library_check.ts";
import { RELEASES } from "../../../engine/library/releases.ts";
import { CacheError } from "../../../io/cache.ts";
import { StudyError } from "../../../io/errors.ts";
import { type Reporter, silentReporter } from "../../../io/reporter.ts";
import { sha256Hex } from "../../../io/sha256.ts";
import { unpackMembers } from "../../../io/unpack_archive.ts";
import { fakeLibrary, tarGzOf, zipOf } from "./fake_library.ts";
import { withReplaced } from "../../io/replaced_call.ts";
import { fileAnswer, type RawAnswer, type RawServer, rawServer } from "../../io/raw_server.ts";

const MAIN = fakeLibrary({ size: 9000 });
const FRAMEWORK = fakeLibrary({ size: 700 });
const WHEEL = "tensorflow_cpu-2.21.0-test.whl";

/** Everything one test needs: a cache, a fake pip with its log, a server for the archive. */
class Scene implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly reporter: Reporter = { ...silentReporter, line: (text) => this.lines.push(text) };
  archive: Uint8Array = new Uint8Array();
  wheel: Uint8Array = new Uint8Array();
  answer: (request: string) => RawAnswer | undefined = (request) =>
    fileAnswer(request, this.archive);
  readonly server: RawServer = rawServer((request) => this.answer(request));

  private constructor(readonly folder: string) {}

  static async set(): Promise<Scene> {
    const scene = new Scene(await Deno.makeTempDir());
    scene.archive = await tarGzOf({
      "./include/tensorflow/c/c_api.h": new Uint8Array(10),
      "./lib/libtensorflow.so": "libtensorflow.so.2",
      "./lib/libtensorflow.so.2": "libtensorflow.so.2.18.0",
      "./lib/libtensorflow.so.2.18.0": MAIN,
      "./lib/libtensorflow_framework.so.2.18.0": FRAMEWORK,
      "./lib/libtensorflow_framework.so.2": "libtensorflow_framework.so.2.18.0",
      "./LICENSE": new Uint8Array(3),
    });
    scene.wheel = await zipOf({
      "tensorflow/__init__.py": "raise SystemExit",
      "tensorflow/libtensorflow_framework.so.2": FRAMEWORK,
      "tensorflow/libtensorflow_cc.so.2": MAIN,
      "tensorflow/python/libtensorflow_cc.so.2": "another",
    });
    await Deno.writeTextFile(join(scene.folder, "pip.ts"), FAKE_PIP);
    await Deno.writeFile(join(scene.folder, WHEEL), scene.wheel);
    return scene;
  }

  get cache(): string {
    return join(this.folder, "cache");
  }

  /** The fake pip in one of its modes. */
  pip(mode: string): string[] {
    return [Deno.execPath(), "run", "-A", "--no-config", join(this.folder, "pip.ts"), mode];
  }

  /** Options for a fetch in which the archive is available, and pip too. */
  options(mode = "good"): Required<FetchLibraryOptions> {
    return {
      reporter: this.reporter,
      cache: this.cache,
      pipCommands: [this.pip(mode)],
      cLibrary: { name: "glibc", version: "2.31" },
      processor: { arch: "aarch64", cpuinfo: undefined },
      connectTimeoutMs: 300,
      retryDelaysMs: [1, 1],
      mayConnect: () => Promise.resolve(true),
      minimumRate: PIP_RATE,
      release: {
        platform: "test",
        archive: {
          version: "2.18.0",
          url: `${this.server.url}/libtensorflow.tar.gz`,
          sha256: sha256Hex(this.archive),
          members: ["lib/libtensorflow.so.2", "lib/libtensorflow_framework.so.2"],
          glibc: "2.17",
        },
        wheel: {
          version: "2.21.0",
          name: "tensorflow-cpu",
          file: WHEEL,
          platform: "manylinux_2_27_x86_64",
          sha256: sha256Hex(this.wheel),
          size: this.wheel.length,
          members: ["tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2"],
          glibc: "2.27",
        },
      },
    };
  }

  /** The same without pip. */
  archiveOnly(): Required<FetchLibraryOptions> {
    return this.options("broken");
  }

  /** The same without an archive. */
  wheelOnly(mode = "good"): Required<FetchLibraryOptions> {
    const options = this.options(mode);
    delete options.release.archive;
    return options;
  }

  /** How often pip was asked to download, and with which arguments. */
  async pipLog(): Promise<string[]> {
    const text = await Deno.readTextFile(join(this.folder, "pip.log")).catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  /** Starts a fetch of the wheel in a process of its own. */
  process(mode: string): Deno.ChildProcess {
    const script = join(this.folder, "fetch.ts");
    Deno.writeTextFileSync(
      script,
      `import { fetchLibrary } from ${
        JSON.stringify(import.meta.resolve("../../../engine/library/fetch_library.ts"))
      };
       const reporter = { quiet: false, terminal: false, line: console.log, warn() {}, live() {} };
       const options = JSON.parse(Deno.args[0]);
       console.log(JSON.stringify(await fetchLibrary({ ...options, reporter })));`,
    );
    return new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        `--config=${new URL("../../../deno.json", import.meta.url).pathname}`,
        script,
        JSON.stringify(this.wheelOnly(mode)),
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Stands in for pip: its first argument says how it behaves. */
const FAKE_PIP = `
const [mode, verb] = Deno.args;
const here = new URL(".", import.meta.url);
if (mode === "broken") { console.error("No module named pip"); Deno.exit(1); }
if (verb === "--version") { console.log("pip 99.0"); Deno.exit(0); }
Deno.writeTextFileSync(new URL("pip.log", here), Deno.args.join(" ") + "\\n", { append: true });
const dest = Deno.args.find((a) => a.startsWith("--dest="))!.slice(7);
const bytes = Deno.readFileSync(new URL("${WHEEL}", here));
if (mode === "offline") {
  console.error("WARNING: Retrying after connection broken by 'NewConnectionError(...)'");
  console.error("ERROR: Could not find a version that satisfies the requirement (from versions: none)");
  Deno.exit(1);
}
if (mode === "absent") { console.error("ERROR: No matching distribution found for x"); Deno.exit(1); }
const asked = Deno.readTextFileSync(new URL("pip.log", here)).trim().split("\\n").length;
if (mode === "cut" || (mode === "cut once" && asked === 1)) {
  Deno.writeFileSync(dest + "/x.part", bytes.subarray(0, 100));
  console.error("ProtocolError: ('Connection broken: IncompleteRead(100 bytes read, 9 more expected)')");
  Deno.exit(2);
}
if (mode === "stalled") {
  Deno.writeFileSync(dest + "/x.part", bytes.subarray(0, 100));
  console.error("ERROR: Exception:\\nTraceback (most recent call last):\\n  File \\"x\\", line 1, in f");
  console.error("pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='x', port=443): Read timed out.");
  Deno.exit(2);
}
if (mode === "full" || mode === "quota") {
  Deno.writeFileSync(dest + "/x.part", bytes.subarray(0, 100));
  console.error("ERROR: Could not install packages due to an OSError: [Errno " +
    (mode === "full" ? "28] Kein Speicherplatz" : "122] Disk quota exceeded"));
  Deno.exit(1);
}
if (mode === "odd") { console.error("ERROR: the moon is full\\n"); Deno.exit(2); }
if (mode === "huge") Deno.writeFileSync(dest + "/x.part", new Uint8Array(bytes.length * 3));
if (mode === "huge") await new Promise((r) => setTimeout(r, 20_000));
if (mode === "slow") await new Promise((r) => setTimeout(r, 700));
if (mode === "hang") {
  Deno.writeFileSync(dest + "/${WHEEL}", bytes.subarray(0, 100));
  console.log("half");
  for (let i = 0; i < 200; i++) {
    await new Promise((r) => setTimeout(r, 50));
    try { Deno.statSync(dest); } catch { Deno.exit(1); }
  }
}
if (mode === "wrong") bytes[50]! ^= 1;
if (mode !== "silent") Deno.writeFileSync(dest + "/${WHEEL}", bytes);
`;

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => promise, StudyError);
  assert(!error.message.includes("\n"));
  return error.message;
}

Deno.test("RELEASES has complete pins for the four platforms", () => {
  const platforms = ["darwin-aarch64", "linux-aarch64", "linux-x86_64", "windows-x86_64"];
  assertEquals(Object.keys(RELEASES).sort(), platforms);
  for (const [platform, release] of Object.entries(RELEASES)) {
    assertEquals(release.platform, platform);
    for (const pinned of [release.archive, release.wheel]) {
      if (pinned !== undefined) assert(/^[0-9a-f]{64}$/.test(pinned.sha256));
    }
    assert(release.wheel !== undefined);
  }
});

Deno.test("fetchLibrary() keeps of the official archive the needed objects alone", async () => {
  await using scene = await Scene.set();
  const found = await fetchLibrary(scene.archiveOnly());
  const folder = join(scene.cache, "2.18.0-test-archive");
  assertEquals(found, {
    path: join(folder, "libtensorflow.so.2"),
    source: "archive",
    version: "2.18.0",
  });
  assertEquals(await names(folder), [
    "checked.json",
    "libtensorflow.so.2",
    "libtensorflow_framework.so.2",
    "manifest.json",
  ]);
  assertEquals(await Deno.readFile(found.path), MAIN);
  assertEquals(await names(scene.cache), ["2.18.0-test-archive", "lock"]);
  assertEquals(await scene.pipLog(), []);
  const manifest = JSON.parse(await Deno.readTextFile(join(folder, "manifest.json")));
  assertEquals(manifest.files, [
    { name: "libtensorflow.so.2", size: MAIN.length, sha256: sha256Hex(MAIN) },
    { name: "libtensorflow_framework.so.2", size: FRAMEWORK.length, sha256: sha256Hex(FRAMEWORK) },
  ]);
});

Deno.test("fetchLibrary() takes the archive from a zip", async () => {
  await using scene = await Scene.set();
  scene.archive = await zipOf({ "lib/tensorflow.dll": MAIN, "lib/tensorflow.lib": "no" });
  const options = scene.archiveOnly();
  Object.assign(options.release.archive!, {
    url: `${scene.server.url}/libtensorflow.zip`,
    members: ["lib/tensorflow.dll"],
  });
  const found = await fetchLibrary(options);
  const kept = ["checked.json", "manifest.json", "tensorflow.dll"];
  assertEquals(await names(join(found.path, "..")), kept);
});

Deno.test("fetchLibrary() finds its own result in the cache", async () => {
  await using scene = await Scene.set();
  const first = await fetchLibrary(scene.wheelOnly());
  assertEquals(first.source, "wheel");
  assertEquals(await fetchLibrary(scene.wheelOnly()), { ...first, source: "cache" });
  assertEquals((await scene.pipLog()).length, 1);
});

Deno.test("fetchLibrary() refetches a cached library whose bytes are wrong", async () => {
  await using scene = await Scene.set();
  const { path } = await fetchLibrary(scene.wheelOnly());
  await Deno.writeFile(path, MAIN.slice().reverse());
  // Some systems keep the times of files in seconds.
  await Deno.utime(path, 0, 0);
  assertEquals((await fetchLibrary(scene.wheelOnly())).source, "wheel");
  assertEquals(await Deno.readFile(path), MAIN);
});

Deno.test("fetchLibrary() leaves a library that is not hashed again to be found", async () => {
  await using scene = await Scene.set();
  const { path } = await fetchLibrary(scene.wheelOnly());
  const { files } = JSON.parse(await Deno.readTextFile(join(path, "..", "manifest.json")));
  const hashed: string[] = [];
  const live = (text: string) => void hashed.push(text);
  assertEquals([await damageIn(join(path, ".."), files, { live }), hashed], [undefined, []]);
});

Deno.test("fetchLibrary() refetches a cached library whose size or manifest is wrong", async () => {
  await using scene = await Scene.set();
  const { path } = await fetchLibrary(scene.wheelOnly());
  const manifest = join(path, "..", "manifest.json");
  const damages = [
    () => Deno.truncate(path, 100),
    () => Deno.remove(manifest),
    () => Deno.writeTextFile(manifest, '{"version": "2.2'),
    () => Deno.writeTextFile(manifest, "null"),
    () => Deno.remove(join(path, "..", "libtensorflow_framework.so.2")),
  ];
  for (const damage of damages) {
    await damage();
    assertEquals((await fetchLibrary(scene.wheelOnly())).source, "wheel");
    assertEquals(await Deno.readFile(path), MAIN);
  }
  assertEquals((await scene.pipLog()).length, 1 + damages.length);
});

Deno.test("fetchLibrary() takes the wheel where both are available, and asks for nothing else", async () => {
  await using scene = await Scene.set();
  const found = await fetchLibrary(scene.options());
  const folder = join(scene.cache, "2.21.0-test-wheel");
  assertEquals(found, {
    path: join(folder, "libtensorflow_cc.so.2"),
    source: "wheel",
    version: "2.21.0",
  });
  assertEquals(await names(folder), [
    "checked.json",
    "libtensorflow_cc.so.2",
    "libtensorflow_framework.so.2",
    "manifest.json",
  ]);
  assertEquals(await Deno.readFile(found.path), MAIN);
  assertEquals(await names(scene.cache), ["2.21.0-test-wheel", "lock"]);
  assertEquals(scene.server.requests.length, 0);
  // An archive of an earlier version of the suite lies beside it.
  await using other = await Scene.set();
  await fetchLibrary(other.archiveOnly());
  await fetchLibrary(other.wheelOnly());
  assertEquals((await fetchLibrary(other.options())).version, "2.21.0");
});

Deno.test("fetchLibrary() turns to the archive when the wheel is not available, and says why", async () => {
  const reasons = {
    broken: "pip was not found",
    offline: "pip cannot reach its package index",
    absent: "pip's package index does not offer tensorflow-cpu 2.21.0",
    cut: "pip's transfer broke off",
    stalled: "pip's transfer broke off",
    odd: "pip failed",
    silent: "pip delivered no wheel",
    wrong: "pip delivered another wheel than the pinned one",
  };
  for (const [mode, reason] of Object.entries(reasons)) {
    await using scene = await Scene.set();
    const { source, version } = await fetchLibrary(scene.options(mode));
    assertEquals([source, version], ["archive", "2.18.0"]);
    assertEquals(await names(scene.cache), ["2.18.0-test-archive", "lock"]);
    assertEquals(scene.lines.filter((line) => line.includes("trying the official archive")), [
      `libtensorflow 2.21.0: the wheel is not available (${reason}); trying the official ` +
      "archive, which is of 2.18.0",
    ]);
  }
});

Deno.test("fetchLibrary() fetches nothing that a disk has no room for, and nothing after that", async () => {
  const reasons = {
    full: "no space left on device",
    quota: "disk quota exceeded",
    good: /not enough space: 90[.]0 TB are needed, .* are free/,
  };
  for (const [mode, reason] of Object.entries(reasons)) {
    await using scene = await Scene.set();
    const options = scene.options(mode);
    const isLarge = mode === "good";
    if (isLarge) options.release.wheel!.unpackedSize = 9e13;
    const error = await assertRejects(() => fetchLibrary(options), CacheError);
    assertMatch(error.reason!, new RegExp(reason));
    assertEquals(error.message.split(" (")[0], `Cannot keep libtensorflow in ${scene.cache}`);
    assertEquals(
      error.remedy,
      "free space there, or set MNIST_STUDY_CACHE to a folder on another disk",
    );
    const downloads = (await scene.pipLog()).filter((line) => line.includes(" download "));
    assertEquals(downloads.length, isLarge ? 0 : 1);
    assertEquals([scene.server.requests, await names(scene.cache)], [[], ["lock"]]);
  }
});

Deno.test("fetchLibrary() says that a disk has filled as a package of either kind is unpacked", async () => {
  for (const mode of ["good", "broken"]) {
    await using scene = await Scene.set();
    const full = () => Promise.reject(new Error("No space left on device"));
    await withReplaced("open", (own) => async (path, options) => {
      const file = await own(path, options);
      const isLibrary = basename(String(path)).startsWith("libtensorflow");
      return isLibrary ? Object.assign(file, { write: full }) : file;
    }, async () => {
      const error = await assertRejects(() => fetchLibrary(scene.options(mode)), CacheError);
      assertEquals(error.reason, "no space left on device");
    });
    assertEquals((await names(scene.cache)).includes("2.21.0-test-wheel"), false);
  }
});

Deno.test("fetchLibrary() leaves nothing of a wheel that cannot be unpacked as it tries the archive", async () => {
  await using scene = await Scene.set();
  const options = scene.options();
  options.release.wheel!.members = ["tensorflow/libtensorflow_cc.so.2", "tensorflow/missing.so"];
  let left: string[] = [];
  scene.answer = (request) => {
    const folder = [...Deno.readDirSync(scene.cache)].find(({ isDirectory }) => isDirectory)!.name;
    left = [...Deno.readDirSync(join(scene.cache, folder))].map(({ name }) => name);
    return fileAnswer(request, scene.archive);
  };
  assertEquals((await fetchLibrary(options)).source, "archive");
  assertEquals([scene.server.requests.length, left], [1, []]);
});

Deno.test("fetchLibrary() asks pip for the pinned wheel for Python 3.11", async () => {
  await using scene = await Scene.set();
  await fetchLibrary(scene.wheelOnly());
  const [call] = await scene.pipLog();
  for (
    const part of [
      "good download ",
      "--no-deps",
      "--only-binary=:all:",
      "--platform=manylinux_2_27_x86_64",
      "--python-version=3.11",
      "--implementation=cp",
      "--abi=cp311",
      "tensorflow-cpu==2.21.0",
    ]
  ) assertStringIncludes(call!, part);
  assert(!call!.includes("index"));
});

Deno.test("fetchLibrary() asks for the wheel once more where the transfer broke off", async () => {
  await using scene = await Scene.set();
  assertEquals((await fetchLibrary(scene.options("cut once"))).source, "wheel");
  const downloads = (await scene.pipLog()).filter((line) => line.includes(" download "));
  assertEquals(downloads.length, 2);
  assertEquals(scene.lines.filter((line) => line.includes("again")), [
    "libtensorflow 2.21.0: pip's transfer broke off; trying again in 0.0 s",
  ]);
  assertEquals(await names(scene.cache), ["2.21.0-test-wheel", "lock"]);
});

Deno.test("fetchLibrary() asks for the wheel once more where a pip waited too long for the rest", async () => {
  await using scene = await Scene.set();
  await failure(fetchLibrary(scene.wheelOnly("stalled")));
  const downloads = (await scene.pipLog()).filter((line) => line.includes(" download "));
  assertEquals(downloads.length, 2);
});

Deno.test("fetchLibrary() uses the first pip that works", async () => {
  await using scene = await Scene.set();
  const options = scene.wheelOnly();
  options.pipCommands = [["no-such-command-anywhere"], scene.pip("broken"), scene.pip("good")];
  assertEquals((await fetchLibrary(options)).source, "wheel");
});

Deno.test("fetchLibrary() continues an archive that an earlier run began", async () => {
  await using scene = await Scene.set();
  await Deno.mkdir(scene.cache);
  const begun = join(scene.cache, "2.18.0-libtensorflow.tar.gz.part");
  await Deno.writeFile(begun, scene.archive.subarray(0, 50));
  assertEquals((await fetchLibrary(scene.archiveOnly())).source, "archive");
  assertStringIncludes(scene.server.requests[0]!, "range: bytes=50-");
});

Deno.test("fetchLibrary() does not fetch an archive again that is complete", async () => {
  await using scene = await Scene.set();
  await Deno.mkdir(scene.cache);
  await Deno.writeFile(join(scene.cache, "2.18.0-libtensorflow.tar.gz"), scene.archive);
  assertEquals((await fetchLibrary(scene.archiveOnly())).source, "archive");
  assertEquals(scene.server.requests.length, 0);
});

Deno.test("fetchLibrary() says one clear line with the remedy when the wheel is not available", async () => {
  const cases: [string, string, string][] = [
    ["broken", "pip was not found", "install Python with pip"],
    ["offline", "cannot reach its package index", "network"],
    ["absent", "does not offer tensorflow-cpu 2.21.0", "index settings"],
    ["cut", "IncompleteRead(100 bytes read", "proxy settings"],
    ["stalled", "port=443): Read timed out", "proxy settings"],
    ["odd", "pip failed (the moon is full)", "fix what pip says"],
    ["silent", `did not deliver ${WHEEL}`, "settings"],
    ["wrong", "is not the pinned one", "pip cache purge"],
  ];
  await using scene = await Scene.set();
  for (const [mode, cause, remedy] of cases) {
    const message = await failure(fetchLibrary(scene.wheelOnly(mode)));
    for (const text of [cause, remedy, "LIBTENSORFLOW_PATH"]) {
      assertStringIncludes(message.toLowerCase(), text.toLowerCase());
    }
    assertEquals(await names(scene.cache), ["lock"]);
  }
});

Deno.test("fetchLibrary() ends a pip that brings next to nothing, or too much", async () => {
  await using scene = await Scene.set();
  const minimumRate = { bytesPerSecond: 1000, windowMs: 700 };
  const slow = await failure(fetchLibrary({ ...scene.wheelOnly("hang"), minimumRate }));
  for (const part of ["pip was ended (the transfer is too slow", "1.0 kB/s are the least"]) {
    assertStringIncludes(slow, part);
  }
  const huge = await failure(fetchLibrary(scene.wheelOnly("huge")));
  assertStringIncludes(huge, "pip was ended (it takes more than the wheel's");
  assertEquals(await names(scene.cache), ["lock"]);
});

Deno.test("fetchLibrary() names both failures when neither package is available", async () => {
  const page = new TextEncoder().encode("<!doctype html><html>no</html>");
  const refusals: { answer: (request: string) => RawAnswer | undefined; told: string }[] = [
    { answer: () => ({ status: "403 Forbidden" }), told: "403" },
    { answer: () => undefined, told: "no answer" },
    { answer: () => fileAnswer("", page), told: "an HTML page came" },
    { answer: () => fileAnswer("", new Uint8Array(500)), told: "SHA-256" },
  ];
  for (const { answer, told } of refusals) {
    await using scene = await Scene.set();
    scene.answer = answer;
    const message = await failure(fetchLibrary(scene.options("offline")));
    assertStringIncludes(message, "official archive: ");
    assertStringIncludes(message, told);
    assertStringIncludes(message, "wheel: pip cannot reach");
    assertEquals(await names(scene.cache), ["lock"]);
  }
});

Deno.test("fetchLibrary() asks for no archive where that needs a permission which is not there", async () => {
  await using scene = await Scene.set();
  const asked: string[] = [];
  const mayConnect = (host: string) => Promise.resolve(asked.push(host) < 1);
  scene.answer = (request) => {
    asked.push(request);
    return undefined;
  };
  const message = await failure(fetchLibrary({ ...scene.options("broken"), mayConnect }));
  const { host } = new URL(scene.server.url);
  assertEquals(asked, [host]);
  assertStringIncludes(message, `${host} may not be reached (Deno's permissions)`);
  assertStringIncludes(message, "run deno task part1 once, or set LIBTENSORFLOW_PATH");
  assertEquals((await fetchLibrary({ ...scene.options(), mayConnect })).source, "wheel");
});

Deno.test("fetchLibrary() refuses an old glibc and musl before anything is downloaded", async () => {
  await using scene = await Scene.set();
  const old = { name: "glibc", version: "2.12" } as const;
  const message = await failure(fetchLibrary({ ...scene.options(), cLibrary: old }));
  assertStringIncludes(message, "needs glibc 2.27 or newer, this system has 2.12");
  const other = await failure(fetchLibrary({ ...scene.options(), cLibrary: { name: "other" } }));
  assertStringIncludes(other, "musl");
  assertEquals(scene.server.requests.length, 0);
  assertEquals(await scene.pipLog(), []);
  const middle = { name: "glibc", version: "2.17" } as const;
  assertEquals((await fetchLibrary({ ...scene.options(), cLibrary: middle })).source, "archive");
});

Deno.test("fetchLibrary() fetches nothing for a processor that cannot run it", async () => {
  await using scene = await Scene.set();
  const processor = { arch: "x86_64", cpuinfo: "flags\t\t: fpu sse4_2\n" };
  const message = await failure(fetchLibrary({ ...scene.options(), processor }));
  for (const part of ["no AVX", "LIBTENSORFLOW_PATH"]) assertStringIncludes(message, part);
  assertEquals([scene.server.requests, await scene.pipLog()], [[], []]);
  await assertRejects(() => Deno.stat(scene.cache), Deno.errors.NotFound);
});

Deno.test("fetchLibrary() does the work once for two processes at once", async () => {
  await using scene = await Scene.set();
  const outputs = await Promise.all(["slow", "slow"].map(async (mode) => {
    const { stdout, success } = await scene.process(mode).output();
    assert(success);
    return new TextDecoder().decode(stdout).trim().split("\n");
  }));
  assertEquals((await scene.pipLog()).length, 1);
  const results = outputs.map((lines) => JSON.parse(lines.at(-1)!));
  assertEquals(results.map((result) => result.source).sort(), ["cache", "wheel"]);
  assertEquals(results[0].path, results[1].path);
  const waiting = outputs.flat().filter((line) => line.includes("waiting for it"));
  assertEquals(waiting.length, 1);
});

Deno.test("fetchLibrary() is not misled by a run that was killed", async () => {
  await using scene = await Scene.set();
  const child = scene.process("hang");
  while ((await scene.pipLog()).length === 0) await new Promise((go) => setTimeout(go, 20));
  child.kill("SIGKILL");
  await child.stdout.cancel();
  await child.status;
  assert((await names(scene.cache)).some((name) => name.startsWith("unfinished-")));
  const found = await fetchLibrary(scene.wheelOnly());
  assertEquals(found.source, "wheel");
  assertEquals(await Deno.readFile(found.path), MAIN);
  assertEquals(await names(scene.cache), ["2.21.0-test-wheel", "lock"]);
});

Deno.test("unpackMembers() refuses damaged packages and ones without the library", async () => {
  await using scene = await Scene.set();
  const members = ["lib/libtensorflow.so.2"];
  const unpack = async (name: string, data: Uint8Array) => {
    const folder = await Deno.makeTempDir({ dir: scene.folder });
    const archive = join(folder, name);
    await Deno.writeFile(archive, data);
    await unpackMembers({ archive, members, folder });
  };
  await assertRejects(
    async () => await unpack("a.zip", await zipOf({ x: "y" })),
    Error,
    members[0]!,
  );
  await assertRejects(
    async () => await unpack("a.tar.gz", await tarGzOf({ x: MAIN })),
    Error,
    members[0]!,
  );
  await assertRejects(() => unpack("a.tar.gz", scene.archive.subarray(0, 200)), Error);
  await assertRejects(() => unpack("a.tar.gz", new TextEncoder().encode("<html>")), Error);
  await assertRejects(() => unpack("a.zip", new TextEncoder().encode("<html>")), Error);
  const outside = { "../libtensorflow.so.2": "outside", [members[0]!]: MAIN };
  await assertRejects(async () => await unpack("a.zip", await zipOf(outside)), Error, "Unsafe");
  // A byte of the stored data is changed: the CRC no longer fits.
  const zip = await zipOf({
    "lib/libtensorflow.so.2": crypto.getRandomValues(new Uint8Array(999)),
  });
  zip[200]! ^= 0xff;
  await assertRejects(() => unpack("a.zip", zip), Error);
});

Deno.test("unpackMembers() follows links in a tar to files beside them only", async () => {
  await using scene = await Scene.set();
  const folder = join(scene.folder, "out");
  await Deno.mkdir(folder);
  const archive = join(scene.folder, "evil.tar.gz");
  const member = "lib/libtensorflow.so.2";
  await Deno.writeFile(
    archive,
    await tarGzOf({
      [member]: "../../etc/libtensorflow.so.2.9",
      "lib/../../libtensorflow.so.2": MAIN,
      "/lib/libtensorflow.so.2.9": MAIN,
    }),
  );
  await assertRejects(() => unpackMembers({ archive, members: [member], folder }), Error, member);
  assertEquals(await names(folder), []);
  assertEquals((await names(scene.folder)).includes(basename(member)), false);
});
