/** `deno task draw` from its command line. */

import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { exists } from "../../io/path_kind.ts";
import { draw, startDrawing } from "../draw/drawn_page.ts";
import { withFolder } from "../report/result_rows.ts";
import { filesIn } from "./files_in.ts";
import { part1, rowsOf, stoppedWhileLoading, TINY } from "./part1_process.ts";

/** Makes sure of a failure told in one line. */
async function assertFails(args: readonly string[], code: number, line: RegExp): Promise<void> {
  const ended = await draw(args).end();
  assertMatch(ended.stderr, line);
  assertEquals(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
  assertFalse(ended.stderr.includes("run again with --verbose"), ended.stderr);
  assertEquals(ended.code, code);
}

Deno.test("deno task draw refuses what it does not understand", async () => {
  await assertFails(["--host", "example.org"], 2, /--host example\.org: expected 127\.0\.0\.1/);
  await assertFails(["--static", "x", "--no-open"], 2, /--static and --no-open exclude/);
  await assertFails(["--port", "70000"], 2, /--port 70000: expected a whole number/);
});

Deno.test("deno task draw without a trained model says how to get one", () =>
  withFolder({}, async (folder) => {
    await assertFails(["--results", folder], 1, /no trained model in .*deno task part1/);
  }));

Deno.test("deno task draw answers on this machine until Ctrl-C", () =>
  withFolder({ "no-folder": "" }, async (folder) => {
    const results = join(folder, "results");
    const { code, stderr } = await part1([...TINY, "--out", results]);
    assertEquals(code, 0, stderr);
    const { code: stopped, stdout } = await stoppedWhileLoading("draw", [
      ...["--results", results, "--port=0", "--no-open"],
    ]);
    assertEquals([stopped, stdout], [130, "Loading\n"]);
    const { program, address } = await startDrawing(results);
    assertMatch(address, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await (await fetch(address)).text();
    assertStringIncludes(page, "page.js");
    const { models } = await (await fetch(`${address}data.json`)).json();
    assertEquals(models.length, 1);
    const answer = await fetch(`${address}answer?model=${models[0].name}`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream", origin: address.slice(0, -1) },
      body: new Uint8Array(784),
    });
    const { probabilities } = await answer.json();
    assertEquals(probabilities.length, 10);

    const { port } = new URL(address);
    await assertFails(["--results", results, "--port", port], 1, /choose another with --port/);
    const noFolder = join(folder, "no-folder");
    const inTheWay = new RegExp(
      `^error: Cannot write ${
        RegExp.escape(noFolder)
      } \\(.*\\): a file or folder of that name is in ` +
        "the way: move it, or choose another folder\n$",
    );
    await assertFails(["--results", results, "--static", noFolder], 1, inTheWay);

    // Who does not finish asking is not waited for.
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const head = `POST /answer?model=${models[0].name} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n` +
      `origin: ${address.slice(0, -1)}\r\ncontent-type: application/octet-stream\r\n` +
      "content-length: 784\r\n\r\nabc";
    await connection.write(new TextEncoder().encode(head));
    await new Promise((resolve) => setTimeout(resolve, 100));
    program.kill("SIGINT");
    const start = performance.now();
    const ended = await program.end();
    assertEquals([ended.code, ended.stderr], [0, ""]);
    assert(performance.now() - start < 5000);
  }));

Deno.test("deno task draw --static writes over its own page and nothing else", () =>
  withFolder({}, async (folder) => {
    const results = join(folder, "results");
    const { code, stderr } = await part1([...TINY, "--out", results]);
    assertEquals(code, 0, stderr);
    const site = join(folder, "site");
    const args = ["--results", results, "--static", site];
    await Deno.mkdir(site);
    for (const name of ["index.html", "data.js"]) {
      const path = join(site, name);
      await Deno.writeTextFile(path, "mine");
      const line =
        `^error: ${RegExp.escape(path)} is there already and deno task draw --static did ` +
        "not write it: move it, or choose another place with --static\n$";
      await assertFails(args, 1, new RegExp(line));
      assertEquals(filesIn(site).map((path) => Deno.readTextFileSync(path)), ["mine"]);
      await Deno.remove(path);
    }
    for (const _ of ["at first", "again"]) {
      const ended = await draw(args).end();
      assertEquals([ended.code, ended.stderr], [0, ""]);
    }
    const [row] = await rowsOf(results);
    const run = join(results, "runs", row!.run_id);
    await assertFails(["--results", results, "--static", run], 1, /is in the folder of a run/);
    assertFalse(await exists(join(run, "index.html")));
  }));

Deno.test({
  name: "deno task draw opens its page in the browser",
  // Elsewhere the program that opens it is the system's own, whatever PATH says.
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFolder({}, async (folder) => {
      const results = join(folder, "results");
      const { code, stderr } = await part1([...TINY, "--out", results]);
      assertEquals(code, 0, stderr);
      const opened = join(folder, "opened");
      const program = join(folder, "xdg-open");
      await Deno.writeTextFile(program, `#!/bin/sh\necho "$1" > ${opened}\n`, { mode: 0o755 });
      const env = { PATH: `${folder}:${Deno.env.get("PATH")}` };
      const drawing = draw(["--results", results, "--port=0"], env);
      await drawing.until(/Draw at \S+/);
      const address = /Draw at (\S+)/.exec(drawing.stdout)![1]!;
      while (!await exists(opened)) await new Promise((resolve) => setTimeout(resolve, 50));
      drawing.kill("SIGINT");
      assertEquals((await drawing.end()).code, 0);
      assertEquals((await Deno.readTextFile(opened)).trim(), address);
    }),
});
