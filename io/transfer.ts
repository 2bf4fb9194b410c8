/**
 * One transfer of a file over HTTP, into a part that may have its beginning already.
 *
 * @module
 */

import { Progress } from "./download_progress.ts";
import { StudyError } from "./errors.ts";
import { networkReason } from "./network_failure.ts";
import { formatDuration, type Reporter } from "./reporter.ts";
import { sha256File } from "./sha256.ts";
import { MINIMUM_RATE, type MinimumRate, TransferWatch } from "./transfer_watch.ts";

/** Options of {@linkcode transfer}. */
export interface TransferOptions {
  /** Exact size in bytes. */
  size?: number;
  /**
   * Most bytes that are taken where the exact size is not known.
   *
   * @default {4e9}
   */
  maxBytes?: number;
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
  /**
   * The least that a transfer must bring; one that brings less is ended.
   *
   * @default {MINIMUM_RATE}
   */
  minimumRate?: MinimumRate;
}

/** A server that answered, but not with the file, or not with all of it. */
export class TransferFailure extends Error {
  /** The same in a few words that go on after the server's name: `broke off`. */
  readonly brief: string;

  constructor(message: string, brief: string) {
    super(message);
    this.brief = brief;
  }
}

/** The server sent something else than the file that is wanted: what came is thrown away. */
export class WrongFile extends TransferFailure {}

/** What may be over when the server is asked again. */
export class PassingFailure extends TransferFailure {
  /** How long the server wants to be left alone, in milliseconds, if it says so. */
  readonly waitMs: number | undefined;

  constructor(message: string, brief: string, waitMs?: number) {
    super(message, brief);
    this.waitMs = waitMs;
  }
}

/** Answers after which asking again may help, besides those of a server that fails. */
const PASSING_STATUS = [408, 425, 429];
/** What a server does not understand it will not understand the next time. */
const LASTING_STATUS = [501, 505];
/** More than any file of the study has. */
const MOST_BYTES = 4e9;

/** Adds to the part what is missing, or replaces it where the server cannot continue it. */
export async function transfer(url: string, part: string, options: TransferOptions): Promise<void> {
  const { size, label, reporter, connectTimeoutMs = 10_000, stallTimeoutMs = 30_000 } = options;
  const most = size ?? options.maxBytes ?? MOST_BYTES;
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
      if (response.status === 206) {
        const text = "the server continued the file at a wrong place";
        throw new TransferFailure(text, "continued the file at a wrong place");
      }
      const text = `HTTP ${response.status} ${response.statusText}`.trim();
      if (!mayPass(response.status)) throw new Error(text);
      const waitMs = 1000 * Number(response.headers.get("retry-after")) || 0;
      throw new PassingFailure(text, `answered ${text}`, waitMs);
    }
    const start = response.status === 206 ? have : 0;
    const announced = announcedSize(response, start, range?.[2]);
    const reader = (response.body ?? new Blob([]).stream()).getReader();
    try {
      timer.set(stallTimeoutMs, STALLED);
      using watch = new TransferWatch(
        (reason) => abort.abort(new PassingFailure(reason, "was too slow")),
        options.minimumRate ?? MINIMUM_RATE,
      );
      let chunk = await reader.read();
      if (start === 0 && !chunk.done && looksLikeHtml(chunk.value, response)) {
        const brief = "sent an HTML page instead of the file";
        throw new TransferFailure("an HTML page came instead of the file", brief);
      }
      if (size !== undefined && announced !== undefined && announced !== size) {
        throw new TransferFailure(
          `a file of ${announced} bytes came, ${size} were expected`,
          `sent ${announced} bytes, not ${size}`,
        );
      }
      if (announced !== undefined && announced > most) {
        throw new TransferFailure(
          `a file of ${announced} bytes came, ${most} are the most expected`,
          `sent more than ${most} bytes`,
        );
      }
      const total = size ?? announced;
      const progress = new Progress({ label, host: new URL(url).host, start, total, reporter });
      const file = await storing(part, () => openPart(part, start));
      try {
        let written = start;
        for (; !chunk.done; chunk = await reader.read()) {
          if (written + chunk.value.length > most) {
            const text = `more than the expected ${most} bytes came`;
            throw new WrongFile(text, `sent more than ${most} bytes`);
          }
          await storing(part, () => writeAll(file, chunk.value!));
          written += chunk.value.length;
          watch.add(chunk.value.length);
          timer.set(stallTimeoutMs, STALLED);
          progress.show(written);
        }
        if (written === 0 && size !== 0) {
          throw new TransferFailure("an empty answer came", "sent nothing");
        }
        if (total !== undefined && written < total) {
          const after = `after ${written} of ${total} bytes`;
          throw new PassingFailure(`the transfer ended ${after}`, `broke off ${after}`);
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

const STALLED = "the transfer stalled: no data";

/** Whether an answer may be another one when the server is asked again; those of CDNs go up to 530. */
function mayPass(status: number): boolean {
  return PASSING_STATUS.includes(status) || (status >= 500 && !LASTING_STATUS.includes(status));
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
    throw new StudyError(`Cannot write ${part}`, {
      reason: networkReason(error),
      remedy: "free space there or make it writable",
      cause: error,
    });
  }
}

export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Size of a file in bytes; 0 when there is none. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
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
      () => {
        const text = `${reason} within ${formatDuration(milliseconds / 1000)}`;
        this.#abort.abort(
          reason === STALLED ? new PassingFailure(text, "sent no more data") : new Error(text),
        );
      },
      milliseconds,
    );
  }

  clear(): void {
    clearTimeout(this.#id);
  }
}
