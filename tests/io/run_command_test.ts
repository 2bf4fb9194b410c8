import { assertEquals } from "@std/assert";
import { programFailure } from "../../io/run_command.ts";

const LOADER = "python3: error while loading shared libraries: libpython3.12.so.1.0: cannot open " +
  "shared object file: No such file or directory";

Deno.test("programFailure() tells a program that needs a loader's variable from one that fails", () => {
  const result = { stdout: "", stderr: `${LOADER}\n`, withheld: ["LD_LIBRARY_PATH"] };
  assertEquals(programFailure(result), {
    what: "fails without LD_LIBRARY_PATH, which Deno does not pass on here",
    reason: LOADER,
    remedy: "put one that runs without LD_LIBRARY_PATH first in PATH and run again",
  });
  const failure = { what: "does not run", reason: LOADER };
  assertEquals(programFailure({ ...result, withheld: [] }), failure);
  const other = { ...result, stderr: "pyenv: no such version\n\nsee its help\n" };
  assertEquals(programFailure(other), { ...failure, reason: "pyenv: no such version" });
});

Deno.test("programFailure() has a traceback's last line, what was printed, or says that nothing was", () => {
  const reason = (stderr: string, stdout = "") =>
    programFailure({ stdout, stderr, withheld: [] }).reason;
  const traceback = 'Traceback (most recent call last):\r\n  File "x"\r\nValueError: no\r\n';
  assertEquals(reason(traceback), "ValueError: no");
  assertEquals(reason("", "\nno such thing\n"), "no such thing");
  assertEquals(reason(" \n"), "without a message");
});
