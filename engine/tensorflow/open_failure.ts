/**
 * Why a libtensorflow could not be opened, in the user's words.
 *
 * @module
 */

import { delimiter, dirname, join } from "node:path";
import { variableIfAllowed } from "../../io/environment.ts";
import { StudyError } from "../../io/errors.ts";

/** A pattern in the loader's message, and the sentence's end that explains it. */
interface Explanation {
  pattern: RegExp;
  text: (match: RegExpExecArray) => string;
}

/** A library that the system's loader refused. */
export class OpenFailure extends StudyError {
  override name = "OpenFailure";
}

/** The variable with folders in which the loader looks before all others. */
export interface LoaderVariable {
  name: string;
  folders: readonly string[];
}

const OTHER_LIBRARY = "set LIBTENSORFLOW_PATH to another libtensorflow, or unset it to have one " +
  "found or fetched";

const EXPLANATIONS: readonly Explanation[] = [
  {
    pattern:
      /\b((?:lib)?(?:cud|cublas|cufft|curand|cusolver|cusparse|cupti|nccl|nvinfer|nvrtc|nvJitLink|nvToolsExt|nvidia)[\w.-]*)/,
    text: ([, name]) =>
      `needs the CUDA library ${name}, which is not found: install CUDA for it ` +
      `(for example pip install "tensorflow[and-cuda]"), or use a CPU build`,
  },
  {
    pattern: /version [`'"]GLIBC_([\d.]+)['"]? not found/,
    text: ([, version]) =>
      `needs glibc ${version} or newer, which this system does not have: use a newer Linux ` +
      `release, or ${OTHER_LIBRARY}`,
  },
  {
    pattern: /version [`'"]((?:GLIBCXX|CXXABI)_[\d.]+)['"]? not found/,
    text: ([, version]) =>
      `needs a newer C++ runtime (${version}): update libstdc++ on this system, or ${OTHER_LIBRARY}`,
  },
  {
    pattern: /Error relocating|Error loading shared library|ld-musl/,
    text: () =>
      "cannot be loaded by this system's C library: musl (as in Alpine Linux) is not supported; " +
      "use a Linux with glibc, for example Debian or Ubuntu",
  },
  {
    pattern:
      /wrong ELF class|incompatible architecture|cannot open shared object file: Exec format error|wrong architecture|os error 193/i,
    text: () => `is built for another processor or system: ${OTHER_LIBRARY}`,
  },
  {
    pattern:
      /file too short|cannot read file data|truncated|load command.*(?:past|beyond).*end|section.*(?:past|beyond).*end/i,
    text: () =>
      `is truncated or empty: replace it with an intact copy and run again, or ${OTHER_LIBRARY}`,
  },
  {
    pattern:
      /invalid ELF header|not a mach-o file|file format not recognized|slice is not valid mach-o|not a valid Win32/i,
    text: () => `is not a shared library: replace it with an intact copy, or ${OTHER_LIBRARY}`,
  },
  {
    pattern: /failed to map segment|Operation not permitted/,
    text: () =>
      "may not be executed where it lies (mounted noexec?): set MNIST_STUDY_CACHE to a folder on " +
      "another file system, or move the library there and set LIBTENSORFLOW_PATH",
  },
  {
    pattern: /Permission denied|os error 5\b/,
    text: () => "may not be read: make it readable for this user",
  },
  {
    pattern: /(?:register symbol|undefined symbol:?|symbol not found:?)\s+[`'"]?((?:TF|TFE)_\w+)/,
    text: ([, symbol]) =>
      `lacks the function ${symbol}: libtensorflow 2.10 or newer is needed; ${OTHER_LIBRARY}`,
  },
];

/**
 * An error in one line for a library that the system's loader refused.
 *
 * @param path The file that was to be opened.
 * @param error What opening it threw; only its message is used.
 * @param variable Where the loader looks first.
 */
export function explainOpenFailure(
  path: string,
  error: unknown,
  variable: LoaderVariable = loaderVariable(),
): OpenFailure {
  const raw = error instanceof Error ? error.message : String(error);
  const said = raw.replace(/^(?:Could not open library: )+/, "").replaceAll(/\s+/g, " ").trim();
  const other = otherFile(path, said, variable);
  if (other !== undefined) {
    const message = said.replaceAll(other, "the library");
    return new OpenFailure(
      `libtensorflow at ${path} cannot be opened because of ${other}, which the loader takes: it ` +
        `${causeAlone(message)}; ${remedyFor(path, other, variable)}.`,
      { cause: error },
    );
  }
  // The path is taken out: a folder named "cuda" is not a missing CUDA library.
  const message = said.replaceAll(path, "the library");
  const listed = isListed(dirname(path), variable) ? ` (its folder is in ${variable.name})` : "";
  return new OpenFailure(`libtensorflow at ${path}${listed} ${explanation(message)}.`, {
    cause: error,
  });
}

/** The variable of this system, as it is set. */
function loaderVariable(): LoaderVariable {
  const names: Partial<Record<string, string>> = { darwin: "DYLD_LIBRARY_PATH", windows: "PATH" };
  const name = names[Deno.build.os] ?? "LD_LIBRARY_PATH";
  const folders = (variableIfAllowed(name) ?? "").split(delimiter).filter((folder) =>
    folder !== ""
  );
  return { name, folders };
}

/** Libraries of TensorFlow's that others of its libraries need. */
const COMPANION = /libtensorflow_(?:framework|cc)\.(?:so\.2|2\.dylib)/;

/** The file at fault, where it is not the library that was to be opened. */
function otherFile(path: string, said: string, variable: LoaderVariable): string | undefined {
  if (/not found \(required by|No such file/i.test(said)) return undefined;
  const named = /^((?:\/|[A-Za-z]:\\)[^:]*): /.exec(said)?.[1] ??
    /'([^']+)' \((?!no such file|fat file, but missing)[^)]*(?:mach-o|slice|truncated|code sign)/i
      .exec(said)?.[1];
  if (named !== undefined && named !== path) return named;
  // A symbol that is missing here is missing in the library that should have it.
  const isMixed = /undefined symbol|symbol not found|symbol lookup/i.test(said) &&
    !/\bTFE?_\w+/.test(said);
  if (!isMixed) return undefined;
  const names = ["libtensorflow_framework.so.2", "libtensorflow_framework.2.dylib"];
  const files = variable.folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return files.find((file) => dirname(file) !== dirname(path) && isThere(file));
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What is wrong with a file, without what helps against it in the library itself. */
function causeAlone(message: string): string {
  if (/undefined symbol|symbol not found|symbol lookup/i.test(message)) {
    return "is of another version of TensorFlow";
  }
  return explanation(message).replace(/: (?:replace|set|make it|delete|install).*$/, "");
}

function isListed(folder: string, { folders }: LoaderVariable): boolean {
  return folders.some((listed) => join(listed, ".") === join(folder, "."));
}

function remedyFor(path: string, other: string, variable: LoaderVariable): string {
  const { name } = variable;
  const folder = dirname(other);
  if (isListed(folder, variable)) {
    return `take ${folder} out of ${name}, or unset ${name}`;
  }
  if (folder === dirname(path)) return "put an intact copy of it there";
  return COMPANION.test(other)
    ? `remove that TensorFlow, or take it out of where the loader looks (${name}, /etc/ld.so.conf)`
    : `repair what installed it, or ${OTHER_LIBRARY}`;
}

function explanation(message: string): string {
  const absent = missingFile(message);
  if (absent === "the library") return `does not exist: ${OTHER_LIBRARY}`;
  for (const { pattern, text } of EXPLANATIONS) {
    const match = pattern.exec(message);
    if (match !== null) return text(match);
  }
  if (absent?.includes("tensorflow_framework")) {
    return `needs ${absent} beside it, which is missing: put both files in one folder`;
  }
  if (absent !== undefined) {
    return `needs ${absent}, which is not found: install it, or ${OTHER_LIBRARY}`;
  }
  return `cannot be opened (${message.replace(/\.$/, "")}): ${OTHER_LIBRARY}`;
}

/** The file that the loader says does not exist. */
function missingFile(message: string): string | undefined {
  return (/([^\s:][^:]*): cannot open shared object file: No such file/.exec(message) ??
    /(the library).*(?:no such file|os error 126|os error 2\b|module could not be found)/i
      .exec(message) ??
    /Library not loaded: (?:@rpath\/)?(\S+)/.exec(message))?.[1];
}
