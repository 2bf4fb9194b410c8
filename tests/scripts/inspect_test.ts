import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import type { StateTensor } from "../../models/checkpoint/state_dict.ts";
import { simpleCnnLayouts } from "../../models/simple_cnn.ts";
import {
  archive,
  bytes,
  dict,
  pickled,
  storage,
  tensor,
  text,
  zip,
} from "../models/checkpoint/torch_bytes.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs, TASKS } from "../task.ts";
import { noFullDisk, printToFullDisk, UNWRITTEN } from "./full_output.ts";

const scalar: StateTensor = { dtype: "float32", shape: [1], data: Float32Array.of(1) };

/** Runs the task with its own permissions. */
async function inspect(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("inspect"), ...args],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("deno task inspect may read files and do nothing else", async () => {
  const config = JSON.parse(await Deno.readTextFile(join(repositoryRoot(), "deno.json")));
  assertStringIncludes(TASKS.inspect!.command, "-P=inspect ");
  assertEquals(config.permissions.inspect, { read: true, env: ["INIT_CWD", "TERM"] });
});

Deno.test("deno task inspect follows the folder that it is started in", () =>
  withFolder({}, async (folder) => {
    await saveCheckpoint(join(folder, "mine.safetensors"), new Map([["a", scalar]]));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...taskArgs("inspect"), "mine.safetensors", "--json"],
      cwd: repositoryRoot(),
      env: { NO_COLOR: "1", INIT_CWD: folder },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const { file } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(file, join(folder, "mine.safetensors"));
  }));

Deno.test("deno task inspect says what is in a .pth and what it would fit", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "mine.pth");
    const entry = tensor(storage("FloatStorage", "0", 4), { size: [2, 2], stride: [2, 1] });
    const note = bytes("cos\nsystem\n", "(", text("touch owned"), "tR");
    const body = dict(text("net"), dict(text("\u202ew"), entry), text("note"), note);
    const values = new Uint8Array(Float32Array.of(1, NaN, 2, Infinity).buffer);
    await Deno.writeFile(path, zip(archive(pickled(body), { "0": values })));
    const { code, stdout, stderr } = await inspect(path);
    assertEquals([code, stderr], [0, ""]);
    for (
      const part of [
        '"mine.pth": a .pth of PyTorch, as a zip archive',
        'Tensors: 1 under "net", of 4 elements, 16 B',
        '"?w"  float32   [2, 2]',
        'Beside them: "note" ("os.system")',
        'ignored (nothing was executed): "os.system"',
        'infinite or NaN in "?w" (2)',
        "no   AlexNet: 14 missing (features.0.weight, features.0.bias, … 12 more); 1 not in",
      ]
    ) assertStringIncludes(stdout, part);
  }));

Deno.test("deno task inspect says that a run's checkpoint fits, its optimiser left out", () =>
  withFolder({}, async (folder) => {
    const prefixes = ["", "optimizer.exp_avg.", "optimizer.exp_avg_sq."];
    const state = [...simpleCnnLayouts(10)].flatMap(([name, { torchShape }]) =>
      prefixes.map((prefix): [string, StateTensor] => [
        prefix + name,
        { dtype: "float32", shape: [...torchShape], data: zeros(torchShape) },
      ])
    );
    const path = join(folder, "checkpoint.safetensors");
    await saveCheckpoint(path, new Map(state));
    const { code, stdout, stderr } = await inspect(path);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "yes  SimpleCNN: simpleCnn().loadStateDict(");
    assertStringIncludes(
      stdout,
      "; its optimizer.* entries belong to a training run and are ignored",
    );
  }));

Deno.test("deno task inspect fails on a checkpoint that its own checksum is not of", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    await saveCheckpoint(path, new Map([["a", scalar]]), {
      training: "{}",
      sha256: "0".repeat(64),
    });
    const { code, stdout, stderr } = await inspect(path);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(
      stderr,
      `${path}: its tensors or notes are not what its own checksum is of`,
    );
  }));

Deno.test("deno task inspect says of weights that fit why they would be refused", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "mine.safetensors");
    const state = new Map([...simpleCnnLayouts(10)].map(([name, { torchShape }]) =>
      [
        name,
        { dtype: "float32", shape: [...torchShape], data: zeros(torchShape) } as StateTensor,
      ] as const
    ));
    const use = 'yes  SimpleCNN: simpleCnn().loadStateDict(await loadCheckpoint("FILE"))';
    const wide = Float64Array.from({ length: 10 }, (_, i) => i < 3 ? 1e300 : 1);
    await saveCheckpoint(
      path,
      state.set("fc2.bias", { dtype: "float64", shape: [10], data: wide }),
    );
    const large = await inspect(path);
    assertEquals([large.code, large.stderr], [0, ""]);
    assertStringIncludes(large.stdout, 'infinite or NaN as float32 in "fc2.bias" (3)\n');
    const refused = "; but it would be refused: fc2.bias";
    assertStringIncludes(
      large.stdout,
      `${use}${refused} has values that are not finite as float32\n`,
    );
    const whole = { dtype: "int8", shape: [10], data: new Int8Array(10) } as const;
    await saveCheckpoint(path, state.set("fc2.bias", { ...whole, shape: [...whole.shape] }));
    assertStringIncludes((await inspect(path)).stdout, `${use}${refused} is of dtype int8\n`);
  }));

function zeros(shape: readonly number[]): Float32Array {
  return new Float32Array(shape.reduce((product, length) => product * length, 1));
}

Deno.test("deno task inspect --json finds the model that wrapped weights fit", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "mine.safetensors");
    const tensors = [...simpleCnnLayouts(10)].map(([name, { torchShape }]) => {
      const data = new Float32Array(torchShape.reduce((a, b) => a * b));
      const made: StateTensor = { dtype: "float32", shape: [...torchShape], data };
      return [`module.${name}`, made] as const;
    });
    await saveCheckpoint(path, new Map(tensors));
    const { code, stdout } = await inspect("--json", path);
    assertEquals(code, 0);
    const { format, models, tensors: found } = JSON.parse(stdout);
    assertEquals([format, found.length], ["safetensors", 8]);
    const fits = models.filter(({ fits }: { fits: boolean }) => fits);
    assertEquals(fits.map(({ title }: { title: string }) => title), ["SimpleCNN"]);
    assertEquals(fits[0].removed, '"module."');
  }));

Deno.test("deno task inspect ends in a line for what is no checkpoint, and for no file", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "page.pth");
    await Deno.writeTextFile(path, "<html>");
    const { code, stdout, stderr } = await inspect(path);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, `error: Cannot read checkpoint ${path}: it begins with "<html>"`);
    const none = await inspect();
    assertEquals(none.code, 2);
    assertStringIncludes(none.stderr, "Give one file to look at");
  }));

Deno.test("deno task inspect --json has names as they are, and shows nothing invisible", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "a\u200cb\u202e.safetensors");
    await saveCheckpoint(path, new Map([["n\u00adame", scalar]]));
    const { code, stdout, stderr } = await inspect(path, "--json");
    assertEquals([code, stderr], [0, ""]);
    const { file, tensors } = JSON.parse(stdout);
    assertEquals([file, tensors[0].name], [path, "n\u00adame"]);
    assertEquals(stdout.match(/\p{C}/gu), ["\n"]);
  }));

Deno.test({
  name: "deno task inspect --json fails where nothing can be printed",
  ignore: noFullDisk,
  fn: () =>
    withFolder({}, async (folder) => {
      const path = join(folder, "mine.safetensors");
      await saveCheckpoint(path, new Map([["a", scalar]]));
      const result = await printToFullDisk("inspect", [path, "--json"]);
      assertEquals(result, { code: 1, stderr: UNWRITTEN });
    }),
});
