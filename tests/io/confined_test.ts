import { assertEquals, assertRejects } from "@std/assert";
import { confine } from "../../io/confined.ts";
import { UsageError } from "../../io/errors.ts";
import { withFolder } from "../report/result_rows.ts";

Deno.test("confine() runs a script that may write into the folders named, and do nothing else but read", () =>
  withFolder({}, (folder) =>
    withFolder({}, async (other) => {
      const url = new URL(`./confined_work.ts?write=${folder}&write=${other}`, import.meta.url);
      // What it ends with comes as it is, and so does its exit status.
      const { message } = await assertRejects(
        () => confine(url.href, { write: [folder] }),
        UsageError,
      );
      assertEquals(JSON.parse(message), {
        allowed: true,
        read: true,
        ...{ forbidden: false, above: false, run: false, ffi: false, net: false },
      });
      assertEquals([...Deno.readDirSync(other)], []);
    })));

Deno.test("confine() fails where the script cannot be loaded", async () => {
  const url = new URL("./no_such_script.ts", import.meta.url);
  await assertRejects(() => confine(url.href, { write: [] }), Error, "no_such_script.ts");
});
