/**
 * A shared library's file seen from outside: is it one, is it whole, is it for this machine?
 *
 * The loader is not asked, because it ends the process on some truncated files.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { isFile } from "../../io/path_kind.ts";
import { isNotPermitted, unreadableReason } from "../../io/system_reason.ts";

/** What a library must be for. */
export interface Target {
  /** Operating system, as in `Deno.build.os`. */
  os: string;
  /** Processor, as in `Deno.build.arch`. */
  arch: string;
}

/** File names of the library to open, best first. */
export function libraryNames(os: string = Deno.build.os): readonly string[] {
  switch (os) {
    case "windows":
      return ["_pywrap_tensorflow_common.dll", "tensorflow.dll"];
    case "darwin":
      return ["libtensorflow_cc.2.dylib", "libtensorflow.2.dylib", "libtensorflow.dylib"];
    default:
      return ["libtensorflow_cc.so.2", "libtensorflow.so.2", "libtensorflow.so"];
  }
}

/**
 * The library to open in a folder: in the folder itself, or where an unpacked archive (`lib`) or
 * a Python package (`tensorflow`, `python`) has it.
 *
 * @returns Its path, or undefined if there is none.
 * @throws {PathAccessError} If the folder may not be entered.
 */
export async function libraryIn(
  folder: string,
  os: string = Deno.build.os,
): Promise<string | undefined> {
  for (const inner of ["", "lib", "python", "tensorflow", join("tensorflow", "python")]) {
    for (const name of libraryNames(os)) {
      const path = join(folder, inner, name);
      if (await isFile(path)) return path;
    }
  }
  return undefined;
}

/**
 * What keeps a file from being loaded as a shared library here, as the end of a sentence that
 * begins with its name; undefined if nothing was found.
 *
 * `libtensorflow_framework` beside it, which the loader opens too, is checked as well.
 */
export async function libraryProblem(
  path: string,
  target: Target = Deno.build,
): Promise<string | undefined> {
  const problem = await fileProblem(path, target);
  if (problem !== undefined) return problem;
  const companion = join(
    dirname(path),
    target.os === "darwin" ? "libtensorflow_framework.2.dylib" : "libtensorflow_framework.so.2",
  );
  if (target.os === "windows" || !await isFile(companion)) return undefined;
  const inner = await fileProblem(companion, target);
  return inner && `needs ${basename(companion)} beside it, which ${inner}`;
}

async function fileProblem(path: string, target: Target): Promise<string | undefined> {
  let head: DataView<ArrayBuffer>;
  let size: number;
  try {
    // Asked before it is opened: opening a named pipe waits for a writer.
    if (!(await Deno.stat(path)).isFile) return "is not a file";
    const file = await Deno.open(path);
    try {
      size = (await file.stat()).size;
      const bytes = new Uint8Array(Math.min(size, 1 << 16));
      let count = 0;
      while (count < bytes.length) {
        const read = await file.read(bytes.subarray(count));
        if (read === null) break;
        count += read;
      }
      head = new DataView(bytes.buffer, 0, count);
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "does not exist";
    if (isNotPermitted(error)) return `cannot be read (${unreadableReason(error)})`;
    return `cannot be read (${error instanceof Error ? error.message : error})`;
  }
  if (size === 0) return "is empty";
  const image = describe(head, target.arch);
  const format = FORMATS[target.os] ?? "ELF";
  if (image === undefined) {
    return `is not a shared library: ${format} was expected, but it ${contentHint(head)}`;
  }
  if (image.format !== format) {
    return `is a library for another system: ${image.format}, where ${format} was expected`;
  }
  if (!image.architectures.includes(target.arch)) {
    return `is built for ${
      image.architectures.join(" and ")
    }, but this program runs on ${target.arch}`;
  }
  if (!image.shared) return "is not a shared library, but another kind of object file";
  if (size < image.size) {
    return `is truncated: it has ${size} bytes, at least ${image.size} were expected`;
  }
  return undefined;
}

const FORMATS: Readonly<Record<string, string>> = { darwin: "Mach-O", windows: "PE" };

/** What a library's header says. */
interface Image {
  format: string;
  architectures: string[];
  shared: boolean;
  /** Bytes that the file must have at least. */
  size: number;
}

/** Reads the header; undefined if it is none of the three formats. */
function describe(head: DataView, arch: string): Image | undefined {
  try {
    if (head.byteLength < 4) return undefined;
    const magic = head.getUint32(0);
    if (magic === 0x7f454c46) return describeElf(head);
    if (magic === 0xcffaedfe) return describeMachO(head);
    if (magic === 0xcafebabe || magic === 0xcafebabf) return describeFat(head, arch);
    if (head.getUint16(0) === 0x4d5a) return describePe(head);
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // The header itself is cut off.
    const format = head.getUint16(0) === 0x4d5a
      ? "PE"
      : head.getUint8(0) === 0x7f
      ? "ELF"
      : "Mach-O";
    return { format, architectures: [arch], shared: true, size: head.byteLength + 1 };
  }
}

/** ELF, 64 bit little-endian; any other class counts as another processor. */
function describeElf(head: DataView): Image {
  const machines: Record<number, string> = { 3: "x86", 40: "arm", 62: "x86_64", 183: "aarch64" };
  if (head.getUint8(4) !== 2 || head.getUint8(5) !== 1) {
    const machine = head.getUint16(18, head.getUint8(5) === 1);
    const name = machines[machine] ?? `machine ${machine}`;
    return { format: "ELF", architectures: [`${name} (32 bit)`], shared: true, size: 0 };
  }
  const machine = head.getUint16(18, true);
  let size = 64;
  const end = (offset: bigint, length: bigint) => size = Math.max(size, Number(offset + length));
  const programs = head.getBigUint64(32, true);
  const sections = head.getBigUint64(40, true);
  if (sections > 0n) end(sections, BigInt(head.getUint16(58, true) * head.getUint16(60, true)));
  const [entry, count] = [head.getUint16(54, true), head.getUint16(56, true)];
  for (let i = 0; i < count; i++) {
    const at = Number(programs) + i * entry;
    end(head.getBigUint64(at + 8, true), head.getBigUint64(at + 32, true));
  }
  return {
    format: "ELF",
    architectures: [machines[machine] ?? `machine ${machine}`],
    shared: head.getUint16(16, true) === 3,
    size,
  };
}

/** Mach-O, 64 bit little-endian. */
function describeMachO(head: DataView): Image {
  let size = 32;
  let at = 32;
  for (let i = head.getUint32(16, true); i > 0; i--) {
    if (head.getUint32(at, true) === 0x19) {
      const end = head.getBigUint64(at + 40, true) + head.getBigUint64(at + 48, true);
      size = Math.max(size, Number(end));
    }
    at += head.getUint32(at + 4, true);
  }
  return {
    format: "Mach-O",
    architectures: [machProcessor(head.getUint32(4, true))],
    shared: head.getUint32(12, true) === 6,
    size,
  };
}

/** Mach-O for several processors in one file. */
function describeFat(head: DataView, arch: string): Image {
  const wide = head.getUint32(0) === 0xcafebabf;
  const architectures: string[] = [];
  let size = 0;
  for (let i = 0; i < head.getUint32(4); i++) {
    const at = 8 + i * (wide ? 32 : 20);
    const name = machProcessor(head.getUint32(at));
    architectures.push(name);
    if (name !== arch) continue;
    size = wide
      ? Number(head.getBigUint64(at + 8) + head.getBigUint64(at + 16))
      : head.getUint32(at + 8) + head.getUint32(at + 12);
  }
  return { format: "Mach-O", architectures, shared: true, size };
}

function machProcessor(type: number): string {
  if (type === 0x01000007) return "x86_64";
  return type === 0x0100000c ? "aarch64" : `processor type ${type}`;
}

/** Portable Executable, the format of Windows' DLLs. */
function describePe(head: DataView): Image | undefined {
  const at = head.getUint32(60, true);
  if (head.getUint32(at) !== 0x50450000) return undefined;
  const machine = head.getUint16(at + 4, true);
  const machines: Record<number, string> = { 0x14c: "x86", 0x8664: "x86_64", 0xaa64: "aarch64" };
  let size = 0;
  const sections = at + 24 + head.getUint16(at + 20, true);
  for (let i = 0; i < head.getUint16(at + 6, true); i++) {
    const section = sections + i * 40;
    size = Math.max(
      size,
      head.getUint32(section + 16, true) + head.getUint32(section + 20, true),
    );
  }
  return {
    format: "PE",
    architectures: [machines[machine] ?? `machine ${machine}`],
    shared: (head.getUint16(at + 22, true) & 0x2000) !== 0,
    size,
  };
}

/** What a file that is no library looks like. */
function contentHint(head: DataView<ArrayBuffer>): string {
  const start = new Uint8Array(head.buffer, head.byteOffset, Math.min(head.byteLength, 256));
  const text = String.fromCharCode(...start);
  if (/^\s*<(!doctype html|html)/i.test(text)) return "holds an HTML page";
  if (text.startsWith("\x1f\x8b")) return "is a gzip archive; unpack it first";
  if (text.startsWith("PK\x03\x04")) return "is a zip archive; unpack it first";
  // deno-lint-ignore no-control-regex
  return /[\x00-\x08\x0e-\x1f]/.test(text) ? "holds other data" : "holds text";
}
