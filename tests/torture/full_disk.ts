/** Runs on a disk that is too small: a tmpfs in a mount namespace of its own, where that is allowed. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { runCommand } from "../../io/run_command.ts";
import { ENV, TASK } from "../scripts/part1_process.ts";
import type { Campaign, Work } from "./campaign.ts";
import { copyFolder, Results, SMALL_RUN } from "./small_run.ts";

/** A checkpoint takes 39 MB, and there are two while one is written. */
const MOST_KIB = 100_000;

const UNSHARE = ["unshare", "--map-root-user", "--mount", "sh", "-c"];

/** Mounts a disk of a size, fills it from a folder, runs a command and copies all of it back. */
const SCRIPT = `
mount -t tmpfs -o size="$1k" tmpfs "$2" && cp -a "$3/." "$2" || exit 99
disk=$2 copy=$3; shift 3
"$@"
code=$?
cp -a "$disk/." "$copy" || exit 98
exit $code`;

export const FULL_DISK: Campaign = {
  title: "a full disk",
  async run(work) {
    const disk = `${work.folder}/disk`;
    await Deno.mkdir(disk);
    const mounted = await runCommand([...UNSHARE, 'mount -t tmpfs tmpfs "$0"', disk]);
    if (!mounted?.success) {
      work.note = "skipped: nothing may be mounted here";
      return;
    }
    let results = await Results.begin(work);
    while (work.goesOn) {
      const isSound = await work.attempt("a small disk", () => tooSmall(work, disk, results));
      if (!isSound) results = await Results.begin(work);
    }
  },
};

/** A run on a disk with room for the results and a little more, which then goes on elsewhere. */
async function tooSmall(work: Work, disk: string, results: Results): Promise<void> {
  const base = await runCommand(["du", "-sk", results.out]);
  // Small sizes are where most is written.
  const extra = work.draw.of([100, 2_000, 45_000, MOST_KIB]);
  const size = parseInt(base!.stdout) + 64 + work.draw.below(extra);
  const copy = `${work.folder}/copy-${work.tries}`;
  await copyFolder(results.out, copy);
  const deno = [Deno.execPath(), ...TASK, ...SMALL_RUN, "--out", disk];
  const { code, stderr } = await new Deno.Command(UNSHARE[0]!, {
    args: [...UNSHARE.slice(1), SCRIPT, "sh", `${size}`, disk, copy, ...deno],
    env: ENV,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(stderr).trimEnd();
  const what = `on ${size} KiB: status ${code}, ${said}`;
  if (code === 0) assertEquals(said, "", what);
  else {
    assertEquals(code, 1, what);
    // The path, what the system said, and a remedy; no hint at a stack.
    const end = said.slice(Math.max(0, said.lastIndexOf("error: ")));
    assertMatch(end, /^error: .*(free space|room)/is, what);
    assert(end.includes(disk) && !end.includes("--verbose"), what);
  }
  await Deno.remove(results.out, { recursive: true });
  await Deno.rename(copy, results.out);
  await results.check();
  await results.resume();
}
