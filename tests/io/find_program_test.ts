import { assertEquals } from "@std/assert";
import { findProgram } from "../../io/find_program.ts";

/** A command that says something and ends so. */
const saying = (text: string, status: number) => ["sh", "-c", `echo '${text}'; exit ${status}`];

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "findProgram() takes the first command that tells its version",
  ignore,
  fn: async () => {
    const good = saying("pip 99.0.1 from /somewhere", 0);
    const others = [["no-such-program"], saying("No module named pip", 1), saying("broken", 1)];
    assertEquals(await findProgram([...others, good]), { command: good, version: "99.0.1" });
    const silent = saying("", 0);
    assertEquals(await findProgram([silent, good]), { command: silent, version: "" });
  },
});

Deno.test({
  name: "findProgram() tells what was started and failed from what is not there",
  ignore,
  fn: async () => {
    const absent = [
      ["no-such-program"],
      saying("pyenv: python3: command not found", 127),
      saying("Python was not found; run without arguments to install it", 49),
      saying("/usr/bin/python3: No module named pip", 1),
    ];
    assertEquals(await findProgram(absent), { failure: undefined });
    const broken = [saying("broken", 1), saying("worse", 2)];
    const what = broken.map((command) => `${command.join(" ")} does not run`);
    assertEquals(await findProgram([...absent, ...broken]), {
      failure: {
        what: what[0]!,
        reason: "broken",
        details: [`${what[0]} (broken)`, `${what[1]} (worse)`],
      },
    });
  },
});
