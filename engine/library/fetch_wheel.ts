/**
 * A wheel downloaded by the user's own pip, from whatever index pip is configured for.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { downloadLine } from "../../io/download_progress.ts";
import { showLive } from "../../io/live_line.ts";
import { PIP_INSTALLATION } from "../../io/pip_download.ts";
import { formatBytes, type Reporter } from "../../io/reporter.ts";
import { runCommand } from "../../io/run_command.ts";
import { sha256File } from "../../io/sha256.ts";
import type { WheelRelease } from "./releases.ts";

/** How pip may be called, tried in this order. */
export const PIP_COMMANDS: readonly (readonly string[])[] = [
  ["python3", "-m", "pip"],
  ["python", "-m", "pip"],
  ["py", "-m", "pip"],
  ["pip3"],
  ["pip"],
];

export interface FetchWheelOptions {
  wheel: WheelRelease;
  /** An existing, empty folder for the wheel and pip's temporary files. */
  folder: string;
  /** What the user sees it called. */
  label: string;
  reporter: Reporter;
  /** Ways to call pip. */
  pipCommands: readonly (readonly string[])[];
}

/**
 * Downloads the wheel and checks it.
 *
 * The wheel for Python 3.11 is asked for whatever Python pip itself runs on: its shared objects
 * depend on none.
 *
 * @returns The wheel's path inside `folder`.
 * @throws {StudyError} When there is no pip, pip fails, or the file is not the pinned one.
 */
export async function fetchWheel(options: FetchWheelOptions): Promise<string> {
  const { wheel, folder, label, reporter } = options;
  const pip = await findPip(options.pipCommands);
  if (pip === undefined) {
    throw new StudyError("pip was not found", { remedy: PIP_INSTALLATION });
  }
  const size = wheel.size === undefined ? "" : ` (${formatBytes(wheel.size)})`;
  reporter.line(`${label}: downloading the wheel ${wheel.name}${size} with ${pip.join(" ")}`);
  const started = performance.now();
  const poll = setInterval(async () => {
    const bytes = await folderSize(folder);
    if (bytes === 0) return;
    showLive(reporter, downloadLine(bytes, { label, total: wheel.size, started }));
  }, 250);
  try {
    await runPip(pip, wheel, folder);
  } finally {
    clearInterval(poll);
    reporter.live("");
  }
  const path = join(folder, wheel.file);
  let sha256: string;
  try {
    sha256 = await sha256File(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new StudyError("pip delivered no wheel", {
      details: [`pip did not deliver ${wheel.file}`],
      remedy: "check pip's settings (pip config list)",
    });
  }
  if (sha256 !== wheel.sha256) {
    await Deno.remove(path);
    throw new StudyError("pip delivered another wheel than the pinned one", {
      details: [
        `the ${wheel.file} that pip delivered is not the pinned one (SHA-256 ${sha256}, ` +
        `${wheel.sha256} expected) and was removed`,
      ],
      remedy: "check which index pip uses (pip config list), empty its cache (pip cache purge) " +
        "and run again",
    });
  }
  return path;
}

/** The first way to call pip that works. */
async function findPip(
  commands: readonly (readonly string[])[],
): Promise<readonly string[] | undefined> {
  for (const command of commands) {
    const result = await run(command, ["--version"]);
    if (result?.success) return command;
  }
  return undefined;
}

async function runPip(pip: readonly string[], wheel: WheelRelease, folder: string): Promise<void> {
  const result = await run(pip, [
    "download",
    "--disable-pip-version-check",
    "--no-input",
    "--no-deps",
    "--only-binary=:all:",
    `--platform=${wheel.platform}`,
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
    `--dest=${folder}`,
    `${wheel.name}==${wheel.version}`,
  ], folder);
  if (result === undefined) throw new StudyError(`${pip.join(" ")} could not be started`);
  if (!result.success) throw pipFailure(result.output, wheel);
}

/** What went wrong, from pip's own words, with the remedy. */
function pipFailure(output: string, wheel: WheelRelease): StudyError {
  if (
    /NewConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|Name or service not known|Temporary failure in name resolution|getaddrinfo failed|Network is unreachable/
      .test(output)
  ) {
    return new StudyError("pip cannot reach its package index", {
      details: ["pip cannot reach its package index over the network"],
      remedy: "check pip's index and proxy settings (pip config list) and run again",
    });
  }
  if (/No matching distribution found|Could not find a version/.test(output)) {
    const what = `pip's package index does not offer ${wheel.name} ${wheel.version}`;
    return new StudyError(what, {
      details: [`${what} for ${wheel.platform}`],
      remedy: "check pip's index settings (pip config list)",
    });
  }
  if (/No space left on device|Errno 28/.test(output)) {
    return new StudyError("pip ran out of disk space", {
      remedy: "free some in the suite's cache folder and run again",
    });
  }
  const lines = output.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  const last = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "no message";
  return new StudyError("pip failed", {
    details: [`pip failed (${last.replace(/^ERROR:\s*/, "")})`],
    remedy: "fix what pip says (--verbose shows it) and run again",
  });
}

/** Runs pip, its temporary files in `temporary`; undefined if the command cannot be started. */
async function run(
  command: readonly string[],
  args: readonly string[],
  temporary?: string,
): Promise<{ success: boolean; output: string } | undefined> {
  const env: Record<string, string> = temporary === undefined
    ? {}
    : { TMPDIR: temporary, TEMP: temporary, TMP: temporary };
  const result = await runCommand([...command, ...args], { env });
  return result && { success: result.success, output: `${result.stdout}\n${result.stderr}` };
}

/** Bytes in a folder's files, those in inner folders included. */
async function folderSize(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      bytes += entry.isDirectory ? await folderSize(path) : (await Deno.stat(path)).size;
    }
  } catch (error) {
    // pip removes its own files while we look.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return bytes;
}
