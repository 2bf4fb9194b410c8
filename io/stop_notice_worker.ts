/**
 * The worker of `stop_notice.ts`: writes the notice that it was last sent to the stream that it is
 * named after, in place of the live line, when it hears of Ctrl-C, and sets the flag that it was sent.
 *
 * @module
 */

let notice = "";
let told = false;
let heard: Int32Array | undefined;

self.addEventListener("message", (event) => {
  const { data } = event as MessageEvent<string | Int32Array>;
  if (typeof data === "string") notice = data;
  else heard = data;
});

Deno.addSignalListener("SIGINT", () => {
  if (heard !== undefined) Atomics.store(heard, 0, 1);
  if (told || notice === "") return;
  told = true;
  const stream = self.name === "stderr" ? Deno.stderr : Deno.stdout;
  stream.writeSync(new TextEncoder().encode(`\r\x1b[2K${notice}\n`));
});
