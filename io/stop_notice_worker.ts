/**
 * The worker of `stop_notice.ts`: writes the notice that it was last sent to the stream that it is
 * named after, in place of the live line, when it hears of Ctrl-C.
 *
 * @module
 */

let notice = "";
let told = false;

self.addEventListener("message", (event) => {
  notice = (event as MessageEvent<string>).data;
});

Deno.addSignalListener("SIGINT", () => {
  if (told || notice === "") return;
  told = true;
  const stream = self.name === "stderr" ? Deno.stderr : Deno.stdout;
  stream.writeSync(new TextEncoder().encode(`\r\x1b[2K${notice}\n`));
});
