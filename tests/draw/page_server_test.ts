/** What the page's server answers, and to whom it does not. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { PageFile } from "../../draw/page_files.ts";
import { type PageServer, servePage } from "../../draw/page_server.ts";
import { refusal } from "../../draw/request_guard.ts";
import { StudyError } from "../../io/errors.ts";

const FILES = new Map<string, PageFile>([
  ["", { type: "text/html; charset=utf-8", content: "<!DOCTYPE html>" }],
  ["page.js", { type: "text/javascript", content: "1" }],
]);

/** A model that takes the first pixel for the digit. */
const MODELS = new Map([["first", (pixels: Uint8Array) => {
  const probabilities = Array.from({ length: 10 }, (_, digit) => digit === pixels[0] ? 1 : 0);
  return Promise.resolve({ probabilities, view: "", milliseconds: 1 });
}]]);

function serve(host = "127.0.0.1"): PageServer {
  return servePage({ host, port: 0, files: FILES, models: MODELS });
}

const DIGIT = Uint8Array.from({ length: 784 }, () => 7);

interface Sent {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

/** Sends a request byte by byte as told, whatever a browser would add or refuse. */
async function send(
  server: PageServer,
  { method = "GET", path = "/", headers = {}, body = new Uint8Array() }: Sent,
): Promise<{ status: number; text: string; headers: string }> {
  const { port, host } = new URL(server.address);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const all = { host, connection: "close", "content-length": `${body.length}`, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = new TextEncoder().encode(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`);
  const writer = connection.writable.getWriter();
  await writer.write(head);
  await writer.write(body);
  const response = await new Response(connection.readable).text();
  const [top = "", text = ""] = response.split("\r\n\r\n");
  return { status: Number(top.split(" ")[1]), text, headers: top.toLowerCase() };
}

/** A digit, sent as the page sends it. */
function digit(server: PageServer, changes: Sent = {}): Sent {
  const headers = {
    origin: server.address.slice(0, -1),
    "content-type": "application/octet-stream",
    ...changes.headers,
  };
  return { method: "POST", path: "/answer?model=first", body: DIGIT, ...changes, headers };
}

Deno.test("the page and its files are served with a strict policy", async () => {
  await using server = serve();
  for (const path of ["/", "/page.js"]) {
    const { status, headers } = await send(server, { path });
    assertEquals(status, 200);
    assertMatch(headers, /content-security-policy: default-src 'none';/);
    assert(!headers.includes("unsafe"), headers);
    assertMatch(headers, /frame-ancestors 'none'/);
    assertMatch(headers, /x-content-type-options: nosniff/);
    assert(!headers.includes("access-control-allow"), headers);
  }
  assertEquals((await send(server, { path: "/../deno.json" })).status, 404);
  assertEquals((await send(server, { method: "DELETE" })).status, 403);
  assertEquals((await send(server, digit(server, { method: "DELETE", path: "/" }))).status, 405);
});

Deno.test("a digit from the page itself is answered", async () => {
  await using server = serve();
  const { status, text } = await send(server, digit(server));
  assertEquals(status, 200);
  assertEquals(JSON.parse(text).probabilities[7], 1);
});

Deno.test("nothing is answered under another name (DNS rebinding)", async () => {
  await using server = serve();
  const { port } = new URL(server.address);
  const names = [
    `evil.example:${port}`,
    `127.0.0.1.evil.example:${port}`,
    `localhost.evil.example:${port}`,
    `192.168.1.5:${port}`,
    `127.0.0.1:${Number(port) + 1}`,
    "127.0.0.1",
    `user@127.0.0.1:${port}`,
    "",
  ];
  for (const host of names) {
    for (const path of ["/", "/page.js"]) {
      assertEquals((await send(server, { path, headers: { host } })).status, 403, host);
    }
    const own = { host, origin: `http://${host}` };
    assertEquals((await send(server, digit(server, { headers: own }))).status, 403, host);
  }
  for (const name of ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"]) {
    assertEquals((await send(server, { headers: { host: `${name}:${port}` } })).status, 200, name);
  }
});

Deno.test("no other site's page is answered", async () => {
  await using server = serve();
  const { port } = new URL(server.address);
  const foreign = [
    "http://evil.example",
    "null",
    "",
    `https://127.0.0.1:${port}`,
    `http://localhost:${port}`,
    "http://127.0.0.1",
  ];
  for (const origin of foreign) {
    assertEquals((await send(server, digit(server, { headers: { origin } }))).status, 403, origin);
  }
  for (const site of ["cross-site", "same-site", "none"]) {
    const headers = { "sec-fetch-site": site };
    assertEquals((await send(server, digit(server, { headers }))).status, 403, site);
  }
  const request = digit(server);
  delete request.headers!["origin"];
  assertEquals((await send(server, request)).status, 403);
  const preflight = { method: "OPTIONS", path: "/answer?model=first" };
  const asked = { ...preflight, headers: { origin: "http://evil.example" } };
  assertEquals((await send(server, asked)).status, 403);
});

Deno.test("what is no digit is refused", async () => {
  await using server = serve();
  const refused: [Sent, number][] = [
    [{ body: DIGIT.subarray(1) }, 400],
    [{ body: new Uint8Array(785) }, 400],
    [{ body: new Uint8Array() }, 400],
    [{ headers: { "content-type": "text/plain" } }, 415],
    [{ path: "/answer?model=other" }, 404],
    [{ path: "/answer" }, 404],
    [{ method: "PUT" }, 405],
  ];
  for (const [changes, status] of refused) {
    const answer = await send(server, digit(server, changes));
    assertEquals(answer.status, status, answer.text);
  }
});

/** Begins to send a request and leaves it at that. */
async function begin(server: PageServer, head: string, body = new Uint8Array()) {
  const { port, host } = new URL(server.address);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(head.replace("HOST", host)));
  await writer.write(body);
  writer.releaseLock();
  return connection;
}

/** All of a request for an answer but its body. */
function answerHead(server: PageServer): string {
  const { headers } = digit(server);
  const lines = Object.entries({ ...headers, "content-length": "784", connection: "close" })
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `POST /answer?model=first HTTP/1.1\r\nhost: HOST\r\n${lines}\r\n`;
}

Deno.test("a server stops within seconds, whatever is unfinished", async () => {
  for (const part of ["body", "head", "nothing"]) {
    const server = serve();
    const head = answerHead(server);
    const begun = { body: head, head: head.slice(0, 30), nothing: "" }[part]!;
    using _connection = await begin(server, begun, DIGIT.subarray(0, part === "body" ? 3 : 0));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const start = performance.now();
    await server.shutdown();
    await server.finished;
    assert(performance.now() - start < 5000, part);
  }
});

Deno.test("a server that stops lets a model finish, and drops what waits for it", async () => {
  const asked: number[] = [];
  let finished = 0;
  const slow = async (pixels: Uint8Array) => {
    asked.push(pixels[0]!);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    finished++;
    return { probabilities: [], view: "", milliseconds: 1 };
  };
  const server = servePage({
    ...{ host: "127.0.0.1", port: 0, files: FILES },
    models: new Map([["first", slow]]),
  });
  using _first = await begin(server, answerHead(server), DIGIT);
  using _second = await begin(server, answerHead(server), DIGIT);
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await server.shutdown();
  assertEquals([asked.length, finished], [1, 1]);
});

Deno.test("a flood of digits for a model is dropped, whatever else their addresses say", async () => {
  const gate = Promise.withResolvers<void>();
  let answers = 0;
  const slow = async () => {
    answers++;
    await gate.promise;
    return { probabilities: [], view: "", milliseconds: 1 };
  };
  await using server = servePage({
    ...{ host: "127.0.0.1", port: 0, files: FILES },
    models: new Map([["first", slow]]),
  });
  let done = 0;
  const flood = Array.from({ length: 30 }, async (_, i) => {
    const { status } = await send(server, digit(server, { path: `/answer?model=first&${i}` }));
    done++;
    return status;
  });
  // One is answered and eight wait for it.
  for (let wait = 0; wait < 200 && done < 30 - 9; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  gate.resolve();
  const statuses = await Promise.all(flood);
  assert(answers <= 9, `${answers} answers`);
  assertEquals(statuses.filter((status) => status === 503).length, 30 - answers);
});

Deno.test("a digit that is too long in coming is not waited for", async () => {
  await using server = servePage({
    ...{ host: "127.0.0.1", port: 0, files: FILES, models: MODELS, sendingMs: 100 },
  });
  using connection = await begin(server, answerHead(server), DIGIT.subarray(0, 3));
  const answer = new Uint8Array(20);
  await connection.read(answer);
  assertMatch(new TextDecoder().decode(answer), /^HTTP\/1\.1 408 /);
  assertEquals((await send(server, digit(server))).status, 200);
});

Deno.test("an open server is answered by addresses and still by no other name", () => {
  const allows = (host: string, authority: string) => {
    const request = new Request("http://x/", { headers: { host: authority } });
    return refusal(request, { host, port: 80 }) === undefined;
  };
  for (const host of ["0.0.0.0", "::"]) {
    assert(allows(host, "192.168.1.5") && allows(host, "[fe80::1]:80"), host);
    assert(!allows(host, "evil.example") && !allows(host, "1.2.3.4.evil.example"), host);
  }
  assert(!allows("127.0.0.1", "192.168.1.5"));
});

Deno.test("a port in use is an error that says what to do", async () => {
  await using server = serve();
  const port = Number(new URL(server.address).port);
  const options = { host: "127.0.0.1", port, files: FILES, models: MODELS };
  assertThrows(() => servePage(options), StudyError, "choose another with --port");
});

Deno.test("a server on this machine alone listens on no other interface", async () => {
  await using server = serve();
  const { hostname } = new URL(server.address);
  assertEquals(hostname, "127.0.0.1");
  const port = Number(new URL(server.address).port);
  // Another address of the loopback network stands for one of another interface.
  const reached = await Deno.connect({ hostname: "127.0.0.2", port }).then((connection) => {
    connection.close();
    return true;
  }, () => false);
  assertEquals(reached, false);
});
