import { assertEquals } from "@std/assert";
import { WriteError } from "../../io/disk_error.ts";
import { systemReason } from "../../io/system_reason.ts";

Deno.test("systemReason() is short and changes no names, even of what could not be written", () => {
  const full = new Error("No space left on device (os error 28)");
  assertEquals(systemReason(full), "no space left on device");
  assertEquals(
    systemReason(new WriteError("/tmp/Site/index.html", full)),
    "no space left on device",
  );
  const denied = new Deno.errors.PermissionDenied("Permission denied (os error 13): open '/A'");
  assertEquals(systemReason(new WriteError("/A", denied)), "permission denied");
  assertEquals(systemReason(new Error("Vega knows no mark Bar")), "vega knows no mark Bar");
});
