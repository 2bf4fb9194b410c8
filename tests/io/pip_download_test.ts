/** A file fetched through pip from an index on this machine. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "node:path";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { downloadWithPip, type IndexFile } from "../../io/pip_download.ts";
import { PYTHON_COMMANDS } from "../../io/python.ts";
import { sha256Hex } from "../../io/sha256.ts";
import { recordingReporter, withFolder } from "../data/idx_samples.ts";
import type { Bytes } from "../data/local_mirror.ts";
import { hasPip, withPackageIndex } from "./package_index.ts";
import { testCertificate } from "./test_certificate.ts";

/** Not an archive: whoever tried to open or build it would fail. */
const BYTES = Uint8Array.from({ length: 300_000 }, (_, index) => index * 7 + (index >> 8));
const FILE: IndexFile = {
  project: "made-up",
  file: "made_up-1.2.3.tar.gz",
  bytes: BYTES.length,
  sha256: sha256Hex(BYTES),
};

const ignore = !await hasPip();

/** Runs `action` with pip set up for an index that offers `bytes`. */
const withIndex = (
  content: Bytes | (() => Response),
  action: (asked: string[]) => Promise<void>,
) => withPackageIndex({ ...FILE, content }, action);

/** The file announced, but not all of it sent. */
function incomplete(pull: (controller: ReadableStreamDefaultController) => void | Promise<void>) {
  const headers = { "content-length": String(BYTES.length) };
  return new Response(new ReadableStream({ pull }), { headers });
}

Deno.test({
  name: "downloadWithPip() fetches from the index that pip is set up with, and opens nothing",
  ignore,
  fn: () =>
    withIndex(BYTES, (asked) =>
      withFolder(async (folder) => {
        const path = join(folder, "inner", FILE.file);
        const reporter = recordingReporter();
        await downloadWithPip({ ...FILE, path, reporter });
        assertEquals(await Deno.readFile(path), BYTES);
        assertEquals(asked, ["simple/made-up/", `files/${FILE.file}`]);
        assert(reporter.lines.every((line) => line.startsWith(FILE.file)), reporter.lines.join());
        assertEquals([...Deno.readDirSync(join(folder, "inner"))].length, 1);
      })),
});

Deno.test({
  name: "downloadWithPip() leaves nothing of a file that is not the pinned one",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, FILE.file);
      const fetchIt = () => downloadWithPip({ ...FILE, path, reporter: recordingReporter() });
      for (
        const [bytes, reason] of [
          [BYTES.with(-1, 1), "SHA-256"],
          [BYTES.slice(1), "299999 bytes"],
          [new Uint8Array([...BYTES, 0]), "more than its 300000 bytes"],
        ] as const
      ) {
        await withIndex(bytes, async () => {
          const { message } = await assertRejects(fetchIt, StudyError);
          for (const part of [FILE.file, reason, "pip config list"]) {
            assertStringIncludes(message, part);
          }
        });
      }
      assertEquals([...Deno.readDirSync(folder)], []);
    }),
});

Deno.test({
  name: "downloadWithPip() tries again where a transfer broke off",
  ignore,
  fn: () => {
    let count = 0;
    let sent = false;
    const answer = () =>
      count++ > 0 ? new Response(BYTES) : incomplete((controller) => {
        if (sent) controller.close();
        else controller.enqueue(BYTES.slice(0, 70_000));
        sent = true;
      });
    return withIndex(answer, () =>
      withFolder(async (folder) => {
        const path = join(folder, FILE.file);
        const reporter = recordingReporter();
        await downloadWithPip({ ...FILE, path, reporter, retryDelaysMs: [1] });
        assertEquals(await Deno.readFile(path), BYTES);
        assertEquals(reporter.lines.filter((line) => line.includes("trying again")).length, 1);
      }));
  },
});

Deno.test({
  name: "downloadWithPip() ends a transfer that brings next to nothing, and names the proxy",
  ignore,
  fn: () => {
    const ended = Promise.withResolvers<void>();
    const answer = () =>
      incomplete(async (controller) => {
        controller.enqueue(BYTES.slice(0, 10));
        await ended.promise;
        controller.close();
      });
    return withIndex(answer, () =>
      withFolder(async (folder) => {
        const path = join(folder, FILE.file);
        const before = Deno.env.get("HTTPS_PROXY");
        Deno.env.set("HTTPS_PROXY", "http://me:secret@127.0.0.1:9/");
        try {
          const { message } = await assertRejects(() =>
            downloadWithPip({
              ...{ ...FILE, path, reporter: recordingReporter(), retryDelaysMs: [] },
              minimumRate: { bytesPerSecond: 100, windowMs: 3000 },
            }), StudyError);
          assertStringIncludes(message, "the transfer is too slow");
          assertStringIncludes(message, "through the proxy http://127.0.0.1:9/ of HTTPS_PROXY");
          assertEquals([...Deno.readDirSync(folder)], []);
        } finally {
          ended.resolve();
          if (before === undefined) Deno.env.delete("HTTPS_PROXY");
          else Deno.env.set("HTTPS_PROXY", before);
        }
      }));
  },
});

Deno.test({
  name: "downloadWithPip() says what helps against a certificate that is not trusted",
  ignore,
  fn: () =>
    withIndex(BYTES, () =>
      withFolder(async (folder) => {
        await using server = Deno.serve(
          { hostname: "127.0.0.1", port: 0, ...testCertificate(), onListen() {} },
          () => new Response(null, { status: 404 }),
        );
        Deno.env.set("PIP_INDEX_URL", `https://127.0.0.1:${server.addr.port}/simple/`);
        const options = { ...FILE, path: join(folder, "x"), reporter: recordingReporter() };
        const { message } = await assertRejects(() => downloadWithPip(options), StudyError);
        for (const part of ["cannot be reached", "PIP_CERT"]) assertStringIncludes(message, part);
        assertEquals(message.includes("\n"), false);
      })),
});

Deno.test({
  name: "downloadWithPip() says in a line that the index has no such file or cannot be reached",
  ignore,
  fn: () =>
    withIndex(BYTES, () =>
      withFolder(async (folder) => {
        const path = join(folder, "x");
        const options = { ...FILE, path, reporter: recordingReporter() };
        const other = { ...options, file: "made_up-9.tar.gz" };
        const absent = await assertRejects(() => downloadWithPip(other), StudyError);
        assertStringIncludes(absent.message, "does not offer the file");
        const none = { ...options, pythonCommands: [["no-such-python"]] };
        const without = await assertRejects(() => downloadWithPip(none), StudyError);
        assertStringIncludes(without.message, "no Python with pip was found (tried no-such-python");
        Deno.env.set("PIP_INDEX_URL", "http://127.0.0.1:1/simple/");
        const unreached = await assertRejects(() => downloadWithPip(options), StudyError);
        for (const { message } of [absent, without, unreached]) {
          assertStringIncludes(message, options.file.slice(0, 8));
          assertEquals(message.includes("\n"), false);
        }
      })),
});

/** Stand in for a Python that is not installed, as pyenv and Windows have them. */
const STAND_INS = [
  ["sh", "-c", "echo 'python3: command not found' >&2; exit 127"],
  ["sh", "-c", "echo 'Python was not found'; exit 49"],
];

Deno.test({
  name: "downloadWithPip() asks the next Python where what is called so is none",
  ignore: ignore || Deno.build.os === "windows",
  fn: () =>
    withIndex(BYTES, () =>
      withFolder(async (folder) => {
        const path = join(folder, FILE.file);
        const pythonCommands = [...STAND_INS, ...PYTHON_COMMANDS];
        await downloadWithPip({ ...FILE, path, reporter: recordingReporter(), pythonCommands });
        assertEquals(await Deno.readFile(path), BYTES);
      })),
});

Deno.test({
  name: "downloadWithPip() tells what each command has said that is no Python",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const pythonCommands = [...STAND_INS, ["no-such-python"]];
      const options = { ...FILE, path: join(folder, "x"), reporter: recordingReporter() };
      const { message } = await assertRejects(
        () => downloadWithPip({ ...options, pythonCommands }),
        StudyError,
      );
      assertStringIncludes(message, "no Python with pip was found (tried sh -c");
      assertStringIncludes(message, "does not run (python3: command not found); sh -c");
      assertStringIncludes(message, "no-such-python: not found)");
      assertEquals([...Deno.readDirSync(folder)], []);
    }),
});

Deno.test({
  name: "downloadWithPip() tells a Python that is there and fails from one that is missing",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const broken = ["sh", "-c", "echo 'Fatal Python error: init_fs_encoding' >&2; exit 1"];
      const options = { ...FILE, path: join(folder, "x"), reporter: recordingReporter() };
      const reasonOf = async (pythonCommands: readonly (readonly string[])[]) => {
        const download = () => downloadWithPip({ ...options, pythonCommands });
        const { reason, remedy, message } = await assertRejects(download, StudyError);
        assertEquals(remedy, "install Python with pip and run again");
        return [reason, message] as const;
      };
      const [absent, tried] = await reasonOf(STAND_INS);
      assertEquals(absent, "no Python has pip");
      assertStringIncludes(tried, "does not run (Python was not found)");
      const [reason, message] = await reasonOf([...STAND_INS, broken]);
      assertEquals(reason, `${broken.join(" ")} does not run`);
      assertStringIncludes(message, "does not run (Fatal Python error: init_fs_encoding)");
    }),
});

Deno.test({
  name: "downloadWithPip() ends its program where what it brings cannot be written",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, FILE.file);
      await Deno.mkdir(`${path}.part/inner`, { recursive: true });
      const pid = join(folder, "pid");
      const pythonCommands = [["sh", "-c", `echo $$ > ${pid}; exec sleep 60`]];
      const options = { ...FILE, path, reporter: recordingReporter(), pythonCommands };
      await assertRejects(() => downloadWithPip(options), Deno.errors.IsADirectory);
      // Its end has been waited for, whether or not it came to write the number.
      const started = await Deno.readTextFile(pid).catch(() => "");
      if (started !== "") assertThrows(() => Deno.kill(Number(started), "SIGTERM"));
    }),
});

Deno.test({
  name: "downloadWithPip() is interrupted after its program has ended, while its output is open",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const controller = new AbortController();
      const pythonCommands = [["sh", "-c", "sleep 2 & exit 0"]];
      const path = join(folder, FILE.file);
      const options = { ...FILE, path, reporter: recordingReporter(), pythonCommands };
      const reason = new Error("enough");
      setTimeout(() => controller.abort(reason), 500);
      const { signal } = controller;
      const interrupted = await assertRejects(
        () => downloadWithPip({ ...options, signal }),
        InterruptedError,
      );
      assertEquals(interrupted.cause, reason);
      assertEquals([...Deno.readDirSync(folder)], []);
    }),
});
