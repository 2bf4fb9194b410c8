/**
 * Files fetched over HTTP: several mirrors, resumed where they were cut off, checked before use.
 *
 * @module
 */

import { dirname } from "node:path";
import { Progress } from "./download_progress.ts";
import { StudyError } from "./errors.ts";
import { type Attempt, describeAttempts, networkReason } from "./network_reason.ts";
import { formatBytes, formatDuration, type Reporter } from "./reporter.ts";
import { sha256File } from "./sha256.ts";

/** Options of {@linkcode download}. */
export interface DownloadOptions {
  /** Addresses of the same file, tried in this order. */
  urls: readonly string[];
  /** Where the file is to be; its folder is made if missing. */
  path: string;
  /** Exact size in bytes. */
  size?: number;
  /** Expected SHA-256, hexadecimal, or how it begins. */
  sha256?: string;
  /** What the user sees it called. */
  label: string;
  reporter: Reporter;
  /** Aborts the transfer; what has arrived is kept. */
  signal?: AbortSignal | undefined;
  /**
   * Time allowed for a server's first answer, in milliseconds.
   *
   * @default {10_000}
   */
  connectTimeoutMs?: number;
  /**
   * Time allowed without a single byte, in milliseconds.
   *
   * @default {30_000}
   */
  stallTimeoutMs?: number;
}

/** What {@linkcode download} fetched. */
export interface DownloadResult {
  /** The address that delivered the file. */
  url: string;
  /** SHA-256 of the file, lower-case hexadecimal. */
  sha256: string;
  /** Size of the file in bytes. */
  bytes: number;
}

/** The server sent something else than the file that is wanted: what came is thrown away. */
class WrongFile extends Error {
  /** The same in a few words. */
  readonly brief: string;

  constructor(message: string, brief = message) {
    super(message);
    this.brief = brief;
  }
}

/**
 * Fetches a file to `path`, which appears only when complete and checked.
 *
 * What has arrived is kept in `${path}.part` when a connection breaks, and continued there, by this
 * call or a later one. A part that turns out wrong (size or SHA-256) is removed.
 *
 * @throws {StudyError} When no address delivers the file: what was tried, and why each failed.
 * @throws What `signal` was aborted with.
 */
export async function download(options: DownloadOptions): Promise<DownloadResult> {
  const { urls, path, label, reporter } = options;
  await Deno.mkdir(dirname(path), { recursive: true });
  const attempts: Attempt[] = [];
  for (const [index, url] of urls.entries()) {
    try {
      const result = await fromUrl(url, options);
      await Deno.rename(`${path}.part`, path);
      return result;
    } catch (error) {
      if (error instanceof StudyError) throw error;
      reporter.live("");
      options.signal?.throwIfAborted();
      const reason = error instanceof WrongFile ? error.brief : networkReason(error);
      attempts.push({ from: new URL(url).host, reason, detail: `${url}: ${failureText(error)}` });
      // Without a checksum, nothing would tell that two mirrors' files were mixed.
      if (options.sha256 === undefined && index < urls.length - 1) {
        await removeIfThere(`${path}.part`);
      }
      const tell = index === 0 || reporter.verbose;
      if (tell && index < urls.length - 1) {
        reporter.line(`${label}: ${describeAttempts(attempts)}; trying the next mirror`);
      }
    }
  }
  const part = await sizeOf(`${path}.part`);
  throw new StudyError(`Cannot download ${label}`, {
    reason: describeAttempts(attempts),
    details: attempts.map(({ detail }) => detail),
    remedy: "check the network connection and run again" +
      (part > 0 ? `; the ${formatBytes(part)} that arrived are kept` : ""),
  });
}

/** One mirror: goes on after a break as long as each attempt brings something. */
async function fromUrl(url: string, options: DownloadOptions): Promise<DownloadResult> {
  const part = `${options.path}.part`;
  let clean = false;
  while (true) {
    const before = await sizeOf(part);
    try {
      if (before === 0 || before !== options.size) await transfer(url, part, options);
      return { url, ...await verify(part, options) };
    } catch (error) {
      if (error instanceof StudyError) throw error;
      if (error instanceof WrongFile) {
        // Only what was put onto an older part deserves a second, fresh attempt.
        await removeIfThere(part);
        if (before === 0 || clean) throw error;
        clean = true;
      } else if (await sizeOf(part) <= before) throw error;
    }
  }
}

/** Checks the complete part. */
async function verify(
  part: string,
  options: DownloadOptions,
): Promise<Omit<DownloadResult, "url">> {
  const bytes = await sizeOf(part);
  if (options.size !== undefined && bytes !== options.size) {
    throw new WrongFile(
      `${bytes} bytes came, ${options.size} were expected`,
      `sent ${bytes} bytes, not ${options.size}`,
    );
  }
  const sha256 = await sha256File(part);
  const expected = options.sha256?.toLowerCase();
  if (expected !== undefined && !sha256.startsWith(expected)) {
    throw new WrongFile(
      `its SHA-256 is ${sha256}, ${expected} was expected`,
      "sent another file: its SHA-256 is wrong",
    );
  }
  return { sha256, bytes };
}

/** Adds to the part what is missing, or replaces it where the server cannot continue it. */
async function transfer(url: string, part: string, options: DownloadOptions): Promise<void> {
  const { size, label, reporter, connectTimeoutMs = 10_000, stallTimeoutMs = 30_000 } = options;
  const abort = new AbortController();
  const timer = new Timer(abort);
  const signals = [abort.signal, ...(options.signal === undefined ? [] : [options.signal])];
  try {
    let have = await sizeOf(part);
    if (size !== undefined && have > size) have = 0;
    timer.set(connectTimeoutMs, "no answer");
    // Encoded transfers would make lengths and ranges those of other bytes.
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (have > 0) headers.range = `bytes=${have}-`;
    const response = await fetch(url, { headers, signal: AbortSignal.any(signals) });
    if (response.status === 416 && have > 0) {
      await response.body?.cancel();
      const expected = options.sha256?.toLowerCase();
      if (expected !== undefined && (await sha256File(part)).startsWith(expected)) return;
      await Deno.remove(part);
      return await transfer(url, part, options);
    }
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
    if (response.status === 206 ? Number(range?.[1]) !== have : response.status !== 200) {
      await response.body?.cancel();
      throw new Error(
        response.status === 206
          ? "the server continued the file at a wrong place"
          : `HTTP ${response.status} ${response.statusText}`.trim(),
      );
    }
    const start = response.status === 206 ? have : 0;
    const announced = announcedSize(response, start, range?.[2]);
    const reader = (response.body ?? new Blob([]).stream()).getReader();
    try {
      timer.set(stallTimeoutMs, "the transfer stalled: no data");
      let chunk = await reader.read();
      if (start === 0 && !chunk.done && looksLikeHtml(chunk.value, response)) {
        throw new Error("an HTML page came instead of the file");
      }
      if (size !== undefined && announced !== undefined && announced !== size) {
        throw new Error(`a file of ${announced} bytes came, ${size} were expected`);
      }
      const total = size ?? announced;
      const progress = new Progress({ label, host: new URL(url).host, start, total, reporter });
      const file = await storing(part, () => openPart(part, start));
      try {
        let written = start;
        for (; !chunk.done; chunk = await reader.read()) {
          await storing(part, () => writeAll(file, chunk.value!));
          written += chunk.value.length;
          if (size !== undefined && written > size) {
            throw new WrongFile(`more than the expected ${size} bytes came`);
          }
          timer.set(stallTimeoutMs, "the transfer stalled: no data");
          progress.show(written);
        }
        if (written === 0 && size !== 0) throw new Error("an empty answer came");
        if (total !== undefined && written < total) {
          throw new Error(`the transfer ended after ${written} of ${total} bytes`);
        }
        progress.done(written);
      } finally {
        file.close();
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  } finally {
    timer.clear();
  }
}

/** The full size that the server states, if it does. */
function announcedSize(response: Response, start: number, total?: string): number | undefined {
  if (total !== undefined) return total === "*" ? undefined : Number(total);
  const length = response.headers.get("content-length");
  return length === null || response.headers.has("content-encoding")
    ? undefined
    : start + Number(length);
}

/** Whether the body is a page for people: a login page, a proxy's notice, an error page. */
function looksLikeHtml(chunk: Uint8Array, response: Response): boolean {
  const text = new TextDecoder("latin1").decode(chunk.subarray(0, 512)).replace(
    /^[\s\xef\xbb\xbf]+/,
    "",
  );
  if (/^<(!doctype html|html|head)\b/i.test(text)) return true;
  return text.startsWith("<") && /\bhtml\b/i.test(response.headers.get("content-type") ?? "");
}

/** Opens the part to be written from byte `start` on; what lies behind it is cut off. */
async function openPart(part: string, start: number): Promise<Deno.FsFile> {
  const file = await Deno.open(part, { write: true, create: true });
  await file.truncate(start);
  await file.seek(start, Deno.SeekMode.Start);
  return file;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** A full or read-only disk is no reason to try another mirror. */
async function storing<T>(part: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new StudyError(
      `Cannot write ${part}: ${failureText(error)}. Free space there or make it writable.`,
      { cause: error },
    );
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Size of a file in bytes; 0 when there is none. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** The innermost reason, in one line. */
function failureText(error: unknown): string {
  let reason = error;
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause;
  const text = reason instanceof Error ? reason.message : String(reason);
  return text.replace(/^error sending request for url \(.*?\): /, "").replaceAll(/\s+/g, " ")
    .trim();
}

/** Aborts when it is not set again in time. */
class Timer {
  readonly #abort: AbortController;
  #id: ReturnType<typeof setTimeout> | undefined;

  constructor(abort: AbortController) {
    this.#abort = abort;
  }

  set(milliseconds: number, reason: string): void {
    this.clear();
    this.#id = setTimeout(
      () => this.#abort.abort(new Error(`${reason} within ${formatDuration(milliseconds / 1000)}`)),
      milliseconds,
    );
  }

  clear(): void {
    clearTimeout(this.#id);
  }
}
