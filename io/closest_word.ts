/**
 * What somebody may have meant who mistyped a word.
 *
 * @module
 */

/** What is longer is no word of ours with a slip in it. */
const LONGEST_MISTYPED = 100;

/** The word nearest to `text`, if it is near enough to be meant. */
export function closestWord(text: string, words: readonly string[]): string | undefined {
  if (text.length > LONGEST_MISTYPED) return undefined;
  const ranked = words.map((word) => ({ word, edits: editDistance(text, word) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(1, Math.floor(best.word.length / 2))
    ? best.word
    : undefined;
}

/** How many letters must be put in, taken out or changed to turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
