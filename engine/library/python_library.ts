/**
 * The C library inside an installed Python package `tensorflow`.
 *
 * @module
 */

import { compareVersions } from "../../io/compare_versions.ts";
import { StudyError } from "../../io/errors.ts";
import { OWN_MODULES } from "../../io/python.ts";
import { programFailure, runCommand } from "../../io/run_command.ts";
import { libraryIn, libraryProblem } from "./library_file.ts";

/** The oldest TensorFlow whose C library the suite's kernels run on. */
export const OLDEST_VERSION = "2.10";

/** Says where the package is and which version, without importing it: that takes seconds. */
const QUESTION = `${OWN_MODULES}import importlib.util, importlib.metadata, json
spec = importlib.util.find_spec("tensorflow")
folders = list(spec.submodule_search_locations or []) if spec else []
version = None
for name in ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos", "tensorflow-rocm", "tf-nightly", "tf-nightly-cpu"):
    try:
        version = importlib.metadata.version(name)
        break
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps({"folders": folders, "version": version}))
`;

/** An answer to the search, or why there is none. */
export type PythonAnswer = { path: string; version?: string } | { problem: string };

/**
 * Looks for the C library in the `tensorflow` package of one Python. It is used where it lies, so
 * that the CUDA libraries installed with it are found.
 */
export async function pythonLibrary(command: readonly string[]): Promise<PythonAnswer> {
  const name = command.join(" ");
  let answer: { folders: string[]; version: string | null };
  try {
    answer = await ask(command);
  } catch (error) {
    return { problem: `${name}: ${error instanceof StudyError ? error.message : "not found"}` };
  }
  const folder = answer.folders[0];
  if (folder === undefined) return { problem: `${name}: has no package tensorflow` };
  const version = answer.version ?? undefined;
  const called = `tensorflow${version === undefined ? "" : ` ${version}`} in ${folder}`;
  if (version !== undefined && compareVersions(version, OLDEST_VERSION) < 0) {
    return { problem: `${name}: ${called} is older than ${OLDEST_VERSION}` };
  }
  const path = await libraryIn(folder);
  if (path === undefined) return { problem: `${name}: ${called} holds no C library` };
  const problem = await libraryProblem(path);
  if (problem !== undefined) return { problem: `${name}: ${path} ${problem}` };
  return version === undefined ? { path } : { path, version };
}

async function ask(
  command: readonly string[],
): Promise<{ folders: string[]; version: string | null }> {
  const result = await runCommand([...command, "-c", QUESTION], { timeoutMs: 15_000 });
  if (result === undefined) throw new StudyError("not found");
  if (!result.success) {
    const { what, reason } = programFailure(result);
    throw new StudyError(what, { reason });
  }
  try {
    // A start-up hook may print something of its own first.
    const text = result.stdout.trim();
    return JSON.parse(text.slice(text.lastIndexOf("\n") + 1));
  } catch {
    throw new StudyError("gave no usable answer");
  }
}
