import { assertEquals } from "@std/assert";
import { createReporter, formatBytes, pageColumns } from "../../io/reporter.ts";
import { withoutPermissions } from "./replaced_call.ts";

const REPORTER = new URL("../../io/reporter.ts", import.meta.url).href;

const ignore = Deno.build.os !== "linux";
if (ignore) console.log("skipped: a log on a full disk (Linux has /dev/full)");

/** Runs code with a full disk for its standard output. */
async function withFullDisk(code: string) {
  const { code: status, stderr } = await new Deno.Command("sh", {
    args: ["-c", '"$DENO" eval --no-lock "$CODE" > /dev/full'],
    env: { CODE: code, DENO: Deno.execPath(), NO_COLOR: "1" },
  }).output();
  return { status, stderr: new TextDecoder().decode(stderr) };
}

Deno.test({
  name: "a reporter whose log is on a full disk says so once and goes on",
  ignore,
  fn: async () => {
    const code = `
      import { createReporter } from ${JSON.stringify(REPORTER)};
      const reporter = createReporter();
      reporter.line("one");
      reporter.line("two");
      reporter.warn("three");
    `;
    const { status, stderr } = await withFullDisk(code);
    assertEquals([status, stderr], [
      0,
      "Some output is lost (No space left on device (os error 28)): work goes on without it\n" +
      "three\n",
    ]);
  },
});

/** Runs `action` with a terminal of 60 columns for standard output; what is written there. */
function onTerminal(action: () => void, term: string): string {
  const { isTerminal, writeSync } = Deno.stdout;
  const { consoleSize } = Deno;
  const before = Deno.env.get("TERM");
  let written = "";
  Object.assign(Deno, { consoleSize: () => ({ columns: 60, rows: 20 }) });
  Object.assign(Deno.stdout, {
    isTerminal: () => true,
    writeSync: (bytes: Uint8Array) => {
      written += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  });
  Deno.env.set("TERM", term);
  try {
    action();
  } finally {
    Object.assign(Deno, { consoleSize });
    Object.assign(Deno.stdout, { isTerminal, writeSync });
    if (before === undefined) Deno.env.delete("TERM");
    else Deno.env.set("TERM", before);
  }
  return written;
}

Deno.test("a reporter sends no control sequences to a terminal that is called dumb", async () => {
  const report = () => {
    const reporter = createReporter();
    reporter.live("half");
    reporter.line("done");
  };
  assertEquals(onTerminal(report, "xterm"), "\r\x1b[2Khalf\r\x1b[2Kdone\n");
  assertEquals(onTerminal(report, "dumb"), "done\n");
  let unasked = "";
  await withoutPermissions(() => void (unasked = onTerminal(report, "dumb")));
  assertEquals(unasked, onTerminal(report, "xterm"));
});

Deno.test("pageColumns() are the terminal's, at most 100", () => {
  const columns: number[] = [];
  onTerminal(() => columns.push(pageColumns()), "xterm");
  assertEquals(columns, [60]);
});

Deno.test("formatBytes() rounds, into the next unit where that is reached", () => {
  const sizes = [0, 7, 523.342342, 999, 999.7, 1000, 1234, 999_940, 999_960, 1.5e9, 2e15];
  assertEquals(sizes.map(formatBytes), [
    ...["0 B", "7 B", "523 B", "999 B", "1.0 kB", "1.0 kB", "1.2 kB", "999.9 kB", "1.0 MB"],
    ...["1.5 GB", "2000.0 TB"],
  ]);
});

Deno.test({
  name: "print() fails with a line that names standard output where that is on a full disk",
  ignore,
  fn: async () => {
    const code = `
      import { print } from ${JSON.stringify(REPORTER)};
      import { runScript } from ${JSON.stringify(new URL("run_script.ts", REPORTER).href)};
      await runScript(() => Promise.resolve(print("{}")));
    `;
    assertEquals(await withFullDisk(code), {
      status: 1,
      stderr: "error: Standard output cannot be written (no space left on device)\n",
    });
  },
});
