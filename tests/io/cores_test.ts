import { assertEquals } from "@std/assert";
import { coresInUse, countCores } from "../../io/cores.ts";
import { runCommand } from "../../io/run_command.ts";

Deno.test("countCores() counts ranges and single cores", () => {
  const lists = ["0", "0-1", "0-2,7", "3,5-6,100-131"];
  assertEquals(lists.map(countCores), [1, 2, 4, 35]);
});

Deno.test("coresInUse() counts what the process was left, not what the machine has", async () => {
  const url = new URL("../../io/cores.ts", import.meta.url);
  const print = `import { coresInUse } from "${url}"; console.log(coresInUse());`;
  const counted = async (...before: string[]) =>
    (await runCommand([...before, Deno.execPath(), "eval", "--no-check", print]))?.stdout.trim();
  assertEquals(await counted(), `${coresInUse()}`);
  const first = await runCommand(["taskset", "-cp", `${Deno.pid}`]);
  const core = /list: (\d+)/.exec(first?.stdout ?? "")?.[1];
  if (core === undefined) return console.log("no taskset here: affinity is not tested");
  assertEquals(await counted("taskset", "-c", core), "1");
});
