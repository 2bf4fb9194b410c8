import { assertEquals } from "@std/assert";
import { threadScript } from "../../../engine/wasm/module.ts";

Deno.test("threadScript() is a script that Node's workers start, wherever the suite lies", async () => {
  const local = import.meta.resolve("../../../engine/wasm/module.ts");
  const thread = import.meta.resolve("../../../engine/wasm/thread.ts");
  assertEquals(threadScript(local).href, thread);
  const place = "https://jsr.io/@mnist-study/suite/0.1.0/engine/wasm/";
  const script = threadScript(`${place}module.ts`);
  assertEquals(script.protocol, "data:");
  assertEquals(await (await fetch(script)).text(), `import "${place}thread.ts"`);
});
