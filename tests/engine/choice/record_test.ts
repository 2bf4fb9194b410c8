/** Findings on disk: kept whole, and never an obstacle. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { FindingFile, type Findings } from "../../../engine/choice/record.ts";
import { withFolder } from "../../report/result_rows.ts";

const FINDINGS: Findings = {
  noHardware: { key: { os: "linux", traces: "" }, at: "2026-01-31T10:00:00.000Z" },
  timings: [{
    key: { adapter: "L4", cores: 2 },
    tensorflow: 0.3,
    webgpu: 0.1,
    at: "2026-01-31T10:00:00.000Z",
  }],
};

Deno.test("FindingFile gives back what it was given, in a folder that it makes", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "cache", "backends.json");
    assertEquals(await new FindingFile(path).read(), { timings: [] });
    await new FindingFile(path).write(FINDINGS);
    assertEquals(await new FindingFile(path).read(), FINDINGS);
    assertEquals(Array.from(Deno.readDirSync(join(folder, "cache")), ({ name }) => name), [
      "backends.json",
    ]);
  }));

Deno.test("FindingFile takes nothing from a file that is damaged, foreign or of another version", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "backends.json");
    const timing = FINDINGS.timings[0]!;
    const whole = { version: 1, timings: [timing] };
    const wrong = [
      '{"version":1,"timings":[',
      "null",
      "[]",
      '"text"',
      JSON.stringify({ ...whole, version: 2 }),
      JSON.stringify({ version: 1, timings: {} }),
      ...[
        { ...timing, webgpu: -1 },
        { ...timing, webgpu: null },
        { ...timing, tensorflow: "0.3" },
        { ...timing, at: "yesterday" },
        { ...timing, key: ["L4"] },
        { ...timing, key: { adapter: { name: "L4" } } },
        null,
      ].map((timing) => JSON.stringify({ version: 1, timings: [timing] })),
      ...[{ ...FINDINGS.noHardware, at: 3 }, { at: timing.at }, [], null].map((noHardware) =>
        JSON.stringify({ version: 1, timings: [], noHardware })
      ),
    ];
    for (const text of wrong) {
      await Deno.writeTextFile(path, text);
      assertEquals(await new FindingFile(path).read(), { timings: [] }, text);
    }
    await Deno.writeTextFile(path, JSON.stringify(whole));
    assertEquals((await new FindingFile(path).read()).timings, [timing]);
  }));

Deno.test("FindingFile does without a folder that takes no files", () =>
  withFolder({}, async (folder) => {
    await Deno.writeTextFile(join(folder, "file"), "in the way");
    const path = join(folder, "file", "backends.json");
    await new FindingFile(path).write(FINDINGS);
    assertEquals(await new FindingFile(path).read(), { timings: [] });
  }));

Deno.test("FindingFile asks for no permission that it does not have", () =>
  withFolder({}, async (folder) => {
    const module = new URL("../../../engine/choice/record.ts", import.meta.url).href;
    const path = join(folder, "backends.json");
    const code = `import { FindingFile } from ${JSON.stringify(module)};
      await new FindingFile(Deno.args[0]).write({ timings: [] });
      console.log((await new FindingFile(Deno.args[0]).read()).timings.length);`;
    await Deno.writeTextFile(join(folder, "main.ts"), code);
    const { code: status, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "--no-config", "--no-prompt", join(folder, "main.ts"), path],
      env: { NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals([status, text(stdout), text(stderr)], [0, "0\n", ""]);
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["main.ts"]);
  }));
