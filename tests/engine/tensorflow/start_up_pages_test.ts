/** What loading libtensorflow leaves resident, and which of it may be let go of. */

import { assert, assertEquals } from "@std/assert";
import { unchangedMappings } from "../../../engine/tensorflow/start_up_pages.ts";
import { readSystemFile } from "../../../io/libc.ts";
import { testEngine } from "../engine.ts";

/** A mapping as `/proc/self/smaps` has it, shortened. */
function mapping(head: string, own: { dirty?: number; locked?: number } = {}): string {
  const { dirty = 0, locked = 0 } = own;
  return [
    head,
    "Size:                196 kB",
    "Rss:                 128 kB",
    "Shared_Dirty:          0 kB",
    `Private_Dirty:       ${dirty} kB`,
    `Anonymous:           ${dirty} kB`,
    `Locked:              ${locked} kB`,
    "VmFlags: rd mr mw me",
    "",
  ].join("\n");
}

Deno.test("unchangedMappings() finds what is as it is in the file, and nothing else", () => {
  const smaps = [
    mapping("7f0000000000-7f0000031000 r--p 00000000 fe:00 16080904    /a b/libtensorflow_cc.so.2"),
    mapping("7f0000031000-7f0000062000 r-xp 00031000 fe:00 16080904    /a b/libtensorflow_cc.so.2"),
    // Filled in by the loader, then protected.
    mapping(
      "7f0000062000-7f0000093000 r--p 00062000 fe:00 16080904    /a b/libtensorflow_cc.so.2",
      {
        dirty: 4,
      },
    ),
    mapping("7f0000093000-7f00000c4000 rw-p 00093000 fe:00 16080904    /a b/libtensorflow_cc.so.2"),
    mapping("7f00000c4000-7f00000f5000 r--s 000c4000 fe:00 16080904    /a b/libtensorflow_cc.so.2"),
    mapping(
      "7f00000f5000-7f0000126000 r--p 000f5000 fe:00 16080904    /a b/libtensorflow_cc.so.2",
      {
        locked: 4,
      },
    ),
    mapping("7f0000126000-7f0000157000 r-xp 00000000 fe:00 99    /libtensorflow/libc.so.6"),
    mapping("7f0000157000-7f0000188000 r-xp 00000000 00:00 0"),
    // A kernel that does not say what is the process's own.
    "7f0000188000-7f00001b9000 r-xp 00000000 fe:00 16080904    /a b/libtensorflow_cc.so.2\n",
  ].join("");
  const found = unchangedMappings(smaps, (file) => file.startsWith("libtensorflow"));
  assertEquals(found, [
    { start: 0x7f0000000000n, end: 0x7f0000031000n },
    { start: 0x7f0000031000n, end: 0x7f0000062000n },
  ]);
});

/** Megabytes of libtensorflow's files that are resident; `undefined` where there is no telling. */
function residentMegabytes(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const smaps = readSystemFile("/proc/self/smaps", 1 << 23) ?? "";
  const sizes = smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter((entry) => /\/libtensorflow[^/\n]*\n/.test(entry))
    .map((entry) => Number(/^Rss:\s+(\d+) kB$/m.exec(entry)?.[1]));
  return sizes.length === 0 ? undefined : sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

Deno.test("a started engine has given back what loading its library needed", async () => {
  const { tf } = await testEngine();
  const sum = tf.tidy(() => tf.ones([100]).sum().dataSync()[0]);
  assertEquals(sum, 100);
  const resident = residentMegabytes();
  if (resident === undefined) return console.log("skipped: no /proc/self/smaps");
  // Some 265 MB are, if nothing is given back.
  assert(resident < 130, `${resident} MB of the library are resident`);
});
