/**
 * Fetched libraries in the suite's cache: `libtensorflow/<version>-<platform>-<kind>/`.
 *
 * A folder there counts only with a manifest that names the pinned release and whose files have the
 * sizes and checksums it lists; folders are put in place by one rename, when they are complete.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { cacheDir, folderProblem } from "../../io/cache.ts";
import { StudyError } from "../../io/errors.ts";
import { isFile } from "../../io/path_kind.ts";
import { readRegularText } from "../../io/regular_file.ts";
import { unreadableReason } from "../../io/system_reason.ts";
import { damageIn, type DamageOptions } from "./library_check.ts";
import { PACKAGE_KINDS, type PackageKind, type Release } from "./releases.ts";
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

/** What the cache has of a release. */
export interface CachedLibrary {
  /** The library, if there is a sound one; wheel before archive. */
  library: LibraryLocation | undefined;
  /** What is wrong with others that are there. */
  problems: string[];
}

/** The library of a release that lies complete and unchanged in the cache. */
export async function cachedLibrary(
  cache: string,
  release: Release,
  options: Pick<DamageOptions, "live"> = {},
): Promise<CachedLibrary> {
  const problems: string[] = [];
  const problem = await folderProblem(cache);
  if (problem !== undefined) return { library: undefined, problems: [problem] };
  for (const kind of PACKAGE_KINDS) {
    const name = cacheFolderName(release, kind);
    if (name === undefined) continue;
    const folder = join(cache, name);
    const { version, members, sha256 } = release[kind]!;
    try {
      const manifest = await readLibraryManifest(folder);
      const files = members.map((member) =>
        manifest?.files?.find((file) => file.name === basename(member))
      ).filter((file) => file !== undefined);
      if (manifest?.package_sha256 !== sha256 || files.length < members.length) continue;
      if (!await haveSizes(folder, files)) continue;
      const damage = await damageIn(folder, files, options);
      if (damage === undefined) {
        const path = join(folder, basename(members[0]!));
        return { library: { path, source: "cache", version }, problems };
      }
      problems.push(`${folder} ${damage}`);
    } catch (error) {
      // What is in a foreign manifest is no matter.
      if (error instanceof TypeError) continue;
      if (error instanceof StudyError) problems.push(error.message);
      else problems.push(`${folder} cannot be read (${unreadableReason(error)})`);
    }
  }
  return { library: undefined, problems };
}

/**
 * Whether a library that could not be opened is one of the cache, and damaged.
 *
 * @param path The library's file.
 * @returns What is wrong with it; `sound` if nothing is; `undefined` if it is none of the cache.
 */
export async function damageOfCached(path: string): Promise<string | "sound" | undefined> {
  const folder = dirname(path);
  const manifest = await readLibraryManifest(folder).catch(() => undefined);
  const files = manifest?.files;
  if (!Array.isArray(files) || !files.some((file) => file?.name === basename(path))) {
    return undefined;
  }
  try {
    const damage = await damageIn(folder, files, { again: true });
    return damage === undefined ? "sound" : `${folder} ${damage}`;
  } catch (error) {
    return `${folder} cannot be read (${unreadableReason(error)})`;
  }
}

/** A thousand times what a manifest takes. */
const MOST_MANIFEST_BYTES = 1e6;

/** The manifest in a folder; `undefined` if there is none or it is half-written or foreign. */
async function readLibraryManifest(folder: string): Promise<Partial<LibraryManifest> | undefined> {
  const path = join(folder, "manifest.json");
  if (!await isFile(path)) return undefined;
  try {
    return JSON.parse(await readRegularText(path, { maxBytes: MOST_MANIFEST_BYTES })) ?? undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function haveSizes(folder: string, files: readonly UnpackedFile[]): Promise<boolean> {
  for (const { name, size } of files) {
    const path = join(folder, name);
    if (!await isFile(path) || (await Deno.stat(path)).size !== size) return false;
  }
  return true;
}
