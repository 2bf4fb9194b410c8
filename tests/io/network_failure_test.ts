import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import {
  attemptAt,
  briefReason,
  certificateRemedy,
  describeAttempts,
  pipCertificateRemedy,
  pipProxy,
  proxyFor,
} from "../../io/network_failure.ts";
import { CERTIFICATE_PATH, testCertificate } from "./test_certificate.ts";

/** A variable's value in an environment. */
const variables = (values: Record<string, string>) => (name: string) => values[name];

Deno.test("proxyFor() reads the environment as Deno does", () => {
  const cases: [url: string, values: Record<string, string>, proxy: string | undefined][] = [
    ["https://a.org/x", {}, undefined],
    ["https://a.org/x", { HTTPS_PROXY: "http://p:1" }, "http://p:1 HTTPS_PROXY"],
    ["https://a.org/x", { https_proxy: "p:1" }, "p:1 https_proxy"],
    ["http://a.org/x", { HTTPS_PROXY: "http://p:1" }, undefined],
    ["http://a.org/x", { http_proxy: "http://p:1" }, "http://p:1 http_proxy"],
    ["http://a.org/x", { ALL_PROXY: "socks5://p:1", HTTP_PROXY: "q" }, "socks5://p:1 ALL_PROXY"],
    ["https://a.org/x", { HTTPS_PROXY: "http://me:se@cret@p:1/" }, "http://p:1/ HTTPS_PROXY"],
    ["https://b.a.org/x", { HTTPS_PROXY: "p", NO_PROXY: "c.org, .a.org" }, undefined],
    ["https://ba.org/x", { HTTPS_PROXY: "p", no_proxy: "a.org" }, "p HTTPS_PROXY"],
    ["https://a.org/x", { HTTPS_PROXY: "p", NO_PROXY: "*" }, undefined],
  ];
  for (const [url, values, expected] of cases) {
    const proxy = proxyFor(url, variables(values));
    assertEquals(proxy && `${proxy.address} ${proxy.setting}`, expected);
  }
});

Deno.test("pipProxy() reads pip's settings before the environment", () => {
  const settings = "global.index-url='https://x/'\nglobal.proxy='http://u:p@proxy:3128'\n";
  const environment = { HTTPS_PROXY: "http://other:1" };
  assertEquals(pipProxy(settings, variables(environment)), {
    address: "http://proxy:3128",
    setting: "pip config",
  });
  assertEquals(pipProxy("", variables(environment))?.setting, "HTTPS_PROXY");
  assertEquals(
    pipProxy(settings, variables({ ...environment, PIP_PROXY: "own" }))?.setting,
    "PIP_PROXY",
  );
  assertEquals(pipProxy("", variables({})), undefined);
});

Deno.test("attemptAt() names the proxy in force, and none where there is none", () => {
  const told = { brief: "answered HTTP 404", whole: "HTTP 404" };
  assertEquals(attemptAt("https://a.org/x", told, variables({})), {
    from: "a.org",
    reason: "answered HTTP 404",
    detail: "https://a.org/x: HTTP 404",
  });
  assertEquals(attemptAt("https://a.org/x", told, variables({ HTTPS_PROXY: "http://p:1" })), {
    from: "a.org",
    reason: "answered HTTP 404 through the proxy http://p:1 of HTTPS_PROXY",
    detail: "https://a.org/x: HTTP 404 through the proxy http://p:1 of HTTPS_PROXY",
  });
});

Deno.test("certificateRemedy() has nothing to say of other failures", () => {
  assertEquals(certificateRemedy("HTTP 404"), undefined);
  assertEquals(pipCertificateRemedy("No space left on device"), undefined);
  assertStringIncludes(certificateRemedy("a.org: UnknownIssuer")!, "DENO_CERT");
  assertStringIncludes(pipCertificateRemedy("[SSL: CERTIFICATE_VERIFY_FAILED] x")!, "PIP_CERT");
});

const attempt = (from: string, reason: string) => ({ from, reason, detail: "" });

Deno.test("briefReason() says in a few words why a server delivered nothing", () => {
  const refused = new Error("tcp connect error: Connection refused (os error 111)");
  const wrapped = new TypeError("error sending request", { cause: refused });
  assertEquals(briefReason(wrapped), "cannot be reached");
  const unknown = "client error (Connect): dns error: failed to lookup address information";
  assertEquals(briefReason(new TypeError(unknown)), "cannot be reached");
  const tls = new TypeError("sending", { cause: new Error("invalid peer certificate") });
  assertEquals(briefReason(tls), "has no certificate to trust");
  const forbidden = new Deno.errors.NotCapable('Requires net access to "example.org"');
  assertEquals(briefReason(forbidden), "may not be reached (Deno's permissions)");
  assertEquals(briefReason(new Error("HTTP 404 Not Found")), "answered HTTP 404 Not Found");
  assertEquals(briefReason(new Error("no answer within 5.0 s")), "gave no answer within 5.0 s");
  const long = briefReason(new Error("x".repeat(300)));
  assertEquals([long.slice(0, 9), long.length], ["failed: x", 68]);
});

Deno.test("describeAttempts() says of several servers what they have in common", () => {
  const [a, b] = [attempt("a.org", "cannot be reached"), attempt("b.org", "answered HTTP 404")];
  assertEquals(describeAttempts([a]), "a.org cannot be reached");
  assertEquals(describeAttempts([a, a, a]), "a.org and 2 more cannot be reached");
  assertEquals(describeAttempts([b, a]), "b.org answered HTTP 404, nor did 1 more deliver it");
});

/** What a process with this environment says of a download. */
async function saidOf(url: string, env: Record<string, string>): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const root = repositoryRoot();
    const unset = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "DENO_TLS_CA_STORE"];
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-q", "--no-check", "--allow-net", "--allow-env", "--allow-read"],
        ...["--allow-write", `--config=${join(root, "deno.json")}`],
        ...[`--lock=${join(root, "deno.lock")}`, join(root, "tests", "io", "network_child.ts")],
        ...[url, join(folder, "file")],
      ],
      env: {
        ...Object.fromEntries(unset.flatMap((name) => [[name, ""], [name.toLowerCase(), ""]])),
        ...env,
      },
      stderr: "inherit",
    }).output();
    return new TextDecoder().decode(stdout).trim();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("download() says what helps against a certificate that is not trusted, and it does", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, ...testCertificate(), onListen() {} },
    () => new Response("content"),
  );
  const url = `https://127.0.0.1:${server.addr.port}/file`;
  const said = await saidOf(url, {});
  const expected = ["UnknownIssuer", "DENO_TLS_CA_STORE=system", "DENO_CERT", url];
  for (const part of expected) assertStringIncludes(said, part);
  assert(!said.includes("\n") && !said.includes("proxy http"), said);
  assertEquals(await saidOf(url, { DENO_CERT: CERTIFICATE_PATH }), "fetched");
});

Deno.test("download() names the proxy in force", async () => {
  const asked: string[] = [];
  await using proxy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      asked.push(request.url);
      return new Response("not for you", { status: 403 });
    },
  );
  const address = `127.0.0.1:${proxy.addr.port}`;
  const env = { HTTP_PROXY: `http://me:secret@${address}` };
  const said = await saidOf("http://mirror.invalid/file", env);
  assertEquals(asked.length, 1);
  for (const part of ["HTTP 403", `through the proxy http://${address} of HTTP_PROXY`]) {
    assertStringIncludes(said, part);
  }
  assert(!said.includes("secret"), said);
  const refused = await saidOf("https://mirror.invalid/file", {
    HTTPS_PROXY: `http://127.0.0.1:9`,
  });
  assertStringIncludes(refused, "through the proxy http://127.0.0.1:9 of HTTPS_PROXY");
});
