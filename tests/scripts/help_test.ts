/** What README says of every task, held to by all of them. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { repositoryRoot } from "../../io/cache.ts";
import { taskArgs, TASKS } from "../task.ts";

/**
 * Deno's own programs one after the other, what hands its words on to Deno's, and those that are tested in
 * a repository of their own, by std/stand_ins_test.ts.
 */
const OTHERS = ["check", "test", "jsr", "stand-ins"];

const OURS = Object.keys(TASKS).filter((name) => !OTHERS.includes(name));

async function start(name: string, flag: string): Promise<[code: number, out: string]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs(name), flag],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return [code, new TextDecoder().decode(code === 0 ? stdout : stderr)];
}

Deno.test("every task has a help page, and does nothing on a flag that is none", async () => {
  for (const name of OURS) {
    const [[code, page], [refused, said]] = await Promise.all([
      start(name, "--help"),
      start(name, "--no-such-flag"),
    ]);
    assertEquals(code, 0, name);
    assertStringIncludes(page, `deno task ${name}`);
    assertEquals(refused, 2, `${name}: ${said}`);
    assertStringIncludes(said, "--no-such-flag", name);
  }
});
