/**
 * A model's probabilities as an answer.
 *
 * @module
 */

/** A digit and how likely it is. */
export interface ScoredDigit {
  digit: number;
  /** 0..1 */
  probability: number;
}

/** What a model says of one digit. */
export interface Answer {
  /** `undefined` where a detector found nothing. */
  best: ScoredDigit | undefined;
  /** The second, where it has any probability. */
  runnerUp: ScoredDigit | undefined;
}

/** The likeliest digit and the next; of equal ones the smaller digit first. */
export function answerOf(probabilities: ArrayLike<number>): Answer {
  const [best, runnerUp] = Array.from(probabilities, (probability, digit) => ({
    digit,
    probability,
  })).sort((a, b) => b.probability - a.probability).filter(({ probability }) => probability > 0);
  return { best, runnerUp };
}

/** `97.31 %`; what is not quite 0 or 100 % never says so. */
export function percentOf(share: number): string {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.01) return "< 0.01 %";
  if (percent < 100 && percent > 99.99) return "> 99.99 %";
  return `${percent.toFixed(2)} %`;
}
