import { assertEquals, assertFalse, assertMatch } from "@std/assert";

const IO = new URL("../../io/", import.meta.url);
const ERRORS = new URL("errors.ts", IO);

/** Runs `body` as a script's main in a process of its own, which does `before` first. */
async function run(body: string, args: readonly string[] = [], before = "") {
  const code = `
    import { runScript } from ${JSON.stringify(new URL("run_script.ts", IO).href)};
    import * as errors from ${JSON.stringify(ERRORS.href)};
    ${before}
    await runScript(async () => { ${body} });
  `;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, code);
    const { code: status, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-config", path, ...args],
      env: { NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { status, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("runScript() lets a script that ends well end well", async () => {
  assertEquals(await run(`console.log("done");`), { status: 0, stdout: "done\n", stderr: "" });
});

Deno.test("runScript() prints a StudyError as one line and exits with its status", async () => {
  const cases = [["StudyError", 1], ["UsageError", 2], ["InterruptedError", 130]] as const;
  for (const [name, status] of cases) {
    assertEquals(await run(`throw new errors.${name}("what is wrong\\n  and what fixes it");`), {
      status,
      stdout: "",
      stderr: "error: what is wrong and what fixes it\n",
    });
  }
});

Deno.test("runScript() tells that Deno is too old rather than have the script fail somewhere", async () => {
  const before = `Object.assign(Deno, { version: { ...Deno.version, deno: "2.8.3" } });`;
  assertEquals(await run(`null.x;`, [], before), {
    status: 1,
    stdout: "",
    stderr: "error: This is Deno 2.8.3, and 2.9 or newer is needed: run deno upgrade, or update " +
      "Deno as it was installed\n",
  });
});

Deno.test("runScript() prints any other error as one line without a stack", async () => {
  const failed = await run(`null.x;`);
  assertEquals(failed.status, 1);
  assertMatch(
    failed.stderr,
    /^error: TypeError: Cannot read .* \(run again with --verbose for the stack\)\n$/,
  );
  const thrown = await run(`throw "text";`);
  assertEquals(thrown.status, 1);
  assertMatch(thrown.stderr, /^error: 'text' .*\n$/);
});

Deno.test("runScript() shows the stack and the cause with --verbose", async () => {
  const body = `throw new errors.StudyError("outer", { cause: new Error("inner") });`;
  const { status, stderr } = await run(body, ["--verbose"]);
  assertEquals(status, 1);
  assertMatch(stderr, /^error: outer\n/);
  assertMatch(stderr, /\n +at /);
  assertMatch(stderr, /inner/);
  assertFalse(stderr.includes("--verbose"));
});

Deno.test("runScript() ends on a rejection nobody waits for and on an error in a callback", async () => {
  const wait = `await new Promise((resolve) => setTimeout(resolve, 10_000));`;
  const rejected = await run(`Promise.reject(new errors.UsageError("stray")); ${wait}`);
  assertEquals(rejected, { status: 2, stdout: "", stderr: "error: stray\n" });
  const callback = await run(`setTimeout(() => { throw new Error("late"); }); ${wait}`);
  assertEquals(callback.status, 1);
  assertMatch(callback.stderr, /^error: Error: late \(run again .*\n$/);
});

/** A program in which `signal` is that of `interruptible()`. */
function interruptibleCode(body: string): string {
  return `
    import { interruptible } from ${JSON.stringify(new URL("run_script.ts", IO).href)};
    await interruptible(async (signal) => { ${body} });
  `;
}

/** Runs `body`, in which `signal` is that of `interruptible()`, in a process of its own. */
async function interrupt(body: string) {
  const code = interruptibleCode(body);
  const { code: status, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", code],
    env: { NO_COLOR: "1" },
  }).output();
  return { status, stdout: new TextDecoder().decode(stdout) };
}

const ignore = Deno.build.os === "windows";
if (ignore) console.log("skipped: interruptible() (no signals can be sent on Windows)");

Deno.test({
  name: "interruptible() turns Ctrl-C, SIGTERM and SIGHUP into an aborted signal",
  ignore,
  fn: async () => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      const body = `
        setTimeout(() => Deno.exit(1), 10_000);
        await new Promise((resolve) => {
          signal.addEventListener("abort", resolve);
          Deno.kill(Deno.pid, "${name}");
        });
        console.log(signal.reason.name);
        Deno.exit();`;
      assertEquals(await interrupt(body), { status: 0, stdout: "InterruptedError\n" });
    }
  },
});

Deno.test({
  name: "interruptible() ends the process at a second Ctrl-C, with status 130",
  ignore,
  fn: async () => {
    const body = `
      signal.addEventListener("abort", () =>
        setTimeout(() => Deno.kill(Deno.pid, "SIGINT"), 500));
      Deno.kill(Deno.pid, "SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      console.log("went on");`;
    assertEquals(await interrupt(body), { status: 130, stdout: "" });
  },
});

Deno.test({
  name: "interruptible() takes signals of the same moment, as npx passes them on, for one Ctrl-C",
  ignore,
  fn: async () => {
    const body = `
      signal.addEventListener("abort", () => Deno.kill(Deno.pid, "SIGINT"));
      Deno.kill(Deno.pid, "SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log("went on");`;
    assertEquals(await interrupt(body), { status: 0, stdout: "went on\n" });
  },
});

const notLinux = Deno.build.os !== "linux";
if (notLinux) console.log("skipped: interruptible() under nohup and without its task (Linux only)");

/** Runs a shell's command in which `$CODE` is the program; what it prints. */
async function shell(command: string, code: string, env: Record<string, string> = {}) {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", command],
    env: { ...env, CODE: code, DENO: Deno.execPath(), NO_COLOR: "1" },
    stdin: "null",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "interruptible() leaves SIGHUP alone where nohup has",
  ignore: notLinux,
  fn: async () => {
    const code = interruptibleCode(`
      Deno.kill(Deno.pid, "SIGHUP");
      await new Promise((resolve) => setTimeout(resolve, 300));
      console.log(signal.aborted);`);
    assertEquals(await shell('nohup "$DENO" eval --no-lock "$CODE"', code), "false\n");
  },
});

Deno.test({
  name: "interruptible() notices that its task was killed, and lets a shell end",
  ignore: notLinux,
  fn: async () => {
    const code = interruptibleCode(`
      console.log("running");
      for (let i = 0; i < 30 && !signal.aborted; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      console.log(signal.aborted);`);
    // The shell in brackets, which starts the program, ends once that runs.
    const command = 'OUT=$(mktemp); ( "$DENO" eval --no-lock "$CODE" > $OUT & ' +
      "until grep -q running $OUT; do sleep 0.1; done ); " +
      "until grep -q -e true -e false $OUT; do sleep 0.1; done; cat $OUT; rm $OUT";
    const env = { INIT_CWD: "/somewhere" };
    assertEquals(await shell(command, code, env), "running\ntrue\n");
    assertEquals(await shell(`unset INIT_CWD; ${command}`, code), "running\nfalse\n");
  },
});
