/**
 * Which requests the page's server answers: those of its own page, asked for by its own name.
 *
 * @module
 */

/** Addresses that mean every interface of a machine. */
const EVERYWHERE: readonly string[] = ["0.0.0.0", "::"];

/** Names that mean this machine alone. */
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Whether others on the network reach a server on this address. */
export function isOpen(host: string): boolean {
  return EVERYWHERE.includes(host);
}

/**
 * Why a request must not be answered, if so.
 *
 * Another site's page can make a browser send requests here, and by a name of its own that it has
 * resolve to this machine (DNS rebinding) even read the answers. So the `Host` must be a name of this
 * machine, or an address where the server is open to the network; and what is not just read must come
 * from a page of this very server.
 *
 * @param host The address that the server listens on.
 */
export function refusal(
  { method, headers }: Request,
  { host, port }: { host: string; port: number },
): string | undefined {
  const authority = headers.get("host") ?? "";
  if (!isOwnName(authority, { host, port })) {
    return `This is no name of the server: open it by the address that it printed`;
  }
  if (method === "GET" || method === "HEAD") return undefined;
  const site = headers.get("sec-fetch-site") ?? "same-origin";
  if (headers.get("origin") === `http://${authority}` && site === "same-origin") return undefined;
  return "Only the page itself may ask this";
}

function isOwnName(authority: string, { host, port }: { host: string; port: number }): boolean {
  const url = URL.parse(`http://${authority}`);
  if (url === null || url.host !== authority.toLowerCase().replace(/:80$/, "")) return false;
  if (Number(url.port || 80) !== port) return false;
  const isAddress = url.hostname.startsWith("[") || /^[\d.]+$/.test(url.hostname);
  return LOOPBACK.includes(url.hostname) || (isOpen(host) && isAddress);
}

/** What every answer carries: nothing from elsewhere, no frames, no guessing, no keeping. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
};
