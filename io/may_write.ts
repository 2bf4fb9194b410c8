/**
 * Whether files could be written into a folder, as far as that can be told without writing.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { WriteError } from "./disk_error.ts";
import { AccessModes, ErrorNumbers, lastError, withLibc } from "./libc.ts";
import { PathAccessError, pathKind } from "./path_kind.ts";

const { NotADirectory, NotFound, PermissionDenied } = Deno.errors;

/**
 * Looks at a folder, or at what is nearest above one that does not exist yet. Nothing is written.
 *
 * @throws {WriteError} If files cannot be written there: something that is no folder is in the way, or
 *   this user or program may not write.
 */
export async function checkMayWrite(folder: string): Promise<void> {
  try {
    checkAccess(await nearestFolder(folder));
    await checkPermitted(join(folder, ".write-test"));
  } catch (error) {
    throw writeError(folder, error);
  }
}

/**
 * {@linkcode checkMayWrite} for a program that writes nothing itself and has no permission to: whether
 * others of this user's could.
 *
 * @returns What keeps them from it; `undefined` if nothing does.
 */
export async function writeObstacle(folder: string): Promise<WriteError | undefined> {
  try {
    checkAccess(await nearestFolder(folder));
  } catch (error) {
    return writeError(folder, error);
  }
}

function writeError(folder: string, error: unknown): WriteError {
  const isClosed = error instanceof PathAccessError;
  return new WriteError(folder, isClosed ? new PermissionDenied(error.reason) : error);
}

/** Fails where the system would let nobody, or not this user, write into a folder. */
function checkAccess(folder: string): void {
  const path = new TextEncoder().encode(`${folder}\0`);
  const failure = withLibc((libc) =>
    libc.access(path, AccessModes.WRITE) === 0 ? undefined : lastError(libc)
  );
  if (failure === undefined) return;
  if (failure === ErrorNumbers.EROFS) throw new Error("read-only file system");
  throw new PermissionDenied(`permission denied, as this user may not write in ${folder}`);
}

/** The folder at `path` or the last one above it; fails if what is there is no folder. */
async function nearestFolder(path: string): Promise<string> {
  const kind = await pathKind(path);
  if (kind === "folder") return path;
  if (kind !== "nothing") {
    throw new NotADirectory(`${path} is ${kind === "file" ? "a file" : "no folder"}`);
  }
  if (await isDeadLink(path)) throw new NotFound(`${path} is a link to nothing`);
  const parent = dirname(path);
  return parent === path ? path : await nearestFolder(parent);
}

/** Whether a link lies at a path at which there is nothing. */
async function isDeadLink(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isSymlink;
  } catch (error) {
    if (error instanceof NotFound || error instanceof NotADirectory) return false;
    throw error;
  }
}

/** Fails where Deno permits no writing, as in `/proc`: a file is opened if it is there, but not made. */
async function checkPermitted(path: string): Promise<void> {
  try {
    (await Deno.open(path, { write: true })).close();
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
}
