/**
 * A certificate for 127.0.0.1 that nobody has signed but itself, for servers that are not trusted.
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
 * -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1,DNS:localhost
 * -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem` made it.
 *
 * @module
 */

import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";

const FOLDER = join(repositoryRoot(), "tests", "fixtures", "tls");

/** Where the certificate lies. */
export const CERTIFICATE_PATH = join(FOLDER, "cert.pem");

/** What `Deno.serve` takes. */
export function testCertificate(): { cert: string; key: string } {
  return {
    cert: Deno.readTextFileSync(CERTIFICATE_PATH),
    key: Deno.readTextFileSync(join(FOLDER, "key.pem")),
  };
}
