import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { exists, isFile, isFolder, pathKind } from "../../io/path_kind.ts";

async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("pathKind() tells files, folders and nothing apart", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    await Deno.writeTextFile(path, "");
    assertEquals(await pathKind(folder), "folder");
    assertEquals(await pathKind(path), "file");
    assertEquals(await pathKind(join(folder, "none")), "nothing");
    assertEquals(await pathKind(join(path, "below a file")), "nothing");
    assert(await exists(path) && await isFile(path) && !await isFolder(path));
    if (Deno.build.os === "linux") assertEquals(await pathKind("/dev/null"), "other");
  }));

/** A superuser enters every folder, unless these rights are taken from him. */
const WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];

async function prefixForClosedDoors(): Promise<string[] | undefined> {
  if (Deno.build.os === "windows") return undefined;
  if (Deno.uid() !== 0) return [];
  const [program, ...args] = WITHOUT_RIGHTS;
  const tried = new Deno.Command(program!, { args: [...args, "true"], stderr: "null" }).output();
  return await tried.then(({ success }) => success, () => false) ? WITHOUT_RIGHTS : undefined;
}

const prefix = await prefixForClosedDoors();
if (prefix === undefined) console.log("closed paths are not tested: no way to be refused one here");

Deno.test({
  name: "every look at a path says where permission is lacking",
  ignore: prefix === undefined,
  fn: () =>
    withFolder(async (folder) => {
      const closed = join(folder, "closed");
      const file = join(folder, "file");
      const folders = ["unlisted", join("results", "runs", "run")].map((name) =>
        join(folder, name)
      );
      for (const path of [join(closed, "inner"), ...folders]) {
        await Deno.mkdir(path, { recursive: true });
      }
      await Deno.writeTextFile(file, "x");
      for (const path of [closed, file, ...folders]) await Deno.chmod(path, 0);
      try {
        const root = repositoryRoot();
        const command = [
          ...prefix!,
          ...[Deno.execPath(), "run", "-q", "--no-check", "--allow-read", "--allow-write"],
          ...["--allow-env", "--allow-sys", "--allow-ffi", "--allow-run=git"],
          ...[`--config=${join(root, "deno.json")}`, `--lock=${join(root, "deno.lock")}`],
          ...[join(root, "tests", "closed_paths.ts"), folder],
        ];
        const { stdout } = await new Deno.Command(command[0]!, {
          args: command.slice(1),
          stderr: "inherit",
        }).output();
        const said: Record<string, string> = JSON.parse(new TextDecoder().decode(stdout));
        for (const [name, text] of Object.entries(said)) {
          assertStringIncludes(text, "ermission", `${name}: ${text}`);
          assert(/^(StudyError|UsageError|\w+(Error)): /.test(text), text);
          assert(!/os error|expected an existing|damaged|move it away|no such/.test(text), text);
        }
        assertStringIncludes(said.exists!, `may not enter ${closed}`);
        assertStringIncludes(said["--out"]!, `may not write in ${join(folder, "unlisted")})`);
        assertStringIncludes(said["--data"]!, "UsageError: --data ");
      } finally {
        for (const path of [closed, file, ...folders]) await Deno.chmod(path, 0o700);
      }
    }),
});
