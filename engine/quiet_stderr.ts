/**
 * Keeps a library's start-up chatter off the user's screen.
 *
 * TensorFlow writes some lines straight to file descriptor 2 while it is being loaded, before any
 * of its log settings count; so the descriptor itself is pointed elsewhere meanwhile.
 *
 * @module
 */

const libc = {
  dup: { parameters: ["i32" /* int fd */], result: "i32" },
  dup2: { parameters: ["i32", /* int oldfd */ "i32" /* int newfd */], result: "i32" },
  open: { parameters: ["buffer", /* const char* path */ "i32" /* int flags */], result: "i32" },
  close: { parameters: ["i32" /* int fd */], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const LIBRARY: Partial<Record<typeof Deno.build.os, string>> = {
  linux: "libc.so.6",
  darwin: "libSystem.B.dylib",
};

const STDERR = 2;
const O_WRONLY = 1;

/**
 * Runs `action` with the process's standard error discarded.
 *
 * Where that cannot be done (no such C library on this system) the action runs all the same.
 */
export function withQuietStderr<T>(action: () => T): T {
  const library = openLibc();
  if (library === undefined) return action();
  const { dup, dup2, open, close } = library.symbols;
  const saved = dup(STDERR);
  const nowhere = open(new TextEncoder().encode("/dev/null\0"), O_WRONLY);
  try {
    if (saved >= 0 && nowhere >= 0) dup2(nowhere, STDERR);
    return action();
  } finally {
    if (saved >= 0) {
      dup2(saved, STDERR);
      close(saved);
    }
    if (nowhere >= 0) close(nowhere);
    library.close();
  }
}

function openLibc(): Deno.DynamicLibrary<typeof libc> | undefined {
  const name = LIBRARY[Deno.build.os];
  if (name === undefined) return undefined;
  try {
    return Deno.dlopen(name, libc);
  } catch {
    return undefined;
  }
}
