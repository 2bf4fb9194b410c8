/**
 * What the page asks for and what it gets, whether a server answers or the page itself.
 *
 * @module
 */

/** A model that answers. */
export interface PageModel {
  /** As in the results, and unique. */
  name: string;
  /** How it is called on the page. */
  title: string;
  /** Pixels on a side of the images that it takes. */
  side: number;
  /** Of the run that it comes from. */
  runId: string;
  /** Percent of its run's test digits, 0..100; `null` where the run has no row. */
  accuracy: number | null;
  /** How many test digits that was; `null` likewise. */
  testImages: number | null;
  /** How long an answer took it before the page was opened; `null` where that is not known. */
  milliseconds: number | null;
}

/** A test digit that some model misread. */
export interface MisreadDigit {
  /** Its place among the test digits, from 0. */
  index: number;
  /** The digit that it is of. */
  label: number;
  /** [784] grey values, light on dark, base64. */
  pixels: string;
  /** What each of {@linkcode PageData.models} took it for; `null` where that is not known. */
  readings: (number | null)[];
}

/** What a page shows from its start. */
export interface PageData {
  models: PageModel[];
  /** Those that most models misread first. */
  misread: MisreadDigit[];
}

/** What a model makes of a digit. */
export interface Answer {
  /** [10] of the digits, 0..1; a detector's scores, which need not add up to 1. */
  probabilities: number[];
  /** [side * side] grey values of the image that the model was given, base64. */
  view: string;
  /** How long it took the model. */
  milliseconds: number;
}

/** Why a digit has no answer yet: too many others were asked about, and it may be asked about again. */
export class BusyError extends Error {
  override name = "BusyError";
}

/** Answers digits, one at a time for each model. */
export interface DigitReader {
  /** Where the models compute, for people: `this browser (WebGL)`. */
  readonly place: string;
  /**
   * Has a model read a digit.
   *
   * @param model Its place in {@linkcode PageData.models}.
   * @param pixels [784] grey values, light on dark.
   * @throws {BusyError} If there was no time for it.
   */
  read(model: number, pixels: Uint8Array): Promise<Answer>;
  /** How many tensors the page holds, where it computes itself: that must not grow. */
  tensors?(): number;
}

/** Where a server takes digits; what is asked for follows as `?model=NAME`. */
export const ANSWER_PATH = "/answer";

/** Where a server has its {@linkcode PageData}. */
export const DATA_PATH = "/data.json";
