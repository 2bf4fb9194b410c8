/**
 * Files that look like shared libraries from outside, and packages that hold them.
 *
 * @module
 */

import { TextReader, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { packTar, type TarEntry } from "modern-tar";
import { gzipSync } from "node:zlib";

/** What to make of a library. */
export interface FakeLibraryOptions {
  os?: string;
  arch?: string;
  /** Size that its header claims, in bytes; the file has it unless `bytes` says otherwise. */
  size?: number;
  bytes?: number;
}

/** A file with the header of a shared library and zeros behind it. */
export function fakeLibrary(options: FakeLibraryOptions = {}): Uint8Array<ArrayBuffer> {
  const { os = Deno.build.os, arch = Deno.build.arch, size = 4096, bytes = size } = options;
  const file = new Uint8Array(Math.max(size, 512));
  const view = new DataView(file.buffer);
  const arm = arch === "aarch64";
  if (os === "windows") {
    view.setUint16(0, 0x4d5a);
    view.setUint32(60, 64, true);
    view.setUint32(64, 0x50450000);
    view.setUint16(68, arm ? 0xaa64 : 0x8664, true);
    view.setUint16(70, 1, true); // one section
    view.setUint16(84, 0, true); // no optional header
    view.setUint16(86, 0x2000, true); // a DLL
    view.setUint32(88 + 16, size - 512, true);
    view.setUint32(88 + 20, 512, true);
  } else if (os === "darwin") {
    view.setUint32(0, 0xfeedfacf, true);
    view.setUint32(4, arm ? 0x0100000c : 0x01000007, true);
    view.setUint32(12, 6, true); // a dynamic library
    view.setUint32(16, 1, true);
    view.setUint32(32, 0x19, true); // one segment
    view.setUint32(36, 72, true);
    view.setBigUint64(32 + 48, BigInt(size), true);
  } else {
    file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    view.setUint16(16, 3, true); // a shared object
    view.setUint16(18, arm ? 183 : 62, true);
    view.setBigUint64(32, 64n, true);
    view.setUint16(54, 56, true);
    view.setUint16(56, 1, true); // one program header
    view.setBigUint64(64 + 32, BigInt(size), true);
  }
  return file.slice(0, bytes);
}

/** A zip with these members; a text is stored as UTF-8. */
export async function zipOf(members: Record<string, Uint8Array | string>): Promise<Uint8Array> {
  const zip = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const [name, data] of Object.entries(members)) {
    await zip.add(
      name,
      typeof data === "string" ? new TextReader(data) : new Uint8ArrayReader(data),
    );
  }
  return await zip.close();
}

/** A `.tar.gz` with these members; a text is the target of a symbolic link of that name. */
export async function tarGzOf(members: Record<string, Uint8Array | string>): Promise<Uint8Array> {
  const entries = Object.entries(members).map(([name, data]): TarEntry =>
    typeof data === "string"
      ? { header: { name, size: 0, type: "symlink", linkname: data } }
      : { header: { name, size: data.length, type: "file" }, body: data }
  );
  return gzipSync(await packTar(entries));
}
