/**
 * What to say where the network does not deliver: the reason, the proxy in force, and what helps
 * against a certificate that is not trusted.
 *
 * @module
 */

import { type ReadVariable, variableIfAllowed } from "./environment.ts";

/** A proxy that requests go through. */
export interface Proxy {
  /** Its address, without a password. */
  address: string;
  /** What it is set by: `HTTPS_PROXY`. */
  setting: string;
}

/** A server that was asked in vain. */
export interface Attempt {
  /** What was asked, for people: a host. */
  from: string;
  /** Why nothing came, in a few words that go on after {@linkcode Attempt.from}. */
  reason: string;
  /** All of it: the address and what the system said. */
  detail: string;
}

/** Most characters of a brief reason that is none of those known. */
const BRIEF_LENGTH = 60;

/** Why a request failed: the innermost reason, in one line. */
export function networkReason(error: unknown): string {
  let reason = error;
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause;
  const text = reason instanceof Error ? reason.message : String(reason);
  const asked = /^error sending request (?:for url \(.*?\)|from \S+ for \S+ \(.*?\)): /;
  return text.replace(asked, "").replaceAll(/\s+/g, " ").trim();
}

/** A failed request in a few words that go on after its server: `cannot be reached`. */
export function briefReason(error: unknown): string {
  const chain: unknown[] = [error];
  for (let at = error; at instanceof Error && at.cause instanceof Error; at = at.cause) {
    chain.push(at.cause);
  }
  if (chain.some((one) => one instanceof Deno.errors.NotCapable)) {
    return "may not be reached (Deno's permissions)";
  }
  const text = chain.map((one) => (one instanceof Error ? one.message : String(one))).join(" ");
  if (/certificate|UnknownIssuer|self.signed/i.test(text)) return "has no certificate to trust";
  if (/\(Connect\)|dns error|refused|unreachable|tunnel|os error 1(01|10|11|13)/i.test(text)) {
    return "cannot be reached";
  }
  const reason = networkReason(error);
  const short = reason.length > BRIEF_LENGTH ? `${reason.slice(0, BRIEF_LENGTH - 1)}…` : reason;
  if (short.startsWith("HTTP ")) return `answered ${short}`;
  return short.startsWith("no answer ") ? `gave ${short}` : `failed: ${short}`;
}

/** How an address was asked in vain, with the proxy in force. */
export function attemptAt(
  url: string,
  { brief, whole }: { brief: string; whole: string },
  variable?: ReadVariable,
): Attempt {
  const through = throughProxy(proxyFor(url, variable));
  return {
    from: new URL(url).host,
    reason: brief + through,
    detail: `${url}: ${whole}${through}`,
  };
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

/** Whether a certificate's issuer is not trusted, in the words of Deno, OpenSSL or Node. */
const UNTRUSTED =
  /UnknownIssuer|CaUsedAsEndEntity|CERTIFICATE_VERIFY_FAILED|self[- ]signed certificate/i;

/** What helps where Deno was told of a certificate that is not trusted; else `undefined`. */
export function certificateRemedy(said: string): string | undefined {
  if (!UNTRUSTED.test(said)) return undefined;
  return "where a proxy inspects TLS, set DENO_TLS_CA_STORE=system, or DENO_CERT to its certificate's file";
}

/** {@linkcode certificateRemedy} for what pip said. */
export function pipCertificateRemedy(said: string): string | undefined {
  if (!UNTRUSTED.test(said)) return undefined;
  return "where a proxy inspects TLS, set PIP_CERT to its certificate's file, or pip config set global.cert";
}

/** Stands for the host of a package index where it is not known which one is set up. */
export const SOME_INDEX = "https://index.invalid/";

/** The proxy in force as the end of a phrase; empty if there is none. */
export function throughProxy(proxy: Proxy | undefined): string {
  return proxy === undefined ? "" : ` through the proxy ${proxy.address} of ${proxy.setting}`;
}

/** The proxy that Deno asks for an address, as the environment says; `undefined` if none. */
export function proxyFor(
  url: string,
  variable: ReadVariable = variableIfAllowed,
): Proxy | undefined {
  const { protocol, hostname } = new URL(url);
  const scheme = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  if (isExempt(hostname, either("NO_PROXY", variable)?.value ?? "")) return undefined;
  const found = either("ALL_PROXY", variable) ?? either(scheme, variable);
  return found && { address: withoutPassword(found.value), setting: found.name };
}

/** A variable that is known in capitals and in small letters. */
function either(name: string, variable: ReadVariable): { name: string; value: string } | undefined {
  for (const spelling of [name, name.toLowerCase()]) {
    const value = variable(spelling);
    if (value) return { name: spelling, value };
  }
}

/** An address that may be shown. */
function withoutPassword(address: string): string {
  return address.replace(/^(\w+:\/\/)?[^/]*@/, "$1");
}

/** Whether `NO_PROXY` names a host, or a domain that it is in. */
function isExempt(host: string, exempt: string): boolean {
  const entries = exempt.split(",").map((entry) => entry.trim().replace(/^\*?\./, ""));
  return entries.some((entry) =>
    entry === "*" || (entry !== "" && (host === entry || host.endsWith(`.${entry}`)))
  );
}

/** The proxy that pip goes through, as its settings or the environment say. */
export function pipProxy(
  settings: string,
  variable: ReadVariable = variableIfAllowed,
): Proxy | undefined {
  const own = variable("PIP_PROXY");
  if (own) return { address: withoutPassword(own), setting: "PIP_PROXY" };
  const configured = /^(?:global|download|install)\.proxy='(.+)'$/m.exec(settings)?.[1];
  if (configured) return { address: withoutPassword(configured), setting: "pip config" };
  return proxyFor(SOME_INDEX, variable);
}
