import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import type { LibraryLocation } from "../../../engine/library/library_cache.ts";
import { processorProblem } from "../../../engine/tensorflow/avx_support.ts";
import { threadCount } from "../../../engine/tensorflow/threads.ts";
import { repositoryRoot } from "../../../io/cache.ts";
import { StudyError } from "../../../io/errors.ts";
import { taskArgs } from "../../task.ts";

const NO_AVX = { arch: "x86_64", cpuinfo: "processor\t: 0\nflags\t\t: fpu sse4_2 avxx xavx\n" };
const AVX = { ...NO_AVX, cpuinfo: NO_AVX.cpuinfo.replace("avxx", "avx f16c") };

Deno.test("processorProblem() refuses TensorFlow's own builds where there is no AVX", () => {
  const fetched: LibraryLocation = { path: "/cache/x.so", source: "cache" };
  const problem = processorProblem(fetched, NO_AVX);
  assert(problem?.fatal);
  for (const part of ["no AVX", "LIBTENSORFLOW_PATH"]) assertStringIncludes(problem.text, part);
  assertEquals(processorProblem(fetched, AVX), undefined);
  assertEquals(processorProblem(fetched, { ...NO_AVX, arch: "aarch64" }), undefined);
  assertEquals(processorProblem(fetched, { ...NO_AVX, cpuinfo: undefined }), undefined);
});

Deno.test("processorProblem() warns of a library of one's own, which may need no AVX", () => {
  const own: LibraryLocation = { path: "/opt/x.so", source: "environment" };
  const problem = processorProblem(own, NO_AVX);
  assertEquals(problem?.fatal, false);
  assertStringIncludes(problem!.text, own.path);
});

Deno.test("threadCount() takes what is asked for, else TensorFlow's variable", () => {
  const variables = (values: Record<string, string>) => (name: string) => values[name];
  const intra = (value: string) => variables({ TF_NUM_INTRAOP_THREADS: value });
  assertEquals(threadCount(3, variables({})), 3);
  assertEquals(threadCount(3, intra("5")), 3);
  assertEquals(threadCount(undefined, intra("5")), 5);
  const usual = threadCount(undefined, variables({}));
  for (const same of ["", "0"]) assertEquals(threadCount(undefined, intra(same)), usual);
  for (const bad of ["-5", "100000", "abc", "1.5", "0x2", "1e9", "1025"]) {
    for (const name of ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]) {
      const { message } = assertThrows(
        () => threadCount(undefined, variables({ [name]: bad })),
        StudyError,
      );
      for (const part of [name, bad, "1 to 1024", "unset"]) assertStringIncludes(message, part);
    }
  }
  for (const bad of [0, -1, 1.5, 1025, NaN]) {
    assertThrows(() => threadCount(bad, variables({})), RangeError, "1 to 1024");
  }
});

async function part1(args: string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("part1"), ...args, "--limit=1", "--test-limit=1", "--epochs=1"],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("part1 refuses a variable that TensorFlow would choke on, and records --threads", async () => {
  const out = await Deno.makeTempDir();
  try {
    for (const value of ["-5", "100000"]) {
      const refused = await part1(["--out", out], { TF_NUM_INTRAOP_THREADS: value });
      assertEquals(refused.code, 1);
      assertStringIncludes(refused.stderr, `error: TF_NUM_INTRAOP_THREADS is "${value}"`);
    }
    const { code, stderr } = await part1(["--out", out, "--threads=1"], {});
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    for await (const { name } of Deno.readDir(join(out, "runs"))) {
      const text = await Deno.readTextFile(join(out, "runs", name, "manifest.json"));
      assertEquals(JSON.parse(text).machine.threads, 1);
    }
    const wrong = await part1(["--threads=0"], {});
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.stderr, "--threads 0: expected a whole number from 1 to 1024");
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test({
  name: "TensorFlow convolves with oneDNN on every x86-64, unless the user says otherwise",
  ignore: Deno.build.arch !== "x86_64" || Deno.build.os !== "linux",
  async fn() {
    const out = await Deno.makeTempDir();
    const isConvolution = (line: string) => /^onednn_verbose,.*,convolution,/.test(line);
    const convolves = async (env: Record<string, string>) => {
      const { stdout } = await part1(["--device=cpu", "--out", out], {
        ONEDNN_VERBOSE: "1",
        ...env,
      });
      return stdout.split("\n").some(isConvolution);
    };
    try {
      assert(await convolves({}));
      assert(!await convolves({ TF_ENABLE_ONEDNN_OPTS: "0" }));
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});
