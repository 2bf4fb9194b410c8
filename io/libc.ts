/**
 * The few functions of the C library that Deno has no counterpart for.
 *
 * @module
 */

const symbols = {
  dup: {
    parameters: [
      "i32", /* int fd */
    ],
    result: "i32",
  },
  dup2: {
    parameters: [
      "i32", /* int oldfd */
      "i32", /* int newfd */
    ],
    result: "i32",
  },
  open: {
    parameters: [
      "buffer", /* const char* path */
      "i32", /* int flags */
    ],
    result: "i32",
  },
  read: {
    parameters: [
      "i32", /* int fd */
      "buffer", /* void* buf */
      "usize", /* size_t count */
    ],
    result: "isize",
  },
  close: {
    parameters: [
      "i32", /* int fd */
    ],
    result: "i32",
  },
  access: {
    parameters: [
      "buffer", /* const char* path */
      "i32", /* int mode */
    ],
    result: "i32",
  },
  // Before glibc 2.33 the second, which takes a version of the struct, was all there was.
  fstat: {
    parameters: [
      "i32", /* int fd */
      "buffer", /* struct stat* statbuf */
    ],
    result: "i32",
    optional: true,
  },
  __fxstat: {
    parameters: [
      "i32", /* int ver */
      "i32", /* int fd */
      "buffer", /* struct stat* statbuf */
    ],
    result: "i32",
    optional: true,
  },
  // Where the C library keeps why its last call failed, on Linux and on macOS.
  __errno_location: {
    parameters: [],
    result: "pointer", /* int* */
    optional: true,
  },
  __error: {
    parameters: [],
    result: "pointer", /* int* */
    optional: true,
  },
  // Before glibc 2.34 these two were in a library of their own.
  dlopen: {
    parameters: [
      "buffer", /* const char* filename */
      "i32", /* int flags */
    ],
    result: "pointer", /* void* */
    optional: true,
  },
  dlsym: {
    parameters: [
      "pointer", /* void* handle */
      "buffer", /* const char* symbol */
    ],
    result: "pointer", /* void* */
    optional: true,
  },
  madvise: {
    parameters: [
      "pointer", /* void* addr */
      "usize", /* size_t length */
      "i32", /* int advice */
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const LIBRARIES: Partial<Record<typeof Deno.build.os, string>> = {
  linux: "libc.so.6",
  darwin: "libSystem.B.dylib",
};

/** `open` flags, the same on Linux and macOS. */
export const OpenFlags = { RDONLY: 0, WRONLY: 1 } as const;

/** `access` modes, the same on Linux and macOS. */
export const AccessModes = { WRITE: 2 } as const;

/** `errno` values, the same on Linux and macOS. */
export const ErrorNumbers = { EROFS: 30 } as const;

/** `dlopen` flags of Linux. */
export const LoadFlags = { LAZY: 1, DEEPBIND: 8, NODELETE: 0x1000 } as const;

/** The C library's functions. */
type Libc = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** Those of the call that is under way: opening the library takes a millisecond. */
let opened: Libc | undefined;

/**
 * Runs `action` with the C library's functions. Calls inside of it do not open the library again.
 *
 * @returns What it returns; `undefined` where there is no such C library (Windows, musl).
 */
export function withLibc<T>(action: (libc: Libc) => T): T | undefined {
  if (opened !== undefined) return action(opened);
  const name = LIBRARIES[Deno.build.os];
  if (name === undefined) return undefined;
  let library: Deno.DynamicLibrary<typeof symbols>;
  try {
    library = Deno.dlopen(name, symbols);
  } catch {
    return undefined;
  }
  try {
    return action(opened = library.symbols);
  } finally {
    opened = undefined;
    library.close();
  }
}

/** Bytes that hold any system's `struct stat`. */
const STAT_BYTES = 512;

/** Where its device and inode end, on Linux and macOS. */
const IDENTITY_BYTES = 16;

/** The `_STAT_VER` that programs built for glibc passed. */
const STAT_VERSION = Deno.build.arch === "x86_64" ? 1 : 0;

/** Whether two descriptors are open on the same file or device; false if that is not known. */
export function isSameFile({ fstat, __fxstat }: Libc, one: number, other: number): boolean {
  const [first, second] = [one, other].map((fd) => {
    const stat = new Uint8Array(STAT_BYTES);
    const status = fstat?.(fd, stat) ?? __fxstat?.(STAT_VERSION, fd, stat);
    return status === 0 ? stat.subarray(0, IDENTITY_BYTES).join() : undefined;
  });
  return first !== undefined && first === second;
}

/** Why the call before failed, one of {@linkcode ErrorNumbers} or another; 0 if that is not known. */
export function lastError(libc: Libc): number {
  const place = (libc.__errno_location ?? libc.__error)?.() ?? null;
  return place === null ? 0 : new Deno.UnsafePointerView(place).getInt32();
}

/**
 * Reads a small file that Deno opens only with all permissions, such as those in `/proc`.
 *
 * @param limit Bytes to read at most.
 * @returns Its text; `undefined` if it cannot be read.
 */
export function readSystemFile(path: string, limit = 1 << 16): string | undefined {
  return withLibc(({ open, read, close }) => {
    const file = open(new TextEncoder().encode(path + "\0"), OpenFlags.RDONLY);
    if (file < 0) return undefined;
    try {
      const bytes = new Uint8Array(limit);
      let length = 0;
      while (length < limit) {
        const count = Number(read(file, bytes.subarray(length), BigInt(limit - length)));
        if (count <= 0) break;
        length += count;
      }
      return new TextDecoder().decode(bytes.subarray(0, length));
    } finally {
      close(file);
    }
  });
}
