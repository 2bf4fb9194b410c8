import { assertEquals } from "@std/assert";
import { failureLine, failureLines, StudyError, UsageError } from "../../io/errors.ts";

const LONG = new StudyError("libtensorflow could not be found or fetched", {
  reason: "storage.googleapis.com cannot be reached; pip was not found",
  details: ["https://storage.googleapis.com/x: connection refused.", "python3: not found"],
  remedy: "check the network connection, or set LIBTENSORFLOW_PATH to a library that you have",
});

Deno.test("a StudyError's message has all of it on one line", () => {
  assertEquals(
    LONG.message,
    "libtensorflow could not be found or fetched: " +
      "https://storage.googleapis.com/x: connection refused.; python3: not found. " +
      "Check the network connection, or set LIBTENSORFLOW_PATH to a library that you have.",
  );
  const { message, remedy, details } = new UsageError("--seed needs a value");
  assertEquals([message, remedy, details], ["--seed needs a value", undefined, []]);
});

Deno.test("failureLines() has a line on what happened and one on what to do", () => {
  assertEquals(failureLines(LONG, { prefix: "error: " }), [
    "error: libtensorflow could not be found or fetched (storage.googleapis.com cannot be reached; " +
    "pip was not found)",
    "Check the network connection, or set LIBTENSORFLOW_PATH to a library that you have " +
    "(--verbose shows what was tried)",
  ]);
});

Deno.test("failureLines() with verbose has a line for each attempt, and no hint", () => {
  const [, remedy, ...more] = failureLines(LONG, { verbose: true });
  assertEquals(
    remedy,
    "Check the network connection, or set LIBTENSORFLOW_PATH to a library that you have",
  );
  assertEquals(more, LONG.details.map((detail) => `  ${detail}`));
});

Deno.test("failureLines() is one line where that is short enough", () => {
  const short = new StudyError("No runs", { reason: "nothing ran", remedy: "run something" });
  assertEquals(failureLines(short), ["No runs (nothing ran): run something"]);
  assertEquals(failureLine(short), "No runs (nothing ran): run something");
  assertEquals(short.message, failureLine(short));
});

Deno.test("failureLines() takes the last sentence of a long message for what to do", () => {
  const what = `No GPU: libtensorflow 2.21.0 at /${"a".repeat(120)} sees only the CPU`;
  const remedy = "Install a build with CUDA (pip install 'tensorflow[and-cuda]') and its driver.";
  assertEquals(failureLines(new StudyError(`${what}. ${remedy}`)), [what, remedy]);
  assertEquals(failureLines(new StudyError(`No GPU. ${remedy}`)), [`No GPU. ${remedy}`]);
  assertEquals(failureLines(new StudyError("a".repeat(300))).length, 1);
});
