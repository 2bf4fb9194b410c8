/**
 * A wheel downloaded by the user's own pip, from whatever index pip is configured for.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { pipNotes, pipProxy } from "../../io/network_failure.ts";
import { formatBytes, type Reporter } from "../../io/reporter.ts";
import { runCommand } from "../../io/run_command.ts";
import { sha256File } from "../../io/sha256.ts";
import { type MinimumRate, TransferWatch } from "../../io/transfer_watch.ts";
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
  /**
   * The least that pip must bring.
   *
   * @default {PIP_RATE}
   */
  minimumRate?: MinimumRate;
}

/** pip asks an index that does not answer again for up to a minute and a half. */
export const PIP_RATE: MinimumRate = { bytesPerSecond: 2_000, windowMs: 120_000 };

/** pip has a file twice for a moment: as it comes, and where it is to be. */
const MOST_COPIES = 2.5;

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
    throw new StudyError(
      "pip was not found, which is needed to fetch the wheel: install Python with pip " +
        "(https://pip.pypa.io/en/stable/installation/) and run again",
    );
  }
  const size = formatBytes(wheel.size);
  reporter.line(`${label}: downloading the wheel ${wheel.name} (${size}) with ${pip.join(" ")}`);
  const abort = new AbortController();
  const end = (reason: string) =>
    abort.abort(new StudyError(`pip was ended: ${reason}. ${CHECK_PIP}`));
  let seen = 0;
  const poll = setInterval(async () => {
    const bytes = await folderSize(folder);
    if (bytes === 0) return;
    watch.add(Math.max(0, bytes - seen));
    seen = Math.max(seen, bytes);
    if (bytes > MOST_COPIES * wheel.size) end(`it takes more than the wheel's ${size}`);
    const percent = Math.min(100, Math.floor(100 * bytes / wheel.size));
    reporter.live(`${label}: ${percent} % of ${size}`);
  }, 250);
  using watch = new TransferWatch(end, options.minimumRate ?? PIP_RATE);
  try {
    await runPip(pip, { wheel, folder, signal: abort.signal });
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
    throw new StudyError(`pip did not deliver ${wheel.file}: check its settings (pip config list)`);
  }
  if (sha256 !== wheel.sha256) {
    await Deno.remove(path);
    throw new StudyError(
      `the ${wheel.file} that pip delivered is not the pinned one (SHA-256 ${sha256}, ` +
        `${wheel.sha256} expected) and was removed: check which index pip uses (pip config list), ` +
        "empty its cache (pip cache purge) and run again",
    );
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

const CHECK_PIP = "Check pip's index and proxy settings (pip config list) and run again";

interface PipDownload {
  wheel: WheelRelease;
  /** Where the wheel and pip's temporary files go. */
  folder: string;
  /** Ends pip, with its reason. */
  signal: AbortSignal;
}

async function runPip(
  pip: readonly string[],
  { wheel, folder, signal }: PipDownload,
): Promise<void> {
  const args = [
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
  ];
  const result = await run(pip, args, { folder, signal });
  signal.throwIfAborted();
  if (result === undefined) throw new StudyError(`${pip.join(" ")} could not be started`);
  if (result.success) return;
  const settings = await run(pip, ["config", "list"]);
  const notes = pipNotes(result.output, pipProxy(settings?.output ?? ""));
  throw new StudyError(pipFailure(result.output, wheel) + notes);
}

/** What went wrong in one line, from pip's own words, with the remedy. */
function pipFailure(output: string, wheel: WheelRelease): string {
  if (
    /NewConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|Name or service not known|Temporary failure in name resolution|getaddrinfo failed|Network is unreachable/
      .test(output)
  ) {
    return "pip cannot reach its package index: check the network connection or pip's index and " +
      "proxy settings (pip config list) and run again";
  }
  if (/No matching distribution found|Could not find a version/.test(output)) {
    return `the package index that pip uses does not offer ${wheel.name} ${wheel.version} for ` +
      `${wheel.platform}: check pip's index settings (pip config list)`;
  }
  if (/No space left on device|Errno 28/.test(output)) {
    return "pip ran out of disk space: free some in the suite's cache folder and run again";
  }
  const lines = output.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  const last = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "no message";
  return `pip failed (${last.replace(/^ERROR:\s*/, "")}): fix that and run again`;
}

/** Runs pip, its temporary files in `folder`; undefined if the command cannot be started. */
async function run(
  command: readonly string[],
  args: readonly string[],
  { folder, signal }: Partial<Omit<PipDownload, "wheel">> = {},
): Promise<{ success: boolean; output: string } | undefined> {
  const env: Record<string, string> = folder === undefined
    ? {}
    : { TMPDIR: folder, TEMP: folder, TMP: folder };
  const result = await runCommand([...command, ...args], { env, ...(signal && { signal }) });
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
