/**
 * Why a server delivered nothing, in a few words.
 *
 * @module
 */

/** A server that was asked in vain. */
export interface Attempt {
  /** What was asked, for people: a host. */
  from: string;
  /** Why nothing came, in a few words that go on after {@linkcode Attempt.from}. */
  reason: string;
  /** All of it: the address and what the system said. */
  detail: string;
}

/** Most characters of a reason that is none of those known. */
const REASON_LENGTH = 60;

/** A failed request in a few words that go on after its server: `cannot be reached`. */
export function networkReason(error: unknown): string {
  const chain: unknown[] = [error];
  for (let at = error; at instanceof Error && at.cause instanceof Error; at = at.cause) {
    chain.push(at.cause);
  }
  if (chain.some((one) => one instanceof Deno.errors.NotCapable)) {
    return "may not be reached (Deno's permissions)";
  }
  const last = chain.at(-1);
  const text = chain.map((one) => (one instanceof Error ? one.message : String(one))).join(" ");
  if (/certificate|UnknownIssuer|self.signed/i.test(text)) return "has no certificate to trust";
  if (/\(Connect\)|dns error|refused|unreachable|tunnel|os error 1(01|10|11|13)/i.test(text)) {
    return "cannot be reached";
  }
  const reason = (last instanceof Error ? last.message : String(last)).replaceAll(/\s+/g, " ")
    .trim();
  const short = reason.length > REASON_LENGTH ? `${reason.slice(0, REASON_LENGTH - 1)}…` : reason;
  if (short.startsWith("HTTP ")) return `answered ${short}`;
  return short.startsWith("no answer ") ? `gave ${short}` : `failed: ${short}`;
}

/** Several servers and why none delivered: `example.org and 2 more cannot be reached`. */
export function describeAttempts(attempts: readonly Attempt[]): string {
  const [first, ...others] = attempts;
  if (first === undefined) return "nothing was tried";
  if (others.length === 0) return `${first.from} ${first.reason}`;
  const isSame = others.every(({ reason }) => reason === first.reason);
  if (isSame) return `${first.from} and ${others.length} more ${first.reason}`;
  return `${first.from} ${first.reason}, nor did ${others.length} more deliver it`;
}
