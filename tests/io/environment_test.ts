import { assertEquals } from "@std/assert";
import { variableIfAllowed } from "../../io/environment.ts";
import { withoutPermissions } from "./replaced_call.ts";

Deno.test("variableIfAllowed() does not have Deno ask for a variable that may not be read", async () => {
  assertEquals(variableIfAllowed("PATH"), Deno.env.get("PATH"));
  await withoutPermissions(() => assertEquals(variableIfAllowed("PATH"), undefined));
});
