import { assertEquals } from "@std/assert";
import { passAbortOn, signalChild } from "../../io/child_signal.ts";

/** Signals are sent to programs of Unix. */
const ignore = Deno.build.os === "windows";

function start(program: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).spawn();
}

Deno.test({
  name: "signalChild() ends a program, and leaves one that has ended by itself",
  ignore,
  async fn() {
    const running = start("sleep", "60");
    signalChild(running, "SIGTERM");
    assertEquals((await running.status).signal, "SIGTERM");
    const ended = start("true");
    await ended.status;
    signalChild(ended, "SIGTERM");
  },
});

Deno.test({
  name: "passAbortOn() interrupts a program when aborted, not after its end or once disposed",
  ignore,
  async fn() {
    const controller = new AbortController();
    const [interrupted, left, ended] = [start("sleep", "60"), start("sleep", "60"), start("true")];
    await ended.status;
    using _passing = passAbortOn(controller.signal, interrupted);
    using _late = passAbortOn(controller.signal, ended);
    passAbortOn(controller.signal, left)[Symbol.dispose]();
    controller.abort();
    assertEquals((await interrupted.status).signal, "SIGINT");
    signalChild(left, "SIGTERM");
    assertEquals((await left.status).signal, "SIGTERM");
  },
});
