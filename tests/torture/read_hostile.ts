/**
 * Reads every file of a folder as what its name says, and prints a line of JSON for each, a
 * {@linkcode ReadEnd}: for `hostile_files.ts`.
 */

import { join } from "node:path";
import { decodeIdx } from "../../data/idx.ts";
import { StudyError } from "../../io/errors.ts";
import { unpackMembers } from "../../io/unpack_archive.ts";
import { loadCheckpoint } from "../../models/checkpoint/open_checkpoint.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults } from "../../report/record/results.ts";

/** How reading a file ended. */
export interface ReadEnd {
  file: string;
  /** What is wrong with how it ended; being refused is not. */
  fault?: string;
  seconds: number;
  /** Memory of the process. */
  bytes: number;
}

const folder = Deno.args[0]!;
const unpacked = join(folder, "unpacked");

async function read(file: string): Promise<void> {
  const path = join(folder, file);
  if (/\.(pth|pt|safetensors)$/.test(file)) return void await loadCheckpoint(path);
  if (file.includes(".idx")) {
    const kind = file.includes("images") ? "images" : "labels";
    return void decodeIdx(path, await Deno.readFile(path), kind);
  }
  if (file.endsWith(".csv")) return void await readResults(path, new ProblemList());
  // For the test of the campaigns themselves.
  if (file.endsWith("throws.fault")) throw new RangeError("on purpose");
  if (file.endsWith("writes.fault")) await Deno.writeTextFile(join(folder, "outside"), "");
  // Of an archive any error is told by its caller, but it may have tried nothing else.
  const isOfArchive = (error: unknown) =>
    error instanceof Error && !(error instanceof Deno.errors.NotCapable);
  await unpackMembers({ archive: path, members: ["lib/wanted.so"], folder: unpacked })
    .catch((error) => {
      if (!isOfArchive(error)) throw error;
    });
  const found = [...Deno.readDirSync(unpacked)].map(({ name }) => name);
  for (const name of found) Deno.removeSync(join(unpacked, name));
  if (found.some((name) => name !== "wanted.so")) throw new Error(`unpacked ${found}`);
}

/** A refusal is a line for the user: whole, not too long, and without what a terminal obeys. */
function faultOf(error: unknown): string | undefined {
  if (!(error instanceof StudyError)) return `${error instanceof Error ? error.stack : error}`;
  const { message } = error;
  // deno-lint-ignore no-control-regex
  const isFit = message.length < 1000 && !/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/.test(message);
  return isFit ? undefined : `not a line for a terminal: ${message.slice(0, 200)}`;
}

for (const { name: file, isFile } of [...Deno.readDirSync(folder)]) {
  if (!isFile) continue;
  const started = performance.now();
  let fault: string | undefined;
  try {
    await read(file);
  } catch (error) {
    fault = faultOf(error);
  }
  const seconds = (performance.now() - started) / 1000;
  const end: ReadEnd = {
    file,
    ...(fault !== undefined && { fault }),
    seconds,
    bytes: Deno.memoryUsage().rss,
  };
  console.log(JSON.stringify(end));
}
