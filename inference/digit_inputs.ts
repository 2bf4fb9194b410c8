/**
 * Digits out of what is named on a command line: pictures, folders of them, IDX files and standard
 * input.
 *
 * @module
 */

import { join } from "node:path";
import { type Ink, type PreparedDigit, prepareDigit } from "../data/handwritten_digit.ts";
import { decodeIdx } from "../data/idx.ts";
import { failureReason } from "../io/disk_error.ts";
import { interruptedBy, StudyError } from "../io/errors.ts";
import { readRegularFile, UnusableFileError } from "../io/regular_file.ts";
import { PictureError } from "./picture_error.ts";
import { readPicture } from "./read_picture.ts";

/** The word for standard input. */
export const STANDARD_INPUT = "-";

/** No picture that is read here, and no set of digits, is larger. */
const MOST_BYTES = 1e9;

/** Some digits of one source, as models take them. */
export interface DigitInput {
  /** What the user calls it. */
  name: string;
  /** Grey values 0..255, `[n * 784]`, light on dark. */
  images: Uint8Array;
  /** How it was prepared and what size it had; `undefined` for digits of an IDX file. */
  picture: (PreparedDigit & { width: number; height: number }) | undefined;
}

/** Options of {@linkcode digitInputs}. */
export interface DigitInputsOptions {
  /** Makes a path of a word that is one. */
  pathOf: (word: string) => string;
  ink: Ink | "auto";
  /** Ends the wait for standard input. */
  signal: AbortSignal;
}

/** A source that has no digits, and why: the message is a line that names it. */
export interface FailedInput {
  name: string;
  error: string;
}

/**
 * Reads one source after the other; a folder's pictures come in the order of their names.
 *
 * @param words Paths as they are to be called, and `-`.
 * @throws {InterruptedError} If the signal is aborted while standard input is waited for.
 */
export async function* digitInputs(
  words: readonly string[],
  options: DigitInputsOptions,
): AsyncGenerator<DigitInput | FailedInput> {
  for (const name of words) {
    const files = name === STANDARD_INPUT ? [name] : await filesOf(name, options.pathOf(name));
    if (!Array.isArray(files)) {
      yield files;
      continue;
    }
    for (const file of files) yield await readDigits(file, options);
  }
}

/** The word itself, or of a folder its pictures. */
async function filesOf(name: string, path: string): Promise<string[] | FailedInput> {
  try {
    if (!(await Deno.stat(path)).isDirectory) return [name];
    const files: string[] = [];
    for await (const entry of Deno.readDir(path)) {
      if (!entry.isDirectory && /\.(png|jpe?g)$/i.test(entry.name)) files.push(entry.name);
    }
    if (files.length > 0) return files.sort().map((file) => join(name, file));
    return { name, error: `Cannot read ${name}: the folder has no .png, .jpg or .jpeg file` };
  } catch (error) {
    return { name, error: `Cannot read ${name}: ${reasonOf(error)}` };
  }
}

async function readDigits(
  name: string,
  { pathOf, ink, signal }: DigitInputsOptions,
): Promise<DigitInput | FailedInput> {
  const shown = name === STANDARD_INPUT ? "standard input" : name;
  try {
    const bytes = name === STANDARD_INPUT
      ? await standardInput(signal)
      : await readRegularFile(pathOf(name), { maxBytes: MOST_BYTES });
    if (isIdx(bytes)) {
      return { name: shown, images: decodeIdx(shown, bytes, "images").values, picture: undefined };
    }
    const picture = readPicture(bytes);
    const digit = prepareDigit(picture, { ink });
    if (digit === undefined) {
      throw new PictureError("nothing in it stands out from what it is on: give more contrast");
    }
    const { width, height } = picture;
    return { name: shown, images: digit.pixels, picture: { ...digit, width, height } };
  } catch (error) {
    if (signal.aborted) throw interruptedBy(signal);
    if (
      error instanceof StudyError && !(error instanceof PictureError) &&
      !(error instanceof UnusableFileError)
    ) {
      return { name: shown, error: error.message };
    }
    return { name: shown, error: `Cannot read ${shown}: ${reasonOf(error)}` };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof PictureError) return error.message;
  if (error instanceof UnusableFileError) return `it is ${error.reason}`;
  if (error instanceof Deno.errors.NotFound) return "there is no such file or folder";
  return failureReason(error);
}

/** IDX as it is or in gzip, as the data sets are published. */
function isIdx(bytes: Uint8Array): boolean {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return isGzip || (bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 8);
}

async function standardInput(signal: AbortSignal): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  const untilAborted = new TransformStream<Uint8Array, Uint8Array>();
  for await (const piece of Deno.stdin.readable.pipeThrough(untilAborted, { signal })) {
    total += piece.length;
    if (total > MOST_BYTES) throw new PictureError("it does not end");
    pieces.push(piece);
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
