/** Standard error is one for all Workers of a process, and comes back whatever they do to it at once. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { isSameFile, OpenFlags, withLibc } from "../../io/libc.ts";
import { withQuietStderr } from "../../io/quiet_stderr.ts";
import { withFolder } from "../report/result_rows.ts";

const STDERR = 2;

Deno.test({
  name: "withQuietStderr() that ends after another Worker's leaves standard error to it",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder({ file: "" }, (folder) => {
      withLibc((libc) => {
        const open = (path: string) =>
          libc.open(new TextEncoder().encode(`${path}\0`), OpenFlags.WRONLY);
        const [file, nowhere] = [open(join(folder, "file")), open("/dev/null")];
        const own = libc.dup(STDERR);
        const isErrorOn = (descriptor: number) => isSameFile(libc, STDERR, descriptor);
        const seen: boolean[] = [];
        try {
          libc.dup2(file, STDERR);
          withQuietStderr(() => seen.push(isErrorOn(nowhere)));
          seen.push(isErrorOn(file));
          // The other Worker begins, this one does, and the other ends first.
          const others = libc.dup(STDERR);
          libc.dup2(nowhere, STDERR);
          withQuietStderr(() => {
            seen.push(isErrorOn(nowhere));
            libc.dup2(others, STDERR);
            libc.close(others);
          });
          seen.push(isErrorOn(file));
        } finally {
          libc.dup2(own, STDERR);
          for (const descriptor of [own, file, nowhere]) libc.close(descriptor);
        }
        assertEquals(seen, [true, true, true, true]);
        assert(!isSameFile(libc, -1, -1), "what is not open is no file");
      });
      return Promise.resolve();
    }),
});
