/**
 * Named files taken out of a `.tar.gz`, a `.zip` or a wheel, streamed, and nothing else.
 *
 * @module
 */

import { Reader, ZipReader } from "@zip.js/zip.js";
import { createTarDecoder } from "modern-tar";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { Duplex } from "node:stream";
import { createGunzip } from "node:zlib";

/** A file that was written. */
export interface UnpackedFile {
  /** File name, without folders. */
  name: string;
  size: number;
  /** SHA-256 of the file, lower-case hexadecimal. */
  sha256: string;
}

/** Options of {@linkcode unpackMembers}. */
export interface UnpackOptions {
  /** The package: `.tar.gz` by name, anything else is read as a zip. */
  archive: string;
  /** Paths inside the package; each is stored under its last component. */
  members: readonly string[];
  /** An existing folder to write to. */
  folder: string;
  /** Called with the number of bytes written so far. */
  onProgress?: (bytes: number) => void;
}

/**
 * Writes the members of a package into a folder, in the order of `members`.
 *
 * Nothing but the named members is ever written, under names that come from `members` and not from
 * the package. In a tar, a member that is a link is replaced by the versioned file beside it that it
 * leads to.
 *
 * @throws {Error} If a member is missing or the package is damaged.
 */
export async function unpackMembers(options: UnpackOptions): Promise<UnpackedFile[]> {
  const target = new Target(options.folder, options.onProgress ?? (() => {}));
  const found = options.archive.endsWith(".tar.gz")
    ? await fromTar(options, target)
    : await fromZip(options, target);
  return options.members.map((member) => {
    const file = found.get(member);
    if (file === undefined) throw new Error(`it does not contain ${member}`);
    return { ...file, name: basename(member) };
  });
}

type Stored = Omit<UnpackedFile, "name">;

async function fromZip(options: UnpackOptions, target: Target): Promise<Map<string, Stored>> {
  const found = new Map<string, Stored>();
  const file = await Deno.open(options.archive);
  try {
    const zip = new ZipReader(new FileReader(file), { useWebWorkers: false });
    for await (const entry of zip.getEntriesGenerator()) {
      const name = entry.filename;
      if (entry.directory || !options.members.includes(name) || found.has(name)) continue;
      const sink = target.file(basename(name));
      await entry.getData(sink.writable, { checkSignature: true }).catch((error) => {
        // zip.js says no more than that the stream is closed.
        throw sink.failure() ?? error;
      });
      found.set(name, sink.stored());
    }
    await zip.close();
  } finally {
    file.close();
  }
  return found;
}

/** Random access to an open file for the zip reader. */
class FileReader extends Reader<Deno.FsFile> {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    super(file);
    this.#file = file;
  }

  override async init(): Promise<void> {
    await super.init?.();
    this.size = (await this.#file.stat()).size;
  }

  override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    await this.#file.seek(index, Deno.SeekMode.Start);
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - index)));
    let count = 0;
    while (count < bytes.length) {
      const read = await this.#file.read(bytes.subarray(count));
      if (read === null) break;
      count += read;
    }
    return bytes.subarray(0, count);
  }
}

/** The official archives hold `libx.so.2` as a link to `libx.so.2.18.0`, before or after it. */
async function fromTar(options: UnpackOptions, target: Target): Promise<Map<string, Stored>> {
  const links = new Map<string, string>();
  const files = new Map<string, Stored>();
  const archive = await Deno.open(options.archive);
  const entries = archive.readable
    .pipeThrough(gunzip())
    .pipeThrough(createTarDecoder({ strict: true }));
  for await (const { header, body } of entries) {
    const path = header.name.replace(/^\.\//, "");
    const wanted = options.members.some((member) => path === member || isVersionOf(path, member));
    if (wanted && (header.type === "symlink" || header.type === "link")) {
      const folder = path.slice(0, path.lastIndexOf("/") + 1);
      links.set(path, folder + basename(header.linkname ?? ""));
    }
    if (wanted && header.type === "file") {
      const sink = target.file(basename(path));
      await body.pipeTo(sink.writable);
      files.set(path, sink.stored());
    } else {
      // Not cancelled: modern-tar 0.8.6 then never gives the next body of some archives.
      await body.pipeTo(new WritableStream());
    }
  }
  const found = new Map<string, Stored>();
  for (const member of options.members) {
    let path = member;
    for (let steps = 0; links.has(path) && steps < 4; steps++) path = links.get(path)!;
    const stored = files.get(path);
    if (stored === undefined) continue;
    files.delete(path);
    await Deno.rename(target.path(basename(path)), target.path(basename(member)));
    found.set(member, stored);
  }
  for (const path of files.keys()) {
    const name = basename(path);
    if (!options.members.some((member) => basename(member) === name)) {
      await Deno.remove(target.path(name));
    }
  }
  return found;
}

/** `lib/libx.so.2.18.0` is a version of `lib/libx.so.2`, `libx.2.18.0.dylib` of `libx.2.dylib`. */
function isVersionOf(path: string, member: string): boolean {
  const [stem, ending] = member.endsWith(".dylib") ? [member.slice(0, -6), ".dylib"] : [member, ""];
  return path.startsWith(stem) && path.endsWith(ending) &&
    /^(\.\d+)+$/.test(path.slice(stem.length, path.length - ending.length));
}

/** Node's inflater, because it also accepts several gzip members and padding behind the last. */
function gunzip(): ReadableWritablePair<Uint8Array, Uint8Array<ArrayBuffer>> {
  return Duplex.toWeb(createGunzip()) as unknown as ReadableWritablePair<
    Uint8Array,
    Uint8Array<ArrayBuffer>
  >;
}

/** The folder written to, counting what goes there. */
class Target {
  readonly #folder: string;
  readonly #onProgress: (bytes: number) => void;
  #written = 0;

  constructor(folder: string, onProgress: (bytes: number) => void) {
    this.#folder = folder;
    this.#onProgress = onProgress;
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /**
   * A stream into a new file that is hashed on its way and lies safely on disk when closed; `failure`
   * tells why the disk did not take it.
   */
  file(
    name: string,
  ): { writable: WritableStream<Uint8Array>; stored: () => Stored; failure: () => unknown } {
    const hash = createHash("sha256");
    let size = 0;
    let file: Deno.FsFile;
    let failure: unknown;
    const writable = new WritableStream<Uint8Array>({
      start: async () => {
        file = await Deno.open(this.path(name), { write: true, createNew: true });
      },
      write: async (chunk) => {
        hash.update(chunk);
        try {
          for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
        } catch (error) {
          failure = error;
          throw error;
        }
        size += chunk.length;
        this.#onProgress(this.#written += chunk.length);
      },
      close: async () => {
        await file.syncData();
        file.close();
      },
      abort: () => file.close(),
    });
    const stored = () => ({ size, sha256: hash.digest("hex") });
    return { writable, stored, failure: () => failure };
  }
}
