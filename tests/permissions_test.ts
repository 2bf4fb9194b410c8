/** What tasks may do, by `deno.json`. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../io/cache.ts";
import { TASKS } from "./task.ts";

type Permissions = Readonly<Record<string, boolean | readonly string[]>>;

const { permissions }: { permissions: Readonly<Record<string, Permissions>> } = JSON.parse(
  await Deno.readTextFile(join(repositoryRoot(), "deno.json")),
);

Deno.test("every task that runs a script names its permissions, and no set is without a task", () => {
  const used = new Set(["test"]);
  for (const [name, { command }] of Object.entries(TASKS)) {
    if (!command.startsWith("deno run ")) continue;
    assert(!/ (-A|--allow-\S*)/.test(command), name);
    const set = / -P=(\w+) /.exec(command)?.[1];
    assert(set !== undefined && set in permissions, `task ${name} has no permissions`);
    used.add(set);
  }
  assertEquals(Object.keys(permissions).filter((name) => !used.has(name)), []);
});

Deno.test("what reads the files of others has neither FFI, network nor programs", () => {
  const expected: Readonly<Record<string, readonly string[]>> = {
    inspect: ["env", "read"],
    report: ["env", "read", "write"],
    readme: ["env", "read", "write"],
    runs: ["env", "read", "write"],
    drawing: ["read", "write"],
  };
  for (const [name, kinds] of Object.entries(expected)) {
    assertEquals(Object.keys(permissions[name]!).sort(), kinds, name);
    if (kinds.includes("env")) assert(Array.isArray(permissions[name]!.env), name);
  }
  assertEquals(permissions.readme!.write, ["."]);
  assertEquals([permissions.drawing!.read, permissions.drawing!.write], [["."], ["docs"]]);
});

Deno.test("the engine's environment, programs and hosts are listed", () => {
  for (const kind of ["env", "net", "run", "sys"]) assert(Array.isArray(permissions.engine![kind]));
});
