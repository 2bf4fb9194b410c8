/**
 * Loads libtensorflow so that graphics drivers in the same process do it no harm.
 *
 * Mesa's drivers bring LLVM with them, and its OpenGL driver puts it before all that is loaded later.
 * libtensorflow has an LLVM of its own, calls the other one instead, and ends the process. Where a
 * driver has loaded the C++ library before, unloading libtensorflow ends it as well.
 *
 * @module
 */

import { LoadFlags, withLibc } from "../../io/libc.ts";

/** A function of every LLVM. */
const OF_LLVM = "LLVMContextCreate";

/**
 * Loads a library for good, and has it call its own LLVM if there is another. Where this is neither
 * needed nor possible (not on Linux with glibc) nothing happens, and what is wrong with the library is
 * left to be told by the next who opens it.
 */
export function loadApart(path: string): void {
  if (Deno.build.os !== "linux") return;
  withLibc(({ dlopen, dlsym }) => {
    if (dlopen === null || dlsym === null) return;
    const isLlvmThere = dlsym(null, cString(OF_LLVM)) !== null;
    const { LAZY, DEEPBIND, NODELETE } = LoadFlags;
    dlopen(cString(path), LAZY | NODELETE | (isLlvmThere ? DEEPBIND : 0));
  });
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
