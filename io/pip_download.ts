/**
 * A file of a Python package index, fetched through the user's own pip without a build.
 *
 * `pip download` of a source archive is no way to have it: to learn what the package depends on, pip
 * runs its build (`--no-deps` or not), which is code of the package. Here a Python is started that
 * takes pip's own finder and session and stops before that step. They honour whatever pip is set up
 * with (index, mirrors, proxy, certificates, credentials), so that neither an address nor a
 * permission for one is needed on our side. They are no public interface of pip's, but the
 * same in all of pip 19.3 to 26.0; where they are not, the file is not available, which is said.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { passAbortOn, signalChild } from "./child_signal.ts";
import { UndeliveredError } from "./download.ts";
import { Progress } from "./download_progress.ts";
import { type Failure, failureLine, interruptedBy, type StudyErrorOptions } from "./errors.ts";
import { ABSENT } from "./find_program.ts";
import { pipCertificateRemedy, pipProxy, throughProxy } from "./network_failure.ts";
import { OWN_MODULES, PYTHON_COMMANDS, withOwnModules } from "./python.ts";
import type { Reporter } from "./reporter.ts";
import { retried } from "./retry.ts";
import {
  cannotStart,
  programFailure,
  runCommand,
  type StartedProgram,
  startProgram,
} from "./run_command.ts";
import { MINIMUM_RATE, type MinimumRate, TransferWatch } from "./transfer_watch.ts";

/** A pinned file of a package index. */
export interface IndexFile {
  /** The project's name in the index. */
  project: string;
  file: string;
  bytes: number;
  /** Its SHA-256, lower-case hexadecimal. */
  sha256: string;
}

/** Options of {@linkcode downloadWithPip}. */
export interface PipDownloadOptions extends IndexFile {
  /** Where the file is to be; its folder is made if missing. */
  path: string;
  reporter: Reporter;
  /** Ends the download, of which nothing is kept. */
  signal?: AbortSignal | undefined;
  /**
   * Ways to start a Python, of which the first that has pip is used.
   *
   * @default {PYTHON_COMMANDS}
   */
  pythonCommands?: readonly (readonly string[])[];
  /**
   * The least that the transfer must bring; asking the index counts as a part of it.
   *
   * @default {MINIMUM_RATE}
   */
  minimumRate?: MinimumRate;
  /**
   * Milliseconds to wait before each further attempt, where a transfer broke off.
   *
   * @default {[1_000, 4_000]}
   */
  retryDelaysMs?: readonly number[];
}

/** What to do where there is no pip. */
export const PIP_INSTALLATION = "install Python with pip and run again";
/** What to do where pip does not deliver. */
export const CHECK_PIP = "check pip's index and proxy settings (pip config list) and run again";

/** A transfer that broke off: the next one may not. */
class BrokenTransfer extends UndeliveredError {}

/** Exit status of {@linkcode PROGRAM}: Python has no pip, or one without these parts. */
const NO_PIP = 3;
/** The line on standard error with which {@linkcode PROGRAM} says that it has come as far as pip. */
const FOUND_PIP = "found-pip";
/** Exit status of {@linkcode PROGRAM}: the index has no such file. */
const NOT_OFFERED = 4;

/** Bytes of standard output kept for what a program says that is no Python with pip. */
const SPOKEN_BYTES = 500;

/** Writes the file to standard output. */
const PROGRAM = `${OWN_MODULES}import logging
# pip says in passing why an index cannot be read.
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
project, file = sys.argv[1:]
try:
    from pip._internal.commands import create_command
    command = create_command("download")
    find, connect = command._build_package_finder, command.get_default_session
except (ImportError, AttributeError):
    sys.exit(${NO_PIP})
print("${FOUND_PIP}", file=sys.stderr, flush=True)
options, _ = command.parse_args(["--no-input", "--no-cache-dir", "--retries=1", "--no-binary=" + project])
with command.main_context():
    session = connect(options)
    finder = find(options, session, ignore_requires_python=True)
    links = [candidate.link for candidate in finder.find_all_candidates(project)]
    link = next((link for link in links if link.filename == file), None)
    if link is None:
        sys.exit(${NOT_OFFERED})
    # An encoded transfer would be of other bytes than the file's.
    answer = session.get(link.url_without_fragment, headers={"Accept-Encoding": "identity"}, stream=True)
    answer.raise_for_status()
    count = 0
    for chunk in answer.iter_content(1 << 16):
        count += sys.stdout.buffer.write(chunk)
    # Older pips take a transfer that broke off for a shorter file.
    announced = int(answer.headers.get("Content-Length", count))
    if count < announced:
        sys.exit("the transfer broke off after %d of %d bytes" % (count, announced))
`;

/**
 * Fetches a file to `path`, which appears only when size and SHA-256 are the pinned ones. A transfer
 * that breaks off or is too slow is tried again, a few times and after a while.
 *
 * @throws {UndeliveredError} If there is no pip, it cannot deliver the file, or another one came.
 * @throws {InterruptedError} If the Python was interrupted, as Ctrl-C at a terminal does.
 */
export async function downloadWithPip(options: PipDownloadOptions): Promise<void> {
  const { path, pythonCommands = PYTHON_COMMANDS } = options;
  await Deno.mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const tried: string[] = [];
  let telling: StudyErrorOptions | undefined;
  try {
    for (const command of pythonCommands) {
      const failure = await patiently(command, part, options);
      if (failure === undefined) return await Deno.rename(part, path);
      const { what, reason, remedy } = failure;
      const name = command.join(" ");
      tried.push(`${name}: ${failureLine({ what, reason })}`);
      const isBroken = what === "does not run" && !ABSENT.test(reason ?? "");
      if (remedy === undefined && !isBroken) continue;
      telling ??= { reason: `${name} ${what}`, remedy: remedy ?? PIP_INSTALLATION };
    }
  } finally {
    await Deno.remove(part).catch(() => {});
  }
  throw new UndeliveredError(`Cannot download ${options.file}`, {
    ...(telling ?? { reason: "no Python has pip", remedy: PIP_INSTALLATION }),
    details: [`${options.file}: no Python with pip was found (tried ${tried.join("; ")})`],
  });
}

/** {@linkcode transfer}, again where one broke off. */
async function patiently(
  command: readonly string[],
  part: string,
  options: PipDownloadOptions,
): Promise<Failure | undefined> {
  const { reporter, signal, retryDelaysMs: delaysMs = [1_000, 4_000] } = options;
  return await retried(() => transfer(command, part, options), {
    ...{ delaysMs, after: BrokenTransfer, reporter, signal },
    describe: ({ what, reason }) => failureLine({ what, reason }),
  });
}

/**
 * Writes what one Python delivers to `part`, checked.
 *
 * @returns Why it is no Python with pip, to be said after its name; `undefined` if the file is there.
 */
async function transfer(
  [program = "", ...args]: readonly string[],
  part: string,
  options: PipDownloadOptions,
): Promise<Failure | undefined> {
  const { project, file: name, bytes, sha256, reporter, signal } = options;
  signal?.throwIfAborted();
  const started = start(program, [...args, "-c", PROGRAM, project, name]);
  if (started === undefined) return { what: "not found" };
  const { child, withheld } = started;
  using _passing = passAbortOn(signal, child);
  reporter.live(`${name}: asking pip's package index`);
  const errors = new Response(child.stderr).text();
  let tooSlow: string | undefined;
  const hash = createHash("sha256");
  const transferred = { label: name, host: "pip's package index" };
  let progress: Progress | undefined;
  const decoder = new TextDecoder();
  let beginning = "";
  let written = 0;
  try {
    using file = await Deno.open(part, { write: true, create: true, truncate: true });
    using watch = new TransferWatch((reason) => {
      tooSlow = reason;
      signalChild(child, "SIGTERM");
    }, options.minimumRate ?? MINIMUM_RATE);
    for await (const chunk of child.stdout) {
      watch.add(chunk.length);
      if (beginning.length < SPOKEN_BYTES) {
        beginning += decoder.decode(chunk.subarray(0, SPOKEN_BYTES));
      }
      written += chunk.length;
      if (written > bytes) break; // which closes the pipe, and so ends the program
      progress ??= new Progress({ ...transferred, start: 0, total: bytes, reporter });
      hash.update(chunk);
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      progress.show(written);
    }
  } catch (error) {
    // What comes cannot be kept.
    signalChild(child, "SIGTERM");
    await child.stdout.cancel();
    await Promise.all([child.status, errors]);
    throw error;
  } finally {
    reporter.live("");
  }
  const [{ success, code, signal: killed }, said] = await Promise.all([child.status, errors]);
  if (killed === "SIGINT" || signal?.aborted) throw interruptedBy(signal);
  const [before = "", after] = said.split(new RegExp(`^${FOUND_PIP}\\r?\\n`, "m"));
  const found = hash.digest("hex");
  if (success && written === bytes && found === sha256) {
    progress?.done(written);
    return undefined;
  }
  if (after === undefined && tooSlow === undefined) {
    // A stand-in for a Python, as Windows and pyenv have them, says in its own way that it is none.
    if (code === NO_PIP) return { what: "has no pip" };
    return programFailure({ stdout: beginning, stderr: before, withheld });
  }
  const message = after ?? before;
  const pip = withOwnModules([program, ...args, "-m", "pip"]);
  const settings = await runCommand([...pip, "config", "list"]);
  const through = throughProxy(pipProxy(settings?.stdout ?? ""));
  const failure = (Kind: typeof UndeliveredError, reason: string, whole = reason) =>
    new Kind(`Cannot download ${name} with pip`, {
      reason: reason + through,
      details: [`${name}: ${whole}${through}`],
      remedy: pipCertificateRemedy(message) ?? CHECK_PIP,
    });
  if (tooSlow !== undefined) throw failure(BrokenTransfer, tooSlow);
  if (code === NOT_OFFERED) {
    throw failure(
      UndeliveredError,
      "its package index does not offer the file or cannot be reached",
    );
  }
  if (written > bytes) throw failure(UndeliveredError, `more than its ${bytes} bytes came`);
  if (!success) {
    const Kind = written > 0 ? BrokenTransfer : UndeliveredError;
    throw failure(Kind, written > 0 ? "the transfer broke off" : "pip failed", lastLine(message));
  }
  const whole = `another file came (${written} bytes, SHA-256 ${found}) than ${sha256}`;
  throw failure(UndeliveredError, "another file came", whole);
}

/** Starts a program; `undefined` if there is none or it may not be run. */
function start(program: string, args: string[]): StartedProgram | undefined {
  try {
    return startProgram(program, { args, stdin: "null", stdout: "piped", stderr: "piped" });
  } catch (error) {
    if (cannotStart(error)) return undefined;
    throw error;
  }
}

function lastLine(text: string): string {
  return text.trim().split(/\r?\n/).at(-1)?.trim() || "it failed without a message";
}
