/**
 * The folders in `runs/`: those of runs, and what else has got there.
 *
 * @module
 */

import { join } from "node:path";
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
