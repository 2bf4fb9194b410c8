import { assertEquals } from "@std/assert";
import { describeAttempts, networkReason } from "../../io/network_reason.ts";

const attempt = (from: string, reason: string) => ({ from, reason, detail: "" });

Deno.test("networkReason() says in a few words why a server delivered nothing", () => {
  const refused = new Error("tcp connect error: Connection refused (os error 111)");
  const wrapped = new TypeError("error sending request", { cause: refused });
  assertEquals(networkReason(wrapped), "cannot be reached");
  const unknown = "client error (Connect): dns error: failed to lookup address information";
  assertEquals(networkReason(new TypeError(unknown)), "cannot be reached");
  const tls = new TypeError("sending", { cause: new Error("invalid peer certificate") });
  assertEquals(networkReason(tls), "has no certificate to trust");
  const forbidden = new Deno.errors.NotCapable('Requires net access to "example.org"');
  assertEquals(networkReason(forbidden), "may not be reached (Deno's permissions)");
  assertEquals(networkReason(new Error("HTTP 404 Not Found")), "answered HTTP 404 Not Found");
  assertEquals(networkReason(new Error("no answer within 5.0 s")), "gave no answer within 5.0 s");
  const long = networkReason(new Error("x".repeat(300)));
  assertEquals([long.slice(0, 9), long.length], ["failed: x", 68]);
});

Deno.test("describeAttempts() says of several servers what they have in common", () => {
  const [a, b] = [attempt("a.org", "cannot be reached"), attempt("b.org", "answered HTTP 404")];
  assertEquals(describeAttempts([a]), "a.org cannot be reached");
  assertEquals(describeAttempts([a, a, a]), "a.org and 2 more cannot be reached");
  assertEquals(describeAttempts([b, a]), "b.org answered HTTP 404, nor did 1 more deliver it");
});
