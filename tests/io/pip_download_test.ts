/** A file fetched through pip from an index on this machine. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { downloadWithPip, type IndexFile } from "../../io/pip_download.ts";
import { sha256Hex } from "../../io/sha256.ts";
import { recordingReporter, withFolder } from "../data/idx_samples.ts";
import type { Bytes } from "../data/local_mirror.ts";
import { hasPip, withPackageIndex } from "./package_index.ts";

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
const withIndex = (content: Bytes, action: (asked: string[]) => Promise<void>) =>
  withPackageIndex({ ...FILE, content }, action);

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
