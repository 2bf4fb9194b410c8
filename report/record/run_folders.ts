/**
 * The folders in `runs/`: those of runs, and what else has got there.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { exists } from "../../io/path_kind.ts";
import { type Manifest, readManifest } from "./run_folder.ts";

/** What {@linkcode listRunFolders} finds, by name. */
export interface RunFolders {
  /** Folders that have the name of a run. */
  runIds: string[];
  /** All others: `.ipynb_checkpoints`, `copy of x`. */
  foreign: string[];
}

/** What the folder of a removed run is called until all in it is gone. */
export function removedName(runId: string): string {
  return `.removed-${runId}`;
}

/** Whether a folder is what is left of a removed run. */
export function isRemoved(name: string): boolean {
  return /^\.removed-[A-Za-z0-9_-]+$/.test(name);
}

/** The folders in `outDir/runs/`, sorted; none if there is no such folder. Removed ones are left out. */
export async function listRunFolders(outDir: string): Promise<RunFolders> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(join(outDir, "runs"))) {
      if (isDirectory && !isRemoved(name)) names.push(name);
    }
  } catch (error) {
    const { FilesystemLoop, NotADirectory, NotFound, PermissionDenied } = Deno.errors;
    const expected = [FilesystemLoop, NotADirectory, NotFound, PermissionDenied];
    if (!expected.some((kind) => error instanceof kind)) throw error;
  }
  names.sort();
  const isRunId = (name: string) => /^[A-Za-z0-9_-]+$/.test(name);
  return { runIds: names.filter(isRunId), foreign: names.filter((name) => !isRunId(name)) };
}

/**
 * The manifest of the run that a folder is named after; `undefined` if it cannot be read or is of
 * another run, as in a copy under another name.
 */
export async function ownManifest(folder: string, runId: string): Promise<Manifest | undefined> {
  const manifest = await readManifest(folder).catch(() => undefined);
  return manifest?.run_id === runId ? manifest : undefined;
}

/**
 * Makes sure that a path is in no run's folder, however deep and by whatever links: what else is
 * written there takes the place of the run's own files, and goes with the run when it is removed.
 *
 * @param flag The flag that named it: `--out`.
 * @throws {StudyError} If it is in one.
 */
export async function refuseInsideRun(path: string, flag: string): Promise<void> {
  for (let folder = await nearestFolder(path);; folder = dirname(folder)) {
    if (await isRunFolder(folder)) {
      throw new StudyError(
        `${path} is in the folder of a run, ${folder}: choose another place with ${flag}`,
      );
    }
    if (folder === dirname(folder)) return;
  }
}

/** The path itself without links or, where it does not exist, the nearest folder above that does. */
async function nearestFolder(path: string): Promise<string> {
  const above = dirname(path);
  if (above === path) return path;
  return await Deno.realPath(path).catch(() => nearestFolder(above));
}

/** Whether a folder is a run's, damaged or not: web sites have a `manifest.json` too. */
async function isRunFolder(folder: string): Promise<boolean> {
  // What may not be looked at will not be written to either.
  if (!await exists(join(folder, "manifest.json")).catch(() => false)) return false;
  if (basename(dirname(folder)) === "runs") return true;
  return await readManifest(folder).then(() => true, () => false);
}
