import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import {
  libraryObstacle,
  searchLibrary,
  type SearchPlaces,
} from "../../../engine/library/find_library.ts";
import { explainOpenFailure } from "../../../engine/tensorflow/open_failure.ts";
import { cLibraryProblem, runningCLibrary } from "../../../engine/library/glibc.ts";
import { libraryIn, libraryNames, libraryProblem } from "../../../engine/library/library_file.ts";
import type { LibraryLocation, LibraryManifest } from "../../../engine/library/library_cache.ts";
import { type Release, RELEASES } from "../../../engine/library/releases.ts";
import { StudyError } from "../../../io/errors.ts";
import { sha256Hex } from "../../../io/sha256.ts";
import { openingError } from "../../../engine/tensorflow/opening_error.ts";
import { withoutPermissions } from "../../io/replaced_call.ts";
import { fakeLibrary } from "./fake_library.ts";

const NAME = libraryNames()[0]!;
const OTHER_ARCH = Deno.build.arch === "aarch64" ? "x86_64" : "aarch64";

const RELEASE: Release = {
  platform: "test",
  wheel: {
    version: "2.21.0",
    name: "tensorflow-cpu",
    file: "x.whl",
    platform: "test",
    sha256: "0".repeat(64),
    size: 4096,
    members: [`tensorflow/${NAME}`],
  },
};

async function inTemporaryFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(await Deno.realPath(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes a file, with its folders. */
async function put(path: string, data: Uint8Array | string): Promise<string> {
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeFile(path, typeof data === "string" ? new TextEncoder().encode(data) : data);
  return path;
}

/** A stand-in for a Python that answers the question about tensorflow. */
async function python(folder: string, answer: unknown): Promise<string[]> {
  const script = join(folder, `python-${crypto.randomUUID()}.ts`);
  await put(
    script,
    `console.log("a greeting"); console.log(${JSON.stringify(JSON.stringify(answer))});`,
  );
  return [Deno.execPath(), "run", "--no-config", script];
}

/** Places in `folder` where nothing is yet. */
function places(folder: string, more: Partial<SearchPlaces> = {}): SearchPlaces {
  return {
    cache: join(folder, "cache"),
    release: RELEASE,
    pythonCommands: [],
    systemFolders: [],
    ...more,
  };
}

async function putCached(folder: string): Promise<string> {
  const cached = join(folder, "cache", "2.21.0-test-wheel");
  const manifest: LibraryManifest = {
    version: "2.21.0",
    platform: "test",
    kind: "wheel",
    package_sha256: "0".repeat(64),
    files: [{ name: NAME, size: 4096, sha256: sha256Hex(fakeLibrary()) }],
  };
  await put(join(cached, "manifest.json"), JSON.stringify(manifest));
  return put(join(cached, NAME), fakeLibrary());
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => promise, StudyError);
  assert(!error.message.includes("\n"));
  return error.message;
}

Deno.test("searchLibrary() takes the first of option, environment, cache, Python, system, fetch", () =>
  inTemporaryFolder(async (folder) => {
    const option = await put(join(folder, "option", NAME), fakeLibrary());
    const environment = await put(join(folder, "environment", NAME), fakeLibrary());
    const cached = await putCached(folder);
    const packaged = await put(join(folder, "site", "tensorflow", NAME), fakeLibrary());
    const system = await put(join(folder, "system", NAME), fakeLibrary());
    const fetched: LibraryLocation = { path: "/fetched", source: "wheel", version: "2.21.0" };
    const all = places(folder, {
      option,
      environment,
      pythonCommands: [
        await python(folder, { folders: [join(packaged, "..")], version: "2.16.1" }),
      ],
      systemFolders: [join(folder, "empty"), join(system, "..")],
      fetch: () => Promise.resolve(fetched),
    });
    assertEquals(await searchLibrary(all), { path: option, source: "option" });
    all.option = undefined;
    assertEquals(await searchLibrary(all), { path: environment, source: "environment" });
    all.environment = "";
    assertEquals(await searchLibrary(all), { path: cached, source: "cache", version: "2.21.0" });
    await Deno.truncate(cached, 4000);
    assertEquals(await searchLibrary(all), { path: packaged, source: "python", version: "2.16.1" });
    all.pythonCommands = [];
    assertEquals(await searchLibrary(all), { path: system, source: "system" });
    all.systemFolders = [];
    assertEquals(await searchLibrary(all), fetched);
  }));

/** Changes a byte and puts the time of the last change back, as some copying programs do. */
async function damage(path: string): Promise<void> {
  const { mtime } = await Deno.stat(path);
  const bytes = await Deno.readFile(path);
  bytes[3000]! ^= 1;
  await Deno.writeFile(path, bytes);
  await Deno.utime(path, mtime!, mtime!);
}

/** Waits until the system's clock, whose seconds count for files, has gone on. */
const nextSecond = () => new Promise((resolve) => setTimeout(resolve, 1100));

Deno.test("searchLibrary() hashes a cached library once, and again when its file has changed", () =>
  inTemporaryFolder(async (folder) => {
    const path = await putCached(folder);
    const manifest = join(path, "..", "manifest.json");
    const told: string[] = [];
    const search = () =>
      searchLibrary(places(folder, { onProblem: (text) => void told.push(text) }));
    assertEquals((await search()).source, "cache");
    const text = await Deno.readTextFile(manifest);
    await Deno.writeTextFile(manifest, text.replace(/"sha256":"./, '"sha256":"x'));
    assertEquals((await search()).source, "cache");
    await Deno.writeTextFile(manifest, text);
    await nextSecond();
    await damage(path);
    const message = await failure(search());
    for (
      const part of [path.replace(/.[^\\/]*$/, ""), "is damaged", NAME, sha256Hex(fakeLibrary())]
    ) {
      assertStringIncludes(message, part);
      assertStringIncludes(told.join(), part);
    }
    await Deno.writeFile(path, fakeLibrary());
    assertEquals((await search()).source, "cache");
  }));

Deno.test("searchLibrary() keeps nothing where Deno would have to ask whether it may", () =>
  inTemporaryFolder(async (folder) => {
    const kept = join(await putCached(folder), "..", "checked.json");
    await withoutPermissions(async () => {
      assertEquals((await searchLibrary(places(folder))).source, "cache");
    });
    await assertRejects(() => Deno.stat(kept), Deno.errors.NotFound);
    assertEquals((await searchLibrary(places(folder))).source, "cache");
    await Deno.stat(kept);
  }));

Deno.test("openingError() has a library of the cache removed only if it is damaged", () =>
  inTemporaryFolder(async (folder) => {
    const path = await putCached(folder);
    const refused = explainOpenFailure(path, new Error(`${path}: file too short`));
    const text = async (error: unknown) => (await openingError(path, error) as Error).message;
    assertStringIncludes(await text(refused), "files are as they were unpacked: leave them");
    await damage(path);
    assertMatch(await text(refused), /is damaged: .*\. Remove .* and run again/);
    const other = new StudyError("another failure");
    assertEquals(await openingError(path, other), other);
    const own = await put(join(folder, "own", NAME), fakeLibrary());
    const refusal = explainOpenFailure(own, new Error(`${own}: file too short`));
    assertEquals(await openingError(own, refusal), refusal);
  }));

Deno.test("searchLibrary() accepts a folder that holds the library, or its lib folder does", () =>
  inTemporaryFolder(async (folder) => {
    const path = await put(join(folder, "tf", "lib", NAME), fakeLibrary());
    for (const option of [path, join(folder, "tf", "lib"), join(folder, "tf")]) {
      assertEquals(await searchLibrary(places(folder, { option })), { path, source: "option" });
    }
  }));

Deno.test("searchLibrary() never replaces a named library that is unusable", () =>
  inTemporaryFolder(async (folder) => {
    await putCached(folder);
    const empty = join(folder, "empty");
    await Deno.mkdir(empty);
    const wrong: [string, string][] = [
      [join(folder, "nowhere.so"), "does not exist"],
      ["", "does not exist"],
      [empty, "holds no libtensorflow"],
      [await put(join(folder, "text.so"), "I am text"), "it holds text"],
      [await put(join(folder, "page.so"), "<!doctype html>"), "it holds an HTML page"],
      [await put(join(folder, "none.so"), ""), "is empty"],
      [await put(join(folder, "short.so"), fakeLibrary({ bytes: 1000 })), "is truncated"],
      [await put(join(folder, "arm.so"), fakeLibrary({ arch: OTHER_ARCH })), OTHER_ARCH],
    ];
    for (const [value, reason] of wrong) {
      const fetch = () => Promise.reject(new Error("must not be reached"));
      const option = await failure(searchLibrary(places(folder, { option: value, fetch })));
      for (const text of ["--libtensorflow", value, reason, NAME]) {
        assertStringIncludes(option, text);
      }
      if (value === "") continue;
      const environment = await failure(
        searchLibrary(places(folder, { environment: value, fetch })),
      );
      for (const text of ["LIBTENSORFLOW_PATH", value, reason]) {
        assertStringIncludes(environment, text);
      }
    }
  }));

Deno.test("searchLibrary() passes over Pythons without a usable C library and says why", () =>
  inTemporaryFolder(async (folder) => {
    const old = join(folder, "old");
    await put(join(old, NAME), fakeLibrary());
    const bare = join(folder, "bare");
    await Deno.mkdir(bare);
    const foreign = join(folder, "foreign");
    await put(join(foreign, NAME), fakeLibrary({ arch: OTHER_ARCH }));
    const good = join(folder, "good");
    await put(join(good, NAME), fakeLibrary());
    const pythonCommands = [
      ["no-such-python-anywhere"],
      await python(folder, { folders: [], version: null }),
      await python(folder, { folders: [old], version: "2.9.3" }),
      await python(folder, { folders: [bare], version: "2.15.0" }),
      await python(folder, { folders: [foreign], version: "2.15.0" }),
    ];
    const message = await failure(searchLibrary(places(folder, { pythonCommands })));
    for (
      const text of [
        "no-such-python-anywhere: not found",
        "has no package tensorflow",
        "tensorflow 2.9.3",
        "older than 2.10",
        "holds no C library",
        OTHER_ARCH,
      ]
    ) assertStringIncludes(message, text);
    pythonCommands.push(await python(folder, { folders: [good], version: "2.10.1" }));
    assertEquals((await searchLibrary(places(folder, { pythonCommands }))).version, "2.10.1");
  }));

Deno.test("searchLibrary() asks a real Python without importing tensorflow", async (t) => {
  const command = ["python3", "python"].find((name) => {
    try {
      return new Deno.Command(name, { args: ["--version"] }).outputSync().success;
    } catch {
      return false;
    }
  });
  await t.step({
    name: command === undefined ? "skipped: there is no Python" : command,
    ignore: command === undefined,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        const site = join(folder, "site");
        const path = await put(join(site, "tensorflow", NAME), fakeLibrary());
        await put(join(site, "tensorflow", "__init__.py"), "raise SystemExit('imported')");
        await put(
          join(site, "tensorflow_cpu-2.17.0.dist-info", "METADATA"),
          "Metadata-Version: 2.1\nName: tensorflow-cpu\nVersion: 2.17.0\n",
        );
        const before = Deno.env.get("PYTHONPATH");
        Deno.env.set("PYTHONPATH", site);
        try {
          const found = await searchLibrary(places(folder, { pythonCommands: [[command!]] }));
          assertEquals(found.source, "python");
          assertEquals(found.path, path);
          if (Deno.build.os === "windows") return;
          // Nor is a module run that lies where Python is started.
          const json = await put(join(folder, "here", "json.py"), "raise SystemExit('run')");
          const there = ["sh", "-c", 'cd "$0" && exec "$@"', join(json, ".."), command!];
          const again = await searchLibrary(places(folder, { pythonCommands: [there] }));
          assertEquals(again, found);
        } finally {
          if (before === undefined) Deno.env.delete("PYTHONPATH");
          else Deno.env.set("PYTHONPATH", before);
        }
      }),
  });
});

Deno.test("searchLibrary() passes over unusable system libraries", () =>
  inTemporaryFolder(async (folder) => {
    const bad = await put(join(folder, "bad", NAME), "text");
    const good = await put(join(folder, "good", NAME), fakeLibrary());
    const systemFolders = [join(folder, "missing"), join(bad, ".."), join(good, "..")];
    assertEquals((await searchLibrary(places(folder, { systemFolders }))).path, good);
    systemFolders.pop();
    const message = await failure(searchLibrary(places(folder, { systemFolders })));
    assertStringIncludes(message, `${bad} is not a shared library`);
    assertStringIncludes(message, join(folder, "missing"));
    assertStringIncludes(message, join(folder, "cache"));
  }));

Deno.test({
  name: "searchLibrary() reads the version from the file that a system library links to",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const link = join(folder, "libtensorflow.so.2");
      const systemFolders = [folder];
      for (const version of ["2.4.1", "2.18.0"]) {
        await put(join(folder, `libtensorflow.so.${version}`), fakeLibrary());
        await Deno.remove(link).catch(() => {});
        await Deno.symlink(`libtensorflow.so.${version}`, link);
        if (version === "2.4.1") {
          const message = await failure(searchLibrary(places(folder, { systemFolders })));
          assertStringIncludes(message, "TensorFlow 2.4.1; 2.10 or newer is needed");
          continue;
        }
        const found = await searchLibrary(places(folder, { systemFolders }));
        assertEquals(found, { path: link, source: "system", version });
      }
    }),
});

Deno.test("searchLibrary() keeps the fetch's reason and says what was tried before", () =>
  inTemporaryFolder(async (folder) => {
    const fetch = () => Promise.reject(new StudyError("No pip here: install it."));
    const message = await failure(searchLibrary(places(folder, { fetch })));
    assertStringIncludes(message, "No pip here: install it.");
    assertStringIncludes(message, `cache: no complete library in ${join(folder, "cache")}`);
  }));

Deno.test("libraryIn() prefers the C++ library to the C library, and wants a file", () =>
  inTemporaryFolder(async (folder) => {
    assertEquals(await libraryIn(folder, "linux"), undefined);
    await Deno.mkdir(join(folder, "libtensorflow_cc.so.2"));
    const plain = await put(join(folder, "libtensorflow.so.2"), "");
    assertEquals(await libraryIn(folder, "linux"), plain);
    await Deno.remove(join(folder, "libtensorflow_cc.so.2"));
    const wide = await put(join(folder, "libtensorflow_cc.so.2"), "");
    assertEquals(await libraryIn(folder, "linux"), wide);
    const windows = await put(
      join(folder, "tensorflow", "python", "_pywrap_tensorflow_common.dll"),
      "",
    );
    assertEquals(await libraryIn(folder, "windows"), windows);
  }));

Deno.test("libraryProblem() judges ELF, Mach-O and PE by format, processor and size", () =>
  inTemporaryFolder(async (folder) => {
    const systems = ["linux", "darwin", "windows"];
    const problem = async (data: Uint8Array, os: string, arch: string) =>
      await libraryProblem(await put(join(folder, "library"), data), { os, arch });
    for (const os of systems) {
      for (const arch of ["x86_64", "aarch64"]) {
        const other = arch === "x86_64" ? "aarch64" : "x86_64";
        assertEquals(await problem(fakeLibrary({ os, arch }), os, arch), undefined);
        assertStringIncludes(
          (await problem(fakeLibrary({ os, arch: other }), os, arch))!,
          `built for ${other}, but this program runs on ${arch}`,
        );
        for (const bytes of [4, 40, 100, 4095]) {
          assertStringIncludes(
            (await problem(fakeLibrary({ os, arch, bytes }), os, arch))!,
            "truncated",
          );
        }
        for (const wrong of systems.filter((system) => system !== os)) {
          assertStringIncludes(
            (await problem(fakeLibrary({ os: wrong, arch }), os, arch))!,
            "another system",
          );
        }
      }
    }
    const elf = fakeLibrary({ os: "linux", arch: "x86_64" });
    elf[16] = 1;
    assertStringIncludes((await problem(elf, "linux", "x86_64"))!, "another kind of object file");
    elf[4] = 1;
    assertStringIncludes((await problem(elf, "linux", "x86_64"))!, "32 bit");
    const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0);
    assertStringIncludes((await problem(gzip, "linux", "x86_64"))!, "unpack it first");
    assertStringIncludes((await problem(Uint8Array.of(77, 90), "windows", "x86_64"))!, "library");
  }));

Deno.test("libraryProblem() accepts a macOS library for several processors if ours is in it", () =>
  inTemporaryFolder(async (folder) => {
    const view = new DataView(new ArrayBuffer(3000));
    view.setUint32(0, 0xcafebabe);
    view.setUint32(4, 2);
    [0x01000007, 0x0100000c].forEach((type, i) => {
      view.setUint32(8 + i * 20, type);
      view.setUint32(8 + i * 20 + 8, 1000 * (i + 1));
      view.setUint32(8 + i * 20 + 12, 1000);
    });
    const path = await put(join(folder, "fat"), new Uint8Array(view.buffer));
    assertEquals(await libraryProblem(path, { os: "darwin", arch: "aarch64" }), undefined);
    const problem = await libraryProblem(path, { os: "darwin", arch: "riscv64" });
    assertStringIncludes(problem!, "x86_64 and aarch64");
    await Deno.truncate(path, 2500);
    assertEquals(await libraryProblem(path, { os: "darwin", arch: "x86_64" }), undefined);
    const cut = await libraryProblem(path, { os: "darwin", arch: "aarch64" });
    assertStringIncludes(cut!, "truncated");
  }));

Deno.test("libraryProblem() looks at the framework library beside it too", () =>
  inTemporaryFolder(async (folder) => {
    const target = { os: "linux", arch: "x86_64" };
    const path = await put(join(folder, "libtensorflow_cc.so.2"), fakeLibrary(target));
    const companion = join(folder, "libtensorflow_framework.so.2");
    await put(companion, fakeLibrary({ ...target, bytes: 4000 }));
    const problem = await libraryProblem(path, target);
    assertStringIncludes(problem!, "libtensorflow_framework.so.2 beside it, which is truncated");
    await put(companion, fakeLibrary(target));
    assertEquals(await libraryProblem(path, target), undefined);
  }));

Deno.test("explainOpenFailure() gives one line with the cause and the remedy", () => {
  const path = "/opt/cuda/libtensorflow_cc.so.2";
  const open = "Could not open library: Could not open library: ";
  const cases: [string, string, string][] = [
    [
      `${open}libcudart.so.12: cannot open shared object file: No such file or directory`,
      "needs the CUDA library libcudart.so.12",
      "tensorflow[and-cuda]",
    ],
    [
      `${open}libcublasLt.so.11: cannot open shared object file: No such file or directory`,
      "needs the CUDA library libcublasLt.so.11",
      "CPU build",
    ],
    [
      `${open}${path}: cannot open shared object file: No such file or directory`,
      "does not exist",
      "LIBTENSORFLOW_PATH",
    ],
    [
      `${open}libtensorflow_framework.so.2: cannot open shared object file: No such file or directory`,
      "needs libtensorflow_framework.so.2 beside it",
      "put both files in one folder",
    ],
    [
      `${open}libstdc++.so.6: cannot open shared object file: No such file or directory`,
      "needs libstdc++.so.6",
      "install it",
    ],
    [
      `${open}/lib/x86_64-linux-gnu/libm.so.6: version \`GLIBC_2.27' not found (required by ${path})`,
      "needs glibc 2.27 or newer",
      "newer Linux release",
    ],
    [
      `${open}libstdc++.so.6: version \`GLIBCXX_3.4.25' not found (required by ${path})`,
      "GLIBCXX_3.4.25",
      "update libstdc++",
    ],
    [`${open}Error relocating ${path}: __memcpy_chk: symbol not found`, "musl", "Debian"],
    [`${open}${path}: invalid ELF header`, "is not a shared library", "LIBTENSORFLOW_PATH"],
    [`${open}${path}: file too short`, "truncated", "run again"],
    [`${open}${path}: wrong ELF class: ELFCLASS32`, "another processor", "LIBTENSORFLOW_PATH"],
    [`${open}${path}: failed to map segment from shared object`, "noexec", "MNIST_STUDY_CACHE"],
    [`${open}${path}: cannot open shared object file: Permission denied`, "read", "readable"],
    [
      `Failed to register symbol TF_NewTensor: ${path}: undefined symbol: TF_NewTensor`,
      "lacks the function TF_NewTensor",
      "2.10 or newer",
    ],
    [`${open}something\nunheard of`, "(something unheard of)", "LIBTENSORFLOW_PATH"],
  ];
  for (const [message, cause, remedy] of cases) {
    const error = explainOpenFailure(path, new Error(message));
    assert(error instanceof StudyError);
    for (const text of [path, cause, remedy]) assertStringIncludes(error.message, text);
    assert(!error.message.includes("\n"));
  }
  assertStringIncludes(explainOpenFailure(path, "a bare string").message, "a bare string");
});

Deno.test("explainOpenFailure() names the file that the loader named, and where it is from", () =>
  inTemporaryFolder(async (folder) => {
    const path = "/cache/libtensorflow/libtensorflow_cc.so.2";
    const other = await put(join(folder, "libtensorflow_framework.so.2"), fakeLibrary());
    const variable = { name: "LD_LIBRARY_PATH", folders: ["/elsewhere", folder] };
    const said = [
      `${other}: file too short`,
      `${other}: invalid ELF header`,
      `${other}: cannot read file data: Error 21`,
      `${other}: wrong ELF class: ELFCLASS32`,
      `${path}: undefined symbol: _ZN10tensorflow4MainEv`,
      `dlopen(${path}, 0x0005): Library not loaded: @rpath/x.dylib, tried: '${other}' ` +
      "(not a mach-o file)",
    ];
    for (const text of said) {
      const { message } = explainOpenFailure(path, new Error(text), variable);
      for (const part of [path, other, `take ${folder} out of LD_LIBRARY_PATH`]) {
        assertStringIncludes(message, part);
      }
      assert(!/delete|suite's cache|replace it/.test(message), message);
    }
    assertStringIncludes(
      explainOpenFailure(other, new Error(`${other}: invalid ELF header`), variable).message,
      `libtensorflow at ${other} (its folder is in LD_LIBRARY_PATH) is not a shared library`,
    );
    const elsewhere = { name: "LD_LIBRARY_PATH", folders: [] };
    const { message } = explainOpenFailure(path, new Error(said[0]!), elsewhere);
    assertStringIncludes(message, "/etc/ld.so.conf");
    const beside = `${
      join("/cache/libtensorflow", "libtensorflow_framework.so.2")
    }: file too short`;
    assertStringIncludes(
      explainOpenFailure(path, new Error(beside), elsewhere).message,
      "put an intact copy of it there",
    );
  }));

Deno.test("explainOpenFailure() fits what the loader really says about a file that is none", () =>
  inTemporaryFolder(async (folder) => {
    const path = await put(join(folder, "text.so"), "not a library ".repeat(1000));
    let thrown: unknown;
    try {
      Deno.dlopen(path, {}).close();
    } catch (error) {
      thrown = error;
    }
    assert(thrown !== undefined);
    const { message } = explainOpenFailure(path, thrown);
    assertStringIncludes(message, path);
    assertStringIncludes(message, "LIBTENSORFLOW_PATH");
  }));

Deno.test("libraryObstacle() is a disk that has no room for the wheel too", async () => {
  const { wheel } = RELEASES["linux-x86_64"]!;
  const { what, remedy } = (await libraryObstacle({ ...wheel!, unpackedSize: 9e13 }))!;
  assertMatch(what, /, and cannot be kept in .*not enough space: 90[.]0 TB are needed, /);
  assertStringIncludes(remedy!, "MNIST_STUDY_CACHE");
  assertEquals(await libraryObstacle({ ...wheel!, size: 1, unpackedSize: 1 }), undefined);
});

Deno.test("cLibraryProblem() names both versions, and musl", () => {
  assertEquals(cLibraryProblem("2.27", { name: "glibc", version: "2.36" }), undefined);
  assertEquals(cLibraryProblem(undefined, { name: "other" }), undefined);
  assertEquals(cLibraryProblem("2.27", undefined), undefined);
  const old = cLibraryProblem("2.27", { name: "glibc", version: "2.9" });
  assertStringIncludes(old!, "needs glibc 2.27 or newer, this system has 2.9");
  assertStringIncludes(cLibraryProblem("2.27", { name: "other" })!, "musl");
});

Deno.test("runningCLibrary() tells glibc's version on Linux", () => {
  const running = runningCLibrary();
  if (Deno.build.os !== "linux") assertEquals(running, undefined);
  else assert(running!.name === "other" || /^2\.\d+/.test(running!.version));
});
