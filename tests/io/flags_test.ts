import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { UsageError } from "../../io/errors.ts";
import { part1Command, PART_2, PART_4, runFlags, seedList } from "../../experiment/flags.ts";
import { helpText, readWords } from "../../io/help_text.ts";
import { type FlagTable, parseFlags } from "../../io/parse_flags.ts";
import { RECIPES } from "../../study.ts";
import { withFolder } from "../report/result_rows.ts";

const TABLE = runFlags({ epochs: 10, batchSize: 128, learningRate: 0.001 });

/** The one line of a wrong command line. */
function usageError(...argv: string[]): string {
  const { message } = assertThrows(() => parseFlags(argv, TABLE), UsageError);
  assert(!message.includes("\n"), message);
  return message;
}

Deno.test("parseFlags() gives part 1's defaults", () => {
  assertEquals<unknown>(parseFlags([], TABLE), {
    seed: 1,
    seeds: undefined,
    runs: 1,
    epochs: 10,
    batchSize: 128,
    evalEvery: undefined,
    lr: 0.001,
    data: "auto",
    limit: undefined,
    testLimit: undefined,
    threads: undefined,
    backend: "auto",
    device: "auto",
    libtensorflow: undefined,
    out: "results",
    precision: undefined,
    resume: false,
    tensorboard: false,
    strict: false,
    quiet: false,
    json: false,
    verbose: false,
    help: false,
  });
});

Deno.test("the help of a part says of --strict what it does there", () => {
  const lineOf = (options: Parameters<typeof helpText>[0]) =>
    helpText(options).replace(/\s+/g, " ").match(/--strict (.*?) -/)![1]!;
  for (const part of [PART_2, PART_4]) {
    assertEquals(lineOf(part), "fail rather than use substitute weights");
  }
  assertMatch(lineOf(part1Command("published")), /^changes nothing here/);
});

Deno.test("parseFlags() reads every kind of flag, with = or a space", () => {
  const flags = parseFlags([
    "--epochs=3",
    "--batch-size",
    "32",
    "--lr",
    "5e-4",
    "--seeds",
    "1,2, 3",
    "--backend=tensorflow",
    "--device",
    "cpu",
    "--libtensorflow",
    "/opt/007",
    "--out",
    "1",
    "--quiet",
    "--json",
    "--resume=false",
  ], TABLE);
  const epochs: number = flags.epochs;
  const seeds: number[] | undefined = flags.seeds;
  const backend: "auto" | "tensorflow" | "webgpu" | "wasm" = flags.backend;
  const path: string | undefined = flags.libtensorflow;
  const quiet: boolean = flags.quiet;
  assertEquals([epochs, flags.batchSize, flags.lr, seeds], [3, 32, 0.0005, [1, 2, 3]]);
  assertEquals([backend, flags.device, path, flags.out], ["tensorflow", "cpu", "/opt/007", "1"]);
  assertEquals([quiet, flags.json, flags.resume, flags.strict], [true, true, false, false]);
});

Deno.test("parseFlags() understands -h", () => {
  assert(parseFlags(["-h"], TABLE).help);
  assert(parseFlags(["--help"], TABLE).help);
});

Deno.test("parseFlags() takes extended tables", () => {
  const table = {
    ...TABLE,
    weights: { kind: "path", default: "pretrained", help: "where from" },
  } as const satisfies FlagTable;
  assertEquals(parseFlags([], table).weights, "pretrained");
  assertEquals(parseFlags(["--weights", "a.pth"], table).weights, "a.pth");
});

Deno.test("parseFlags() names a bad value and what is expected", () => {
  for (const value of ["0", "1.5", "ten", "-1", "1e3", "1001", " "]) {
    const expected = `--epochs ${value}: expected a whole number from 1 to 1000`;
    assertEquals(usageError("--epochs", value), expected);
    assertEquals(usageError(`--epochs=${value}`), expected);
  }
  for (const value of ["nan", "0", "-0.1", "1e999", "Infinity", "0x1", "1,5"]) {
    assertEquals(usageError("--lr", value), `--lr ${value}: expected a number above 0`);
  }
  assertEquals(
    usageError("--batch-size", "ten"),
    "--batch-size ten: expected a whole number from 1 to 60000",
  );
  assertEquals(
    usageError("--seed", "-1"),
    "--seed -1: expected a whole number from 0 to 2000000000",
  );
  assertEquals(usageError("--limit", "0"), "--limit 0: expected a whole number of at least 1");
  assertEquals(
    usageError("--backend", "cuda"),
    "--backend cuda: expected auto, tensorflow, webgpu or wasm",
  );
  assertEquals(
    usageError("--device", "gpuu"),
    "--device gpuu: expected auto, cpu, gpu or software; did you mean gpu?",
  );
  assertStringIncludes(
    usageError("--seeds", "1,1"),
    "--seeds 1,1: expected different whole numbers",
  );
  assertStringIncludes(usageError("--seeds", "1,,2"), "--seeds 1,,2: expected");
  assertEquals(
    usageError("--quiet=maybe"),
    "--quiet takes no value, so --quiet=maybe is not understood",
  );
});

Deno.test("parseFlags() names a flag whose value is missing", () => {
  const expected = "--epochs needs a value: a whole number from 1 to 1000";
  assertEquals(usageError("--epochs"), expected);
  assertEquals(usageError("--epochs="), expected);
  assertEquals(usageError("--epochs", "--quiet"), expected);
  assertEquals(usageError("--out="), "--out needs a value: a folder");
  assertEquals(usageError("--libtensorflow="), "--libtensorflow needs a value: a path");
});

Deno.test("parseFlags() takes no file's name for a folder's, unless there is such a folder", () =>
  withFolder({ "part1.csv": "" }, async (given) => {
    const table = {
      out: { kind: "path", folder: true, help: "" },
      to: { kind: "path", folder: true, orEnding: ".safetensors", help: "" },
      from: { kind: "path", help: "" },
    } as const satisfies FlagTable;
    const read = (...argv: string[]) => parseFlags(argv, table, { given, defaults: given });
    const refused = (...argv: string[]) => assertThrows(() => read(...argv), UsageError).message;
    for (const name of ["part1.csv", "new.csv", "new.CSV"]) {
      assertEquals(
        refused("--out", name),
        `--out ${name}: expected a folder, and ${name.slice(-4)} is the ending of a file`,
      );
    }
    assertEquals(
      refused("--to=x.pth"),
      "--to x.pth: expected a .safetensors file or a folder, and .pth is the ending of a file",
    );
    assertEquals(read("--to=x.safetensors").to, join(given, "x.safetensors"));
    assertEquals(read("--from=new.csv").from, join(given, "new.csv"));
    for (const name of ["2026.11.27", "v1.2", ".hidden"]) {
      assertEquals(read("--out", name).out, join(given, name));
    }
    await Deno.mkdir(join(given, "new.csv"));
    assertEquals(read("--out=new.csv").out, join(given, "new.csv"));
  }));

Deno.test("parseFlags() names an unknown flag, the nearest one and all there are", () => {
  const message = usageError("--epoch", "3");
  assertStringIncludes(message, "Unknown flag --epoch; did you mean --epochs?");
  for (const name of ["--seed", "--batch-size", "--test-limit", "--help"]) {
    assertStringIncludes(message, name);
  }
  assertStringIncludes(usageError("--frobnicate=1"), "Unknown flag --frobnicate. There are --seed");
  assertStringIncludes(usageError("--batchSize", "3"), "did you mean --batch-size?");
  assertStringIncludes(usageError("--toString"), "Unknown flag --toString");
  assertStringIncludes(usageError("-e", "3"), "Unknown flag -e");
});

Deno.test("parseFlags() refuses a flag without the one that it needs, and switches beside their rivals", () => {
  const table = {
    train: { kind: "boolean", help: "" },
    epochs: { kind: "integer", min: 1, default: 3, needs: "train", help: "" },
    render: { kind: "boolean", excludes: ["train", "epochs"], help: "" },
    trace: { kind: "boolean", needs: "render", help: "" },
  } as const satisfies FlagTable;
  const refusal = (...argv: string[]) =>
    assertThrows(() => parseFlags(argv, table), UsageError).message;
  const none = { train: false, epochs: 3, render: false, trace: false };
  assertEquals<unknown>(parseFlags(["--trace=false"], table), none);
  assertEquals<unknown>(parseFlags(["--train", "--epochs=5"], table), {
    ...none,
    train: true,
    epochs: 5,
  });
  for (const argv of [["--epochs=5"], ["--epochs", "3", "--train=false"]]) {
    assertEquals(refusal(...argv), "--epochs needs --train; give both or neither");
  }
  assertEquals(refusal("--trace"), "--trace needs --render; give both or neither");
  const both = (other: string) => `--render and ${other} exclude each other; give one`;
  assertEquals(refusal("--render", "--train"), both("--train"));
  assertEquals(refusal("--train", "--render", "--epochs=5"), both("--train"));
  assertEquals<unknown>(parseFlags(["--render", "--train=false"], table), {
    ...none,
    render: true,
  });
});

Deno.test("parseFlags() refuses arguments, repeated flags and flags that exclude each other", () => {
  assertEquals(usageError("mnist"), '"mnist" belongs to no flag; see --help for what there is');
  assertStringIncludes(usageError("--quiet", "yes"), '"yes" belongs to no flag');
  assertStringIncludes(usageError("--", "5"), '"5" belongs to no flag');
  assertEquals(usageError("--seed", "1", "--seed=1"), "--seed is given twice; give it once");
  assertEquals(usageError("--quiet", "--quiet"), "--quiet is given twice; give it once");
  assertEquals(
    usageError("--seeds", "1,2", "--seed", "1"),
    "--seeds and --seed exclude each other; give one",
  );
  assertEquals(
    usageError("--runs=2", "--seeds", "1,2"),
    "--seeds and --runs exclude each other; give one",
  );
});

Deno.test("parseFlags() takes a known set or an existing folder as --data", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assertEquals(parseFlags(["--data", "fashion"], TABLE).data, "fashion");
    assertEquals(parseFlags(["--data", folder], TABLE).data, folder);
    await Deno.writeTextFile(`${folder}/file`, "");
    for (const value of [`${folder}/none`, `${folder}/file`]) {
      assertEquals(
        usageError("--data", value),
        `--data ${value}: expected auto, mnist, fashion or an existing folder`,
      );
    }
    assertStringIncludes(usageError("--data", "minst"), "did you mean mnist?");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("seedList() counts up from --seed or takes --seeds", () => {
  assertEquals(seedList(parseFlags([], TABLE)), [1]);
  assertEquals(seedList(parseFlags(["--seed", "7", "--runs", "3"], TABLE)), [7, 8, 9]);
  assertEquals(seedList(parseFlags(["--seeds", "5,1"], TABLE)), [5, 1]);
});

Deno.test("helpText() aligns every flag with its default within 100 columns", () => {
  const lines = helpText({
    usage: "deno task part1 [flags]",
    description: "Trains SimpleCNN.",
    table: TABLE,
    examples: ["deno task part1 --epochs 1"],
  }).split("\n");
  assertEquals(lines.slice(0, 5), [
    "Trains SimpleCNN.",
    "",
    "Usage: deno task part1 [flags]",
    "",
    "Flags:",
  ]);
  assertEquals(lines.at(-1), "  deno task part1 --epochs 1");
  assert(lines.every((line) => line.length <= 100));
  const page = lines.join("\n");
  assertStringIncludes(page, "[default: auto]");
  assertStringIncludes(page, "--data auto|mnist|fashion|DIR          the images");
  assertStringIncludes(page, "--backend auto|tensorflow|webgpu|wasm  what");
  const rows = lines.filter((line) => line.startsWith("  --"));
  assertEquals(rows.length, Object.keys(TABLE).length);
  const column = page.split("\n").find((line) => line.startsWith("  --data"))?.indexOf(
    "the images",
  );
  for (const row of rows) {
    assert(/^\S/.test(row.slice(column)) && row[(column ?? 0) - 1] === " ", row);
  }
});

Deno.test("part 1's help says the defaults of every recipe, those of the one that is asked for first", () => {
  const { published, fast, accurate } = RECIPES;
  const page = helpText(part1Command("published")).replace(/\s+/g, " ");
  for (const key of ["epochs", "learningRate"] as const) {
    const [a, b, c] = [published, fast, accurate].map(({ training }) => training[key]);
    assertStringIncludes(page, `[default: ${a}; fast ${b}, accurate ${c}]`);
    const other = helpText(part1Command("fast")).replace(/\s+/g, " ");
    assertStringIncludes(other, `[default: ${b}; published ${a}, accurate ${c}]`);
  }
  assertStringIncludes(page, `step [default: ${published.training.batchSize}]`);
  assertStringIncludes(page, "[default: fp32; fast bf16 or fp32, accurate bf16 or fp32]");
});

Deno.test("readWords() refuses an empty word, which would name the folder that the user is in", () => {
  const options = {
    description: "",
    table: { all: { kind: "boolean", help: "" } },
    examples: [],
  } as const;
  const files = { ...options, usage: "deno task inspect FILE [flags]" };
  assertEquals(readWords(files, ["a", "--all", " "])?.words, ["a", " "]);
  for (const argv of [[""], ["a", ""], ["--all", "", "b"], ["--", ""]]) {
    const { message } = assertThrows(() => readWords(files, argv), UsageError);
    assertEquals(message, `The name of a file is empty: ${files.usage}; see --help`);
  }
});

Deno.test("parseFlags() gathers the paths of a flag that takes several", () => {
  const table = { results: { kind: "paths", help: "folders" } } as const satisfies FlagTable;
  assertEquals(parseFlags([], table), { results: undefined });
  const { results } = parseFlags(["--results", "a,b", "--results=c d"], table);
  assertEquals(results, ["a,b", "c d"]);
  assertThrows(() => parseFlags(["--results="], table), UsageError, "--results needs a value");
});

Deno.test("parseFlags() refuses a path at which there is not what is read, but takes any default", async () => {
  const folder = await Deno.makeTempDir();
  const [file, none] = [`${folder}/file`, `${folder}/none`];
  await Deno.writeTextFile(file, "");
  const flag = { kind: "path", default: none, help: "to read" } as const;
  const table = {
    folder: { ...flag, existing: "folder" },
    file: { ...flag, existing: "file" },
    either: { ...flag, existing: "file or folder" },
    several: { kind: "paths", existing: "folder", default: [none], help: "folders" },
    out: flag,
  } as const satisfies FlagTable;
  const origins = { given: folder, defaults: folder };
  const read = (...argv: string[]) => parseFlags(argv, table, origins);
  try {
    assertEquals(read(), { folder: none, file: none, either: none, several: [none], out: none });
    const good = ["--folder=.", "--file=file", "--either=file", "--several=.", "--out=none"];
    assertEquals(read(...good), {
      ...{ folder, file, either: file, several: [folder], out: none },
    });
    const there = `there is none at ${none}`;
    for (
      const [arg, told] of [
        ["--folder=none", `--folder ${none}: expected an existing folder; ${there}`],
        ["--folder=file", `--folder ${file}: expected an existing folder; ${file} is a file`],
        ["--file=.", `--file ${folder}: expected an existing file; ${folder} is a folder`],
        ["--either=none", `--either ${none}: expected an existing file or folder; ${there}`],
        ["--several=none", `--several ${none}: expected an existing folder; ${there}`],
      ]
    ) {
      assertEquals(assertThrows(() => read(arg!), UsageError).message, told);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
