/**
 * Files fetched over HTTP: several mirrors, resumed where they were cut off, checked before use.
 *
 * @module
 */

import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { StudyError } from "./errors.ts";
import {
  type Attempt,
  attemptAt,
  briefReason,
  certificateRemedy,
  describeAttempts,
  networkReason,
} from "./network_failure.ts";
import { formatBytes, formatDuration } from "./reporter.ts";
import { sha256File } from "./sha256.ts";
import {
  PassingFailure,
  removeIfThere,
  sizeOf,
  transfer,
  TransferFailure,
  type TransferOptions,
  WrongFile,
} from "./transfer.ts";

/** Options of {@linkcode download}. */
export interface DownloadOptions extends TransferOptions {
  /** Addresses of the same file, tried in this order. */
  urls: readonly string[];
  /** Where the file is to be; its folder is made if missing. */
  path: string;
  /**
   * Milliseconds to wait before each further attempt at an address.
   *
   * @default {[1_000, 4_000]}
   */
  retryDelaysMs?: readonly number[];
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

/** No server is waited for longer than this. */
const LONGEST_WAIT_MS = 30_000;
/** An attempt that brings this much does not count as one that failed. */
const GOOD_PROGRESS = 1 << 20;

/** Nobody delivers a file: asking again in a moment would not help. */
export class UndeliveredError extends StudyError {
  override name = "UndeliveredError";
}

/**
 * Fetches a file to `path`, which appears only when complete and checked.
 *
 * What has arrived is kept in `${path}.part` when a connection breaks, and continued there, by this
 * call or a later one. A part that turns out wrong (size or SHA-256) is removed. An address is asked
 * again, a few times and after a while, when a transfer breaks off, stalls or is too slow and when the
 * server says that it is busy; not after any other refusal, and not for another file than the one
 * wanted. Of a body that is longer than it should be, no byte too many is kept.
 *
 * @throws {UndeliveredError} When no address delivers the file: what was tried, and why each failed.
 * @throws {StudyError} When it cannot be written.
 * @throws What `signal` was aborted with.
 */
export async function download(options: DownloadOptions): Promise<DownloadResult> {
  const { urls, path, label, reporter } = options;
  await Deno.mkdir(dirname(path), { recursive: true });
  const attempts: Attempt[] = [];
  for (const [index, url] of urls.entries()) {
    let result: DownloadResult;
    try {
      result = await fromUrl(url, options);
    } catch (error) {
      if (error instanceof StudyError) throw error;
      reporter.live("");
      options.signal?.throwIfAborted();
      attempts.push(attemptOf(error, url));
      // Without a checksum, nothing would tell that two mirrors' files were mixed.
      if (options.sha256 === undefined && index < urls.length - 1) {
        await removeIfThere(`${path}.part`);
      }
      const tell = index === 0 || reporter.verbose;
      if (tell && index < urls.length - 1) {
        reporter.line(`${label}: ${describeAttempts(attempts)}; trying the next mirror`);
      }
      continue;
    }
    await Deno.rename(`${path}.part`, path);
    return result;
  }
  const part = await sizeOf(`${path}.part`);
  const details = attempts.map(({ detail }) => detail);
  throw new UndeliveredError(`Cannot download ${label}`, {
    reason: describeAttempts(attempts),
    details,
    remedy: (certificateRemedy(details.join(" ")) ?? "check the network connection and run again") +
      (part > 0 ? `; the ${formatBytes(part)} that arrived are kept` : ""),
  });
}

/** What is told of an address that did not deliver. */
function attemptOf(error: unknown, url: string): Attempt {
  const brief = error instanceof TransferFailure ? error.brief : briefReason(error);
  return attemptAt(url, { brief, whole: networkReason(error) });
}

/** One mirror, asked again where that may help. */
async function fromUrl(url: string, options: DownloadOptions): Promise<DownloadResult> {
  const { label, reporter, signal, retryDelaysMs = [1_000, 4_000] } = options;
  const part = `${options.path}.part`;
  let clean = false;
  let failed = 0;
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
        continue;
      }
      if (!mayPass(error)) throw error;
      if (await sizeOf(part) - before >= GOOD_PROGRESS) failed = 0;
      const delay = retryDelaysMs[failed++];
      if (delay === undefined) throw error;
      const asked = error instanceof PassingFailure ? error.waitMs ?? 0 : 0;
      const wait = Math.min(Math.max(delay, asked), LONGEST_WAIT_MS);
      reporter.live("");
      reporter.line(
        `${label}: ${describeAttempts([attemptOf(error, url)])}; trying again in ` +
          formatDuration(wait / 1000),
      );
      await pause(wait, undefined, { signal });
    }
  }
}

/** Whether asking again may help: a connection broke, or the server said so. */
function mayPass(error: unknown): boolean {
  if (error instanceof PassingFailure) return true;
  // What fetch itself throws: a name that is not known or another certificate stays so.
  return error instanceof TypeError &&
    /refused|reset|broken pipe|closed before|error reading a body|unexpected end of file|timed out/i
      .test(networkReason(error));
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
