/**
 * Fetched libraries in the suite's cache: `libtensorflow/<version>-<platform>-<kind>/`.
 *
 * A folder there counts only with a manifest that names the pinned release and whose files have the
 * sizes it lists; folders are put in place by one rename, when they are complete.
 *
 * @module
 */

import { basename, join } from "node:path";
import { cacheDir } from "../../io/cache.ts";
import type { Release } from "./releases.ts";
import type { UnpackedFile } from "../../io/unpack_archive.ts";

/** Where a library was found. */
export interface LibraryLocation {
  /** The shared library to open. */
  path: string;
  /** How it was found; `archive` and `wheel` have just been fetched. */
  source: "option" | "environment" | "cache" | "python" | "system" | "archive" | "wheel";
  /** TensorFlow's version, where it is known without opening the library. */
  version?: string;
}

/** The kinds of package a library can come from. */
export type PackageKind = "archive" | "wheel";

/** `manifest.json` of a cached library. */
export interface LibraryManifest {
  version: string;
  platform: string;
  kind: PackageKind;
  /** SHA-256 of the package the files come from. */
  package_sha256: string;
  /** The shared objects; the first is the one to open. */
  files: UnpackedFile[];
}

/** The folder of all cached libraries. */
export function libraryCache(): string {
  return join(cacheDir(), "libtensorflow");
}

/** Name of the folder of one pinned package, or undefined if the release has none of that kind. */
export function cacheFolderName(release: Release, kind: PackageKind): string | undefined {
  const pinned = release[kind];
  return pinned && `${pinned.version}-${release.platform}-${kind}`;
}

/**
 * The library of a release that lies complete in the cache, archive before wheel.
 *
 * Sizes are compared, contents are not: they were when the files were written.
 */
export async function cachedLibrary(
  cache: string,
  release: Release,
): Promise<LibraryLocation | undefined> {
  for (const kind of ["archive", "wheel"] as const) {
    const name = cacheFolderName(release, kind);
    if (name === undefined) continue;
    const folder = join(cache, name);
    const version = release[kind]!.version;
    if (await isComplete(folder, release, kind)) {
      return { path: join(folder, basename(release[kind]!.members[0]!)), source: "cache", version };
    }
  }
  return undefined;
}

async function isComplete(folder: string, release: Release, kind: PackageKind): Promise<boolean> {
  const pinned = release[kind]!;
  try {
    const text = await Deno.readTextFile(join(folder, "manifest.json"));
    const manifest = JSON.parse(text) as Partial<LibraryManifest>;
    if (manifest.package_sha256 !== pinned.sha256) return false;
    for (const member of pinned.members) {
      const name = basename(member);
      const listed = manifest.files?.find((file) => file.name === name);
      const info = await Deno.stat(join(folder, name));
      if (!info.isFile || info.size !== listed?.size) return false;
    }
    return true;
  } catch (error) {
    // No folder, no manifest, a half-written or foreign one: the same to us.
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
      error instanceof SyntaxError || error instanceof TypeError
    ) return false;
    throw error;
  }
}
