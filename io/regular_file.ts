/**
 * Reads files that anything may lie in place of: only regular files are opened, so that no named pipe
 * keeps a reader waiting and no device floods it, and only up to a size.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { StudyError } from "./errors.ts";
import { formatBytes } from "./reporter.ts";
import { isNotPermitted, PERMISSION_REMEDY, systemReason } from "./system_reason.ts";

/** How much may be read. */
export interface ReadLimit {
  /** A file with more is not read. */
  maxBytes: number;
}

/** There is something at a path, but nothing that can be read as a file of the kind. */
export class UnusableFileError extends StudyError {
  override name = "UnusableFileError";

  constructor(path: string, reason: string, options?: ErrorOptions) {
    const remedy = isNotPermitted(options?.cause)
      ? PERMISSION_REMEDY
      : "move it away, or restore it from a copy";
    super(`${path} cannot be used`, { ...options, reason, remedy });
  }

  /** Why, as the end of a sentence: `a named pipe, not a regular file`. */
  override get reason(): string {
    return super.reason!;
  }
}

/** Bytes asked of the system at a time. */
const PIECE = 1 << 18;

/**
 * Makes sure that opening a path neither waits nor reaches a device.
 *
 * @throws {Deno.errors.NotFound} If there is nothing.
 * @throws {UnusableFileError} If it is no regular file.
 */
export async function requireRegularFile(path: string): Promise<Deno.FileInfo> {
  const info = await explained(path, () => Deno.stat(path));
  if (!info.isFile) {
    throw new UnusableFileError(path, `${describeKind(info)}, not a regular file`);
  }
  return info;
}

/**
 * A file piece by piece; each piece is the caller's to keep.
 *
 * @throws {Deno.errors.NotFound} If there is nothing.
 * @throws {UnusableFileError} If it is no regular file, is too large or cannot be read.
 */
export async function* readPieces(
  path: string,
  { maxBytes }: ReadLimit,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { size } = await requireRegularFile(path);
  if (size > maxBytes) throw tooLarge(path, maxBytes);
  using file = await explained(path, () => Deno.open(path));
  // What the system makes up as it is read, as in /proc, has no size beforehand.
  for (let total = 0;;) {
    const piece = new Uint8Array(PIECE);
    const count = await explained(path, () => file.read(piece));
    if (count === null) return;
    total += count;
    if (total > maxBytes) throw tooLarge(path, maxBytes);
    yield piece.subarray(0, count);
  }
}

/** A whole file's bytes; fails as {@linkcode readPieces} does. */
export async function readRegularFile(path: string, limit: ReadLimit): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(readPieces(path, limit)));
}

/** A whole file as UTF-8 text, without a byte order mark; fails as {@linkcode readPieces} does. */
export async function readRegularText(path: string, limit: ReadLimit): Promise<string> {
  return new TextDecoder().decode(await readRegularFile(path, limit));
}

/** Turns what the system says into a reason; that there is nothing stays as it is. */
async function explained<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw error;
    throw new UnusableFileError(path, `not readable: ${systemReason(error)}`, { cause: error });
  }
}

function describeKind(info: Deno.FileInfo): string {
  if (info.isDirectory) return "a folder";
  if (info.isFifo) return "a named pipe";
  if (info.isSocket) return "a socket";
  return info.isCharDevice || info.isBlockDevice ? "a device" : "something else";
}

function tooLarge(path: string, maxBytes: number): UnusableFileError {
  return new UnusableFileError(path, `larger than ${formatBytes(maxBytes)}`);
}
