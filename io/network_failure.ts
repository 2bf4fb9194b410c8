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

/** Why a request failed: the innermost reason, in one line. */
export function networkReason(error: unknown): string {
  let reason = error;
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause;
  const text = reason instanceof Error ? reason.message : String(reason);
  const asked = /^error sending request (?:for url \(.*?\)|from \S+ for \S+ \(.*?\)): /;
  return text.replace(asked, "").replaceAll(/\s+/g, " ").trim();
}

/** Whether a certificate's issuer is not trusted, in the words of Deno, OpenSSL or Node. */
const UNTRUSTED =
  /UnknownIssuer|CaUsedAsEndEntity|CERTIFICATE_VERIFY_FAILED|self[- ]signed certificate/i;

/**
 * What to add to a reason, as a sentence's end; empty if there is nothing to say.
 *
 * @param reason What the request failed with.
 * @param url The address that was asked.
 */
export function networkNotes(reason: string, url: string, variable?: ReadVariable): string {
  const proxy = proxyFor(url, variable);
  const remedy = "where a proxy inspects TLS, set DENO_TLS_CA_STORE=system, or DENO_CERT to the " +
    "file of its certificate";
  return describeProxy(proxy) + (UNTRUSTED.test(reason) ? `; ${remedy}` : "");
}

/** {@linkcode networkNotes} for a reason that pip gives. */
export function pipNotes(reason: string, proxy: Proxy | undefined): string {
  const remedy =
    "where a proxy inspects TLS, set PIP_CERT to the file of its certificate, or pip " +
    "config set global.cert";
  return describeProxy(proxy) + (UNTRUSTED.test(reason) ? `; ${remedy}` : "");
}

function describeProxy(proxy: Proxy | undefined): string {
  return proxy === undefined ? "" : ` (through the proxy ${proxy.address} of ${proxy.setting})`;
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
export function withoutPassword(address: string): string {
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
  return proxyFor("https://pypi.org/", variable);
}
