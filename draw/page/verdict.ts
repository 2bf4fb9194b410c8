/**
 * Whether models agree, in a line.
 *
 * @module
 */

/** What a model took a digit for. */
export interface Reading {
  title: string;
  digit: number;
}

/** What a set of models takes a digit for. */
export interface Verdict {
  /** A line for people: `Both read 7`. */
  text: string;
  /** Which models read which digit. */
  detail: string;
  agree: boolean;
  /** What most of them take it for; `undefined` where no digit has more models than others. */
  majority: number | undefined;
}

/** Says in a line what models take a digit for; `undefined` where none took it for any. */
export function verdictOf(readings: readonly Reading[]): Verdict | undefined {
  const byDigit = new Map<number, Reading[]>();
  for (const reading of readings) {
    const group = byDigit.get(reading.digit);
    if (group === undefined) byDigit.set(reading.digit, [reading]);
    else group.push(reading);
  }
  const groups = [...byDigit].sort(([, a], [, b]) => b.length - a.length);
  const [first, second] = groups;
  if (first === undefined) return undefined;
  const [digit, those] = first;
  if (second === undefined) {
    const all = those.length > 2 ? `All ${those.length} models` : those.length === 2 ? "Both" : "";
    const who = all || those[0]!.title;
    return {
      text: `${who} read${all ? "" : "s"} ${digit}`,
      detail: listOf(those),
      agree: true,
      majority: digit,
    };
  }
  const digits = groups.map(([digit]) => digit);
  const parts = groups.map(([digit, group]) =>
    `${digit} is what ${listOf(group)} read${group.length === 1 ? "s" : ""}`
  );
  return {
    text: `They disagree: ${digits.join(" or ")}`,
    detail: parts.join(", "),
    agree: false,
    majority: those.length > second[1].length ? digit : undefined,
  };
}

function listOf(readings: readonly Reading[]): string {
  return readings.map(({ title }) => title).join(" and ");
}
