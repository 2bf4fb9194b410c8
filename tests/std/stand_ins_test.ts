/** Switching between the stand-ins in `std/` and JSR's own packages, in a repository of its own. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { withFolder } from "../report/result_rows.ts";

async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(success, true, `${command} ${args.join(" ")}: ${out}${problem}`);
  return out!;
}

/** Runs `action` in a repository with what the two tasks need. */
async function withRepository(action: (folder: string) => Promise<void>): Promise<void> {
  await withFolder({}, async (folder) => {
    for (const file of ["deno.json", "deno.lock", "deno.full.lock"]) {
      await Deno.copyFile(join(repositoryRoot(), file), join(folder, file));
    }
    for (const inner of ["std/assert", "std/cli", "std/csv", "scripts", "io"]) {
      await Deno.mkdir(join(folder, inner), { recursive: true });
      for (const { name } of Deno.readDirSync(join(repositoryRoot(), inner))) {
        await Deno.copyFile(join(repositoryRoot(), inner, name), join(folder, inner, name));
      }
    }
    const identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    await run(folder, "git", "init", "-q");
    await run(folder, "git", "add", ".");
    await run(folder, "git", ...identity, "commit", "-q", "-m", "as it comes");
    await action(folder);
  });
}

Deno.test("deno task jsr and deno task stand-ins switch, and leave git's tree clean", async () => {
  await withRepository(async (folder) => {
    const config = () => Deno.readTextFile(join(folder, "deno.json"));
    const before = await config();
    const changes = () => run(folder, "git", "status", "--porcelain");

    await run(folder, Deno.execPath(), "task", "-q", "jsr");
    assertEquals(JSON.parse(await config()).links, undefined);
    assertEquals(await changes(), "");
    await run(folder, Deno.execPath(), "task", "-q", "stand-ins");
    assertEquals(await config(), before);
    assertEquals(await changes(), "");
    assertEquals(await run(folder, "git", "ls-files", "-t", "deno.json"), "H deno.json\n");
  });
});

Deno.test("deno task jsr and stand-ins change nothing where they are asked for help or what is none", async () => {
  await withRepository(async (folder) => {
    const config = () => Deno.readTextFile(join(folder, "deno.json"));
    const before = await config();
    const flags = () => run(folder, "git", "ls-files", "-t", "deno.json");
    for (const name of ["jsr", "stand-ins"]) {
      // Neither the one nor the other is in force already when it is asked.
      if (name === "stand-ins") await run(folder, Deno.execPath(), "task", "-q", "jsr");
      const present = [await config(), await flags()];
      const page = await run(folder, Deno.execPath(), "task", "-q", name, "--help");
      assertStringIncludes(page, `deno task ${name}`);
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "-q", name, "--halp"],
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).output();
      const said = new TextDecoder().decode(stderr);
      assertEquals([code, said], [
        2,
        `error: deno task ${name} takes nothing but --help, not --halp\n`,
      ]);
      assertEquals([await config(), await flags()], present);
    }
    await run(folder, Deno.execPath(), "task", "-q", "stand-ins");
    assertEquals(await config(), before);
  });
});
