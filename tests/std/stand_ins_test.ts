/** Switching between the stand-ins in `std/` and JSR's own packages, in a repository of its own. */

import { assertEquals } from "@std/assert";
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

Deno.test("deno task jsr and deno task stand-ins switch, and leave git's tree clean", async () => {
  await withFolder({}, async (folder) => {
    for (const file of ["deno.json", "deno.lock", "deno.full.lock"]) {
      await Deno.copyFile(join(repositoryRoot(), file), join(folder, file));
    }
    for (const name of ["assert", "cli", "csv"]) {
      const standIn = join("std", name);
      await Deno.mkdir(join(folder, standIn), { recursive: true });
      for (const { name } of Deno.readDirSync(join(repositoryRoot(), standIn))) {
        await Deno.copyFile(join(repositoryRoot(), standIn, name), join(folder, standIn, name));
      }
    }
    const identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    await run(folder, "git", "init", "-q");
    await run(folder, "git", "add", ".");
    await run(folder, "git", ...identity, "commit", "-q", "-m", "as it comes");
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
