/**
 * Which of many runs a word means.
 *
 * @module
 */

import { printable } from "../../io/printable.ts";

/** Of many runs that may be meant so many are named. */
const NAMED = 5;

/** Those of the id; else those whose ids begin so; else those whose ids have it anywhere. */
export function runsMeantBy<Run>(
  word: string,
  runs: readonly Run[],
  idOf: (run: Run) => string,
): Run[] {
  const ways: ((runId: string) => boolean)[] = [
    (runId) => runId === word,
    (runId) => runId.startsWith(word),
    (runId) => runId.includes(word),
  ];
  for (const isMeant of word === "" ? [] : ways) {
    const found = runs.filter((run) => idOf(run) !== "" && isMeant(idOf(run)));
    if (found.length > 0) return found;
  }
  return [];
}

/** What to say of a word that may mean several runs, which are named as given. */
export function describeAmbiguity(word: string, names: readonly string[]): string {
  const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `"${printable(word)}" may be any of ${names.length} runs: say more of ` +
    `${names.slice(0, NAMED).join(", ")}${rest}`;
}
