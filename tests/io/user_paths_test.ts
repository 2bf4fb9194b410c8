import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join, resolve } from "node:path";
import { repositoryRoot, userFolder } from "../../io/cache.ts";
import { UsageError } from "../../io/errors.ts";
import { type FlagTable, parseFlags } from "../../io/parse_flags.ts";
import { formatRow, HEADER } from "../../report/record/results.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

const TABLE = {
  out: { kind: "path", default: "results", help: "where to" },
  results: { kind: "paths", help: "where from" },
  data: { kind: "choice", choices: ["mnist"], orFolder: true, default: "mnist", help: "what" },
  grep: { kind: "text", placeholder: "WORDS", help: "which" },
} as const satisfies FlagTable;

const oneRow = `${HEADER}\n${formatRow(resultRow({ epochs: 2 }))}\n`;

Deno.test("parseFlags() takes relative paths from the user's folder, defaults from the suite's", async () => {
  await withFolder({}, async (folder) => {
    await Deno.mkdir(join(folder, "digits"));
    const origins = { given: folder, defaults: resolve("/suite") };
    const read = (...argv: string[]) => parseFlags(argv, TABLE, origins);
    assertEquals(read(), {
      out: resolve("/suite/results"),
      results: undefined,
      data: "mnist",
      grep: undefined,
    });
    assertEquals(
      read("--out=mine", "--results", "../a", "--results=/b", "--data", "digits", "--grep", "../c"),
      {
        out: join(folder, "mine"),
        results: [resolve(folder, "../a"), resolve("/b")],
        data: join(folder, "digits"),
        grep: "../c",
      },
    );
    const { message } = assertThrows(() => read("--data", "letters"), UsageError);
    assertStringIncludes(
      message,
      `an existing folder; there is none at ${join(folder, "letters")}`,
    );
    await Deno.writeTextFile(join(folder, "digits.pth"), "");
    const file = assertThrows(() => read("--data", "digits.pth"), UsageError).message;
    assertStringIncludes(file, `an existing folder; ${join(folder, "digits.pth")} is a file`);
    const weights = { kind: "choice", choices: ["random"], orFile: true, help: "" } as const;
    const { message: other } = assertThrows(
      () => parseFlags(["--weights", "digits"], { weights }, origins),
      UsageError,
    );
    assertStringIncludes(other, `an existing file; ${join(folder, "digits")} is a folder`);
  });
});

/** What `userFolder()` is in a process that was started in `cwd`. */
async function userFolderIn(cwd: string, env: Record<string, string>): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { userFolder } from ${JSON.stringify(import.meta.resolve("../../io/cache.ts"))};
       console.log(userFolder());`,
    ],
    cwd,
    env: { NO_COLOR: "1", INIT_CWD: "", ...env },
  }).output();
  const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return out!.trim() || problem!;
}

Deno.test("userFolder() is INIT_CWD in the suite's folder alone", async () => {
  const root = resolve(repositoryRoot());
  await withFolder({}, async (folder) => {
    assertEquals(await userFolderIn(root, { INIT_CWD: folder }), folder);
    assertEquals(await userFolderIn(root, {}), root);
    assertEquals(await userFolderIn(root, { INIT_CWD: "relative" }), root);
    assertEquals(await userFolderIn(folder, { INIT_CWD: root }), folder);
  });
  assertEquals(typeof userFolder(), "string");
});

Deno.test("deno task compare --results follows the folder that it is started in", async () => {
  await withFolder({ "part1.csv": oneRow }, async (folder) => {
    const env = { ...Deno.env.toObject(), NO_COLOR: "1" };
    const config = join(repositoryRoot(), "deno.json");
    delete (env as Record<string, string>).INIT_CWD;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "-q", "--config", config, "compare", "--results", ".", "--out", "mine"],
      cwd: folder,
      clearEnv: true,
      env,
    }).output();
    const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0, problem);
    assertStringIncludes(out!, `Written to ${join(folder, "mine", "report.md")}\n`);
  });
});

Deno.test("a flag or word that is a name or a path is wrong where there is nothing at the path", async () => {
  await withFolder({}, async (folder) => {
    const cases = [
      ["predict", ["one.png"], ["--run", "missing.safetensors"]],
      ["predict", ["one.png"], ["--run", "runs/missing"]],
      ["export", ["--out", "x"], ["missing.safetensors"]],
      ["bench", [], ["--python", "./missing"]],
      ["bench", [], ["--python", folder]],
    ] as const;
    await Promise.all(cases.map(async ([task, others, wrong]) => {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [...taskArgs(task), ...others, ...wrong],
        cwd: repositoryRoot(),
        env: { NO_COLOR: "1", INIT_CWD: folder },
      }).output();
      const said = new TextDecoder().decode(stderr);
      assertEquals(code, 2, said);
      assertStringIncludes(said, `error: ${wrong.join(" ")}: `);
    }));
  });
});

Deno.test("deno task all hands its parts the user's own folders", async () => {
  await withFolder({}, async (folder) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...taskArgs("all"), "--data", "digits"],
      cwd: repositoryRoot(),
      env: { NO_COLOR: "1", INIT_CWD: folder },
    }).output();
    assertEquals(code, 2);
    assertStringIncludes(
      new TextDecoder().decode(stderr),
      `--data digits: expected auto, mnist, fashion or an existing folder; there is none at ${
        join(folder, "digits")
      }`,
    );
  });
});
