import { assertEquals } from "@std/assert";
import { failureReason, WriteError } from "../../io/disk_error.ts";
import { folderEntries } from "../../io/folder_size.ts";
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

Deno.test("no reason advises to give all permissions, which a task cannot be given", () => {
  const message = 'Requires all access to "/proc/x", run again with the --allow-all flag';
  const keptOut = new Deno.errors.NotCapable(message);
  assertEquals(systemReason(keptOut), "Deno lets no task in there");
  assertEquals(
    new WriteError("/proc/x", keptOut).message,
    "Cannot write /proc/x (Deno lets no task in there): make the folder writable, or choose " +
      "another one",
  );
  // Who uses the suite in a program of their own can give this one.
  const readable = 'Requires read access to "/data", run again with the --allow-read flag';
  assertEquals(failureReason(new Deno.errors.NotCapable(readable)), readable);
});

Deno.test({
  name: "folderEntries() counts what Deno keeps to itself as nothing",
  ignore: Deno.build.os !== "linux",
  fn: async () => assertEquals(await folderEntries("/proc/x"), []),
});
