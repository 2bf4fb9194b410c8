/** What a newcomer sees without a network: no library, no pip, an empty cache, a closed proxy. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { searchLibrary, systemFolders } from "../../engine/library/find_library.ts";
import { digitPng } from "../../inference/digit_view.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import { elementCount, type StateDict } from "../../models/checkpoint/state_dict.ts";
import { simpleCnnLayouts } from "../../models/simple_cnn.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";
import { Program } from "./part1_process.ts";

const CLOSED = "http://127.0.0.1:9";

// A library in the system's own folders cannot be hidden; other platforms have no archive to ask for.
const isFound = await searchLibrary({
  cache: "/nowhere",
  release: undefined,
  pythonCommands: [],
  systemFolders: systemFolders(),
}).then(() => true, () => false);
const ignore = isFound || `${Deno.build.os}-${Deno.build.arch}` !== "linux-x86_64";
if (ignore) {
  console.log("skipped: without a network (libtensorflow is here, or no Linux on x86_64)");
}

function offline(task: string, folder: string, args: readonly string[]) {
  const given = ["--backend=tensorflow", "--out", join(folder, "out"), ...args];
  return withoutNetwork(task, folder, given);
}

function withoutNetwork(task: string, folder: string, args: readonly string[]) {
  return new Program(Deno.execPath(), [...taskArgs(task), ...args], {
    HTTP_PROXY: CLOSED,
    HTTPS_PROXY: CLOSED,
    http_proxy: CLOSED,
    https_proxy: CLOSED,
    NO_PROXY: "",
    no_proxy: "",
    PATH: "/nowhere",
    LD_LIBRARY_PATH: "",
    LIBTENSORFLOW_PATH: "",
    MNIST_STUDY_CACHE: join(folder, "cache"),
  }).end();
}

type Ended = Awaited<ReturnType<typeof offline>>;

const WHAT = "libtensorflow could not be found or fetched (pip was not found; " +
  `storage.googleapis.com cannot be reached through the proxy ${CLOSED} of HTTPS_PROXY)`;
const TODO =
  "Install Python with pip, check the network connection, or set LIBTENSORFLOW_PATH to a " +
  "library that you have";

let short: Ended, verbose: Ended, all: Ended;

// Side by side, as they wait for the network most of the time.
Deno.test.beforeAll(async () => {
  if (ignore) return;
  await withFolder({}, async (folder) => {
    [short, verbose, all] = await Promise.all([
      offline("part1", join(folder, "short"), []),
      offline("part1", join(folder, "verbose"), ["--verbose"]),
      offline("all", join(folder, "all"), ["--preset=smoke"]),
    ]);
  });
});

Deno.test({
  name: "part1 without a network and pip says what happened in one line and what to do in another",
  ignore,
  fn: () => {
    assertEquals(short.code, 1);
    assertEquals(
      short.stderr,
      `error: ${WHAT}\n${TODO} (--verbose shows what was tried)\n`,
    );
    assertEquals(short.stdout.split("\n").length, 4, short.stdout);
    const [what, todo, ...details] = verbose.stderr.split("\n");
    assertEquals([what, todo], [`error: ${WHAT}`, TODO]);
    for (const part of ["https://storage.googleapis.com/", "pip was not found", "cache: no "]) {
      assert(details.some((line) => line.startsWith("  ") && line.includes(part)), part);
    }
  },
});

Deno.test({
  name: "all without a network says it once for each part, and sums it up in a line",
  ignore,
  fn: () => {
    const { code, stdout, stderr } = all;
    assertEquals(code, 1, stdout);
    const lines = stderr.trimEnd().split("\n");
    assertEquals(lines.filter((line) => line === `error: ${WHAT}`).length, 3, stderr);
    assertMatch(
      lines.at(-1)!,
      /^error: Part 1 failed: libtensorflow .*; Part 2 failed: as part 1; Part 4 failed: as part 1; /,
    );
    for (const line of [...lines, ...stdout.split("\n")]) assert(line.length <= 180, line);
    assertStringIncludes(stdout, "How long it will take is not known");
  },
});

Deno.test({
  name:
    "predict says that it computes on another backend and why, with --verbose all that was tried",
  ignore,
  fn: () =>
    withFolder(
      { "seven.png": digitPng(new Uint8Array(784).fill(255, 300, 400)) },
      async (folder) => {
        const file = join(folder, "zeros.safetensors");
        const zeros: StateDict = new Map();
        for (const [name, { torchShape }] of simpleCnnLayouts(10)) {
          const data = new Float32Array(elementCount(torchShape));
          zeros.set(name, { dtype: "float32", shape: [...torchShape], data });
        }
        await saveCheckpoint(file, zeros);
        const args = [join(folder, "seven.png"), "--run", file];
        const [plain, verbose, quiet] = await Promise.all(
          [[], ["--verbose"], ["--quiet"]].map((more) =>
            withoutNetwork("predict", folder, [...args, ...more])
          ),
        );
        const why = "tensorflow does not start: libtensorflow could not be found";
        assertEquals([plain!.code, plain!.stderr], [0, ""]);
        assertStringIncludes(plain!.stdout, `Engine: wasm (${why}`);
        assertStringIncludes(verbose!.stdout, "tensorflow: ");
        assertStringIncludes(verbose!.stdout, `Engine: wasm (${why}`);
        assertStringIncludes(quiet!.stderr, `Computing on wasm: ${why}`);
      },
    ),
});
