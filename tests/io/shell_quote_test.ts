import { assertEquals } from "@std/assert";
import { shellQuote } from "../../io/shell_quote.ts";

Deno.test("shellQuote() leaves plain words and paths as they are, and quotes all others", () => {
  for (const plain of ["--out", "/home/x/runs-2.csv", "measured_rates=a/b.json", "1,2,3"]) {
    assertEquals(shellQuote(plain), plain);
  }
  const quoted = { "": "''", "my  runs": "'my  runs'", "it's $HOME": "'it'\\''s $HOME'" };
  for (const [arg, text] of Object.entries(quoted)) assertEquals(shellQuote(arg), text);
});

const ignore = Deno.build.os === "windows";
if (ignore) console.log("skipped: what a shell makes of shellQuote() (there is none on Windows)");

Deno.test({
  name: "shellQuote() gives what a shell reads back",
  ignore,
  fn: async () => {
    const args = ["", "a b", "it's", '"$HOME"', "`id`", "\\n", "*", "ä  ö", "~", "a\nb"];
    const script = `printf '%s\\0' ${args.map(shellQuote).join(" ")}`;
    const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
    assertEquals(new TextDecoder().decode(stdout).split("\0").slice(0, -1), args);
  },
});
