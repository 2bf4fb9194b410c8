/**
 * Text from outside, made safe to show: nothing in it moves a cursor, reverses a line or fills a page.
 *
 * @module
 */

/** Characters of a foreign value that are shown unless more are asked for. */
const SHOWN = 200;

/**
 * A foreign value on one line: white space and characters that are not to be seen (control, direction,
 * unassigned) become a space, and what is too long is cut.
 */
export function printable(text: string, limit = SHOWN): string {
  // A name of megabytes is not looked through for the part that is shown of it.
  const start = text.slice(0, 16 * limit);
  const clean = start.replace(/[\s\p{C}]+/gu, " ").trim();
  const isWhole = start.length === text.length;
  if (isWhole && clean.length <= limit) return clean;
  const characters = [...clean];
  return isWhole && characters.length <= limit
    ? clean
    : `${characters.slice(0, limit - 1).join("")}…`;
}

/** A foreign value as it is, cut where it is too long. */
export function shortened(text: string, limit = SHOWN): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

/** Lines of our own with foreign values in them: what a terminal might act upon becomes `?`. */
export function terminalText(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, "?");
}

/** A value as JSON of one line, in which no character is invisible or acted upon. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /\p{C}/gu,
    (character) =>
      character.split("")
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
}
