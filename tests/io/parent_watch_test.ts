import { assertEquals } from "@std/assert";
import { watchParent } from "../../io/parent_watch.ts";

/** How often the end of the task is told to who begins to watch with this parent and `INIT_CWD`. */
function told(parent: number, initCwd: string | undefined): number {
  const before = { ppid: Deno.ppid, initCwd: Deno.env.get("INIT_CWD") };
  const setInitCwd = (folder: string | undefined) =>
    folder === undefined ? Deno.env.delete("INIT_CWD") : Deno.env.set("INIT_CWD", folder);
  const setParent = (value: number) =>
    Object.defineProperty(Deno, "ppid", { value, configurable: true });
  let count = 0;
  try {
    setInitCwd(initCwd);
    setParent(parent);
    using _watch = watchParent(() => count++);
  } finally {
    setInitCwd(before.initCwd);
    setParent(before.ppid);
  }
  return count;
}

Deno.test("watchParent() tells at once of a task that was killed before it was watched", () => {
  assertEquals(told(Deno.ppid, "/"), 0);
  assertEquals(told(Deno.ppid + 1, "/"), 1);
  // A process started from a shell may outlive it.
  assertEquals(told(Deno.ppid + 1, undefined), 0);
});
