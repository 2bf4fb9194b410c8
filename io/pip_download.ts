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
import { Progress } from "./download_progress.ts";
import { InterruptedError, StudyError } from "./errors.ts";
import { PYTHON_COMMANDS } from "./python.ts";
import type { Reporter } from "./reporter.ts";
import { cannotStart, emptiedLoaderVariables } from "./run_command.ts";

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
}

/** What to do where there is no pip. */
export const PIP_INSTALLATION = "install Python with pip and run again";

/** Exit status of {@linkcode PROGRAM}: Python has no pip, or one without these parts. */
const NO_PIP = 3;
/** Exit status of {@linkcode PROGRAM}: the index has no such file. */
const NOT_OFFERED = 4;

/**
 * Writes the file to standard output. The working folder is left out of the search for modules, so
 * that one named `pip` there does not count.
 */
const PROGRAM = `
import sys
sys.path[:] = [folder for folder in sys.path if folder]
project, file = sys.argv[1:]
try:
    from pip._internal.commands import create_command
    command = create_command("download")
    find, connect = command._build_package_finder, command.get_default_session
except (ImportError, AttributeError):
    sys.exit(${NO_PIP})
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
    for chunk in answer.iter_content(1 << 16):
        sys.stdout.buffer.write(chunk)
`;

/**
 * Fetches a file to `path`, which appears only when size and SHA-256 are the pinned ones.
 *
 * @throws {StudyError} If there is no pip, it cannot deliver the file, or another one came.
 * @throws {InterruptedError} If the Python was interrupted, as Ctrl-C at a terminal does.
 */
export async function downloadWithPip(options: PipDownloadOptions): Promise<void> {
  const { path, pythonCommands = PYTHON_COMMANDS } = options;
  await Deno.mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  try {
    for (const command of pythonCommands) {
      if (await transfer(command, part, options) === "no pip") continue;
      return await Deno.rename(part, path);
    }
  } finally {
    await Deno.remove(part).catch(() => {});
  }
  const tried = pythonCommands.map((command) => command.join(" ")).join(", ");
  throw new StudyError(`Cannot download ${options.file}`, {
    reason: "no Python has pip",
    details: [`${options.file}: no Python with pip was found (tried ${tried})`],
    remedy: PIP_INSTALLATION,
  });
}

/** Writes what one Python delivers to `part`, checked. */
async function transfer(
  [program = "", ...args]: readonly string[],
  part: string,
  { project, file: name, bytes, sha256, reporter, signal }: PipDownloadOptions,
): Promise<"done" | "no pip"> {
  signal?.throwIfAborted();
  const child = start(program, [...args, "-c", PROGRAM, project, name]);
  if (child === undefined) return "no pip";
  const interrupt = () => child.kill("SIGINT");
  signal?.addEventListener("abort", interrupt);
  reporter.live(`${name}: asking pip's package index`);
  const errors = new Response(child.stderr).text();
  const hash = createHash("sha256");
  const transferred = { label: name, host: "pip's package index" };
  let progress: Progress | undefined;
  let written = 0;
  {
    using file = await Deno.open(part, { write: true, create: true, truncate: true });
    for await (const chunk of child.stdout) {
      progress ??= new Progress({ ...transferred, start: 0, total: bytes, reporter });
      hash.update(chunk);
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      written += chunk.length;
      progress.show(written);
      if (written > bytes) break; // which closes the pipe, and so ends the program
    }
  }
  reporter.live("");
  const [{ success, code, signal: killed }, message] = await Promise.all([child.status, errors]);
  signal?.removeEventListener("abort", interrupt);
  if (killed === "SIGINT" || signal?.aborted) throw new InterruptedError("Interrupted");
  if (code === NO_PIP) return "no pip";
  const fail = (reason: string, whole = reason): never => {
    throw new StudyError(`Cannot download ${name} with pip`, {
      reason,
      details: [`${name}: ${whole}`],
      remedy: "check pip's index and proxy settings (pip config list) and run again",
    });
  };
  if (code === NOT_OFFERED) {
    fail("its package index does not offer the file or cannot be reached");
  }
  const found = hash.digest("hex");
  if (written > bytes) fail(`more than its ${bytes} bytes came`);
  if (!success) fail("pip failed", lastLine(message));
  if (written !== bytes || found !== sha256) {
    const whole = `another file came (${written} bytes, SHA-256 ${found}) than ${sha256}`;
    fail("another file came", whole);
  }
  progress?.done(written);
  return "done";
}

/** Starts a program; `undefined` if there is none or it may not be run. */
function start(program: string, args: string[]): Deno.ChildProcess | undefined {
  try {
    return new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: emptiedLoaderVariables(),
    }).spawn();
  } catch (error) {
    if (cannotStart(error)) return undefined;
    throw error;
  }
}

function lastLine(text: string): string {
  return text.trim().split(/\r?\n/).at(-1)?.trim() || "it failed without a message";
}
