/** A disk that nothing may be written to: a mount of its own, where that is allowed. */

import { repositoryRoot } from "../../io/cache.ts";

/** Runs a shell's words with `$0` for the disk's folder, and the rest for `$@`. */
const MOUNT = ["unshare", "--map-root-user", "--mount", "sh", "-c"];
const SCRIPT = 'mount -t tmpfs -o ro tmpfs "$0" && exec "$@"';

/** Whether such a disk can be had here; says so where it cannot. */
export async function hasReadOnlyDisks(): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  const { success } = await onReadOnlyDisk(folder, ["true"]).catch(() => ({ success: false }));
  await Deno.remove(folder);
  if (!success) console.log("read-only disks are not tested: nothing may be mounted here");
  return success;
}

/** Runs a command to which `folder` is a disk that is empty and read-only. */
export async function onReadOnlyDisk(
  folder: string,
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<{ success: boolean; code: number; stdout: string; stderr: string }> {
  const [program, ...words] = MOUNT;
  const { success, code, stdout, stderr } = await new Deno.Command(program!, {
    args: [...words, SCRIPT, folder, ...command],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1", ...env },
  }).output();
  const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { success, code, stdout: out!, stderr: problem! };
}
