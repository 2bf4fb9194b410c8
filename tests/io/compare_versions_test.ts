import { assert, assertEquals } from "@std/assert";
import { compareVersions } from "../../io/compare_versions.ts";

Deno.test("compareVersions() compares by number", () => {
  assert(compareVersions("2.9", "2.10") < 0);
  assert(compareVersions("2.27", "2.17") > 0);
  assertEquals(compareVersions("2.27", "2.27.0"), 0);
  assertEquals(compareVersions("2.10.0rc1", "2.10"), 0);
});
