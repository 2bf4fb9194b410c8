import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { download, type DownloadOptions } from "../../io/download.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { type Reporter, silentReporter } from "../../io/reporter.ts";
import { sha256File, sha256Hex } from "../../io/sha256.ts";
import { fileAnswer, type RawAnswer, type RawServer, rawServer } from "./raw_server.ts";

const FILE = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 251);
const SHA256 = sha256Hex(FILE);

/** Runs `action` with a server and a target path, and cleans up both. */
async function withServer(
  answer: (request: string) => RawAnswer | undefined,
  action: (server: RawServer, path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await using server = rawServer(answer);
    await action(server, join(folder, "file.bin"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function get(server: RawServer, path: string, more: Partial<DownloadOptions> = {}) {
  return download({
    urls: [`${server.url}/file.bin`],
    path,
    label: "the file",
    reporter: silentReporter,
    size: FILE.length,
    sha256: SHA256,
    retryDelaysMs: [1, 1],
    ...more,
  });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => promise, StudyError);
  assert(!error.message.includes("\n"));
  return error.message;
}

/** The whole file announced, but only its first bytes sent. */
function cutOff(bytes: number): RawAnswer {
  return {
    status: "200 OK",
    headers: [`content-length: ${FILE.length}`],
    body: FILE.subarray(0, bytes),
  };
}

Deno.test("sha256Hex() and sha256File() equal the known digest of abc", async () => {
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const encoder = new TextEncoder();
  assertEquals(sha256Hex(encoder.encode("a"), encoder.encode("bc")), abc);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "abc");
    assertEquals(await sha256File(path), abc);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("download() stores the file and reports its address, size and checksum", () =>
  withServer((request) => fileAnswer(request, FILE), async (server, path) => {
    const result = await get(server, path);
    assertEquals(result, { url: `${server.url}/file.bin`, sha256: SHA256, bytes: FILE.length });
    assertEquals(await Deno.readFile(path), FILE);
    assert(!await exists(`${path}.part`));
  }));

Deno.test("download() works without a known size or checksum", () =>
  withServer((request) => fileAnswer(request, FILE), async (server, path) => {
    const result = await download({
      urls: [`${server.url}/x`],
      path,
      label: "x",
      reporter: silentReporter,
    });
    assertEquals(result.sha256, SHA256);
  }));

Deno.test("download() continues a part left by an earlier run", () =>
  withServer((request) => fileAnswer(request, FILE), async (server, path) => {
    await Deno.writeFile(`${path}.part`, FILE.subarray(0, 150_000));
    await get(server, path);
    assertStringIncludes(server.requests[0]!, "range: bytes=150000-");
    assertEquals(await Deno.readFile(path), FILE);
  }));

Deno.test("download() continues after a broken transfer", () => {
  let count = 0;
  return withServer(
    (request) => count++ === 0 ? cutOff(70_000) : fileAnswer(request, FILE),
    async (server, path) => {
      await get(server, path);
      assertEquals(server.requests.length, 2);
      assertStringIncludes(server.requests[1]!, "range: bytes=");
      assertEquals(await Deno.readFile(path), FILE);
    },
  );
});

Deno.test("download() keeps the part when the transfer stays broken", () =>
  withServer((request) => {
    if (request.includes("range:")) return { status: "503 Service Unavailable" };
    return cutOff(70_000);
  }, async (server, path) => {
    const message = await failure(get(server, path));
    assertStringIncludes(message, "503");
    assertStringIncludes(message, `${server.url}/file.bin`);
    assertEquals((await Deno.stat(`${path}.part`)).size, 70_000);
    assert(!await exists(path));
  }));

Deno.test("download() starts over with a server that ignores ranges", () =>
  withServer((_) => fileAnswer("", FILE), async (server, path) => {
    await Deno.writeFile(`${path}.part`, new Uint8Array(1234).fill(9));
    await get(server, path);
    assertEquals(await Deno.readFile(path), FILE);
  }));

Deno.test("download() takes a part that is complete already, and refetches one that is wrong", () =>
  withServer((request) => fileAnswer(request, FILE), async (server, path) => {
    await Deno.writeFile(`${path}.part`, FILE);
    await get(server, path);
    assertEquals(server.requests.length, 0);
    await Deno.remove(path);
    await Deno.writeFile(`${path}.part`, new Uint8Array(FILE.length));
    await get(server, path);
    assertEquals(await Deno.readFile(path), FILE);
  }));

Deno.test("download() copes with 416 for a part that is complete or too long", () =>
  withServer((request) => fileAnswer(request, FILE), async (server, path) => {
    const options = {
      urls: [`${server.url}/file.bin`],
      path,
      label: "x",
      reporter: silentReporter,
      sha256: SHA256.toUpperCase(),
    };
    await Deno.writeFile(`${path}.part`, FILE);
    await download(options);
    assertEquals(server.requests.length, 1);
    await Deno.writeFile(`${path}.part`, new Uint8Array(FILE.length + 5));
    await download(options);
    assertEquals(server.requests.length, 3);
    assertEquals(await Deno.readFile(path), FILE);
  }));

Deno.test("download() replaces a resumed part that leads to a wrong checksum", () =>
  withServer((request) => fileAnswer(request, FILE), async (server, path) => {
    await Deno.writeFile(`${path}.part`, new Uint8Array(1000));
    await get(server, path);
    assertEquals(server.requests.length, 2);
    assertEquals(await Deno.readFile(path), FILE);
  }));

Deno.test("download() goes on to the next mirror after a wrong checksum", () => {
  const other = FILE.slice().reverse();
  return withServer(
    (request) => fileAnswer(request, request.includes("/bad") ? other : FILE),
    async (server, path) => {
      const lines: string[] = [];
      const reporter: Reporter = { ...silentReporter, line: (text) => lines.push(text) };
      const result = await get(server, path, {
        urls: [`${server.url}/bad`, `${server.url}/good`],
        reporter,
      });
      assertEquals(result.url, `${server.url}/good`);
      assertEquals(await Deno.readFile(path), FILE);
      assertEquals(lines.filter((line) => line.includes("trying the next mirror")).length, 1);
    },
  );
});

Deno.test("download() removes a file of wrong checksum and names both checksums", () => {
  const other = FILE.slice().reverse();
  return withServer((request) => fileAnswer(request, other), async (server, path) => {
    const message = await failure(get(server, path));
    assertStringIncludes(message, SHA256);
    assertStringIncludes(message, sha256Hex(other));
    assert(!await exists(`${path}.part`));
    assert(!await exists(path));
  });
});

Deno.test("download() refuses a file of another size before it is transferred", () =>
  withServer((request) => fileAnswer(request, FILE.subarray(0, 5000)), async (server, path) => {
    assertStringIncludes(
      await failure(get(server, path)),
      "a file of 5000 bytes came, 200000 were expected",
    );
  }));

Deno.test("download() refuses a file of another size that is not announced", () =>
  withServer(() => ({ status: "200 OK", body: new Uint8Array(FILE.length + 1) }), async (
    server,
    path,
  ) => {
    assertStringIncludes(await failure(get(server, path)), "more than the expected 200000 bytes");
    assert(!await exists(`${path}.part`));
  }));

Deno.test("download() refuses an empty answer", () =>
  withServer(() => ({ status: "200 OK", headers: ["content-length: 0"] }), async (server, path) => {
    const options = { urls: [`${server.url}/x`], path, label: "x", reporter: silentReporter };
    assertStringIncludes(await failure(download(options)), "empty answer");
  }));

Deno.test("download() names an HTML page and leaves an older part alone", () => {
  const page = new TextEncoder().encode("<!DOCTYPE html><html>Log in</html>");
  return withServer(() => fileAnswer("", page), async (server, path) => {
    await Deno.writeFile(`${path}.part`, FILE.subarray(0, 100));
    assertStringIncludes(await failure(get(server, path)), "HTML page");
    assertEquals(await Deno.readFile(`${path}.part`), FILE.slice(0, 100));
  });
});

Deno.test("download() gives up on a silent server, and on one that stalls", () =>
  withServer(
    (request) => request.includes("/stalls") ? { ...cutOff(1000), hang: true } : undefined,
    async (server, path) => {
      const message = await failure(get(server, path, {
        urls: [`${server.url}/silent`, `${server.url}/stalls`],
        connectTimeoutMs: 200,
        stallTimeoutMs: 200,
      }));
      assertStringIncludes(message, "/silent: no answer within 0.2 s");
      assertStringIncludes(message, "stalled");
    },
  ));

Deno.test("download() gives up on a server that trickles", () =>
  withServer(() => ({ ...cutOff(200), trickleMs: 20 }), async (server, path) => {
    const message = await failure(get(server, path, {
      retryDelaysMs: [],
      minimumRate: { bytesPerSecond: 1000, windowMs: 300 },
    }));
    assertMatch(
      message,
      /the transfer is too slow: \d+ B in 0\.3 s, where 1\.0 kB\/s are the least/,
    );
  }));

Deno.test("download() asks a busy server again, three times in all, and says so", async () => {
  for (
    const status of [
      "429 Too Many Requests",
      "503 Service Unavailable",
      "500 Internal Server Error",
      // Of a CDN whose own source fails; Deno has no words for it.
      "520 ",
    ]
  ) {
    for (const busy of [2, 3]) {
      let count = 0;
      await withServer(
        (request) => ++count <= busy ? { status } : fileAnswer(request, FILE),
        async (server, path) => {
          const lines: string[] = [];
          const reporter: Reporter = { ...silentReporter, line: (text) => lines.push(text) };
          const fetched = get(server, path, { reporter });
          if (busy === 2) await fetched;
          else assertStringIncludes(await failure(fetched), `HTTP ${status.trim()}`);
          assertEquals(server.requests.length, 3);
          assertEquals(lines.filter((line) => line.includes("trying again in")).length, 2);
        },
      );
    }
  }
});

Deno.test("download() waits as long as a busy server asks for", () => {
  let count = 0;
  return withServer(
    (request) =>
      count++ === 0
        ? { status: "503 Service Unavailable", headers: ["retry-after: 1"] }
        : fileAnswer(request, FILE),
    async (server, path) => {
      const started = performance.now();
      await get(server, path);
      assert(performance.now() - started >= 1000);
    },
  );
});

Deno.test("download() asks once for what is not there or is not the file", async () => {
  const answers: RawAnswer[] = [
    { status: "404 Not Found" },
    { status: "403 Forbidden" },
    { status: "501 Not Implemented" },
    { status: "505 HTTP Version Not Supported" },
    fileAnswer("", FILE.slice().reverse()),
    fileAnswer("", new TextEncoder().encode("<html></html>")),
  ];
  for (const answer of answers) {
    await withServer(() => answer, async (server, path) => {
      await failure(get(server, path));
      assertEquals(server.requests.length, 1);
    });
  }
});

Deno.test("download() asks again when a connection is closed without an answer", () => {
  let count = 0;
  return withServer(
    (request) => count++ === 0 ? { status: "" } : fileAnswer(request, FILE),
    async (server, path) => {
      await get(server, path);
      assertEquals(server.requests.length, 2);
    },
  );
});

Deno.test("download() keeps no byte beyond a pinned size, and none beyond a limit", async () => {
  const endless = new Uint8Array(FILE.length + 50_000);
  for (const limit of [{ size: FILE.length }, { maxBytes: FILE.length }]) {
    await withServer(() => ({ status: "200 OK", body: endless }), async (server, path) => {
      const options = {
        urls: [`${server.url}/x`],
        path,
        label: "x",
        reporter: silentReporter,
        ...limit,
      };
      assertStringIncludes(await failure(download(options)), "more than the expected 200000 bytes");
      assert(!await exists(`${path}.part`));
    });
    await withServer(() => fileAnswer("", endless), async (server, path) => {
      const options = { urls: [`${server.url}/x`], path, label: "x", reporter: silentReporter };
      assertStringIncludes(
        await failure(download({ ...options, ...limit })),
        "a file of 250000 bytes came, 200000 ",
      );
    });
  }
});

Deno.test("download() names every address and its reason when none answers", () =>
  withServer(() => ({ status: "404 Not Found" }), async (server, path) => {
    const urls = [`${server.url}/a`, "http://127.0.0.1:1/b"];
    const message = await failure(get(server, path, { urls }));
    assertStringIncludes(message, `${server.url}/a: HTTP 404`);
    assertStringIncludes(message, "http://127.0.0.1:1/b: ");
    assertStringIncludes(message, "network connection");
  }));

Deno.test("download() prints one line at the start and one at the end when piped", () =>
  withServer((request) => fileAnswer(request, FILE), async (server, path) => {
    const lines: string[] = [];
    await get(server, path, { reporter: { ...silentReporter, line: (text) => lines.push(text) } });
    assertEquals(lines.length, 2);
    assertStringIncludes(lines[0]!, "the file: downloading 200.0 kB from 127.0.0.1");
  }));

for (const columns of [40, 120]) {
  Deno.test(`download() has a bar on a terminal of ${columns} columns`, () =>
    withServer((request) => fileAnswer(request, FILE), async (server, path) => {
      const live: string[] = [];
      const reporter = { ...silentReporter, terminal: true, columns };
      await get(server, path, {
        reporter: { ...reporter, live: (text) => live.push(text) },
      });
      const shown = live.filter((text) => text !== "");
      assert(shown.length > 0);
      for (const text of shown) {
        assert(/\d+ %.*, [█░]{8,} {2}[\d.]+ s( left)?$/.test(text), text);
        assert(text.length < columns, text);
      }
    }));
}

Deno.test("download() stops when it is told to, and keeps what has arrived", () =>
  withServer(() => ({ ...cutOff(70_000), hang: true }), async (server, path) => {
    const stop = new AbortController();
    const live = () => stop.abort(new InterruptedError("stopped"));
    const fetching = get(server, path, {
      signal: stop.signal,
      reporter: { ...silentReporter, live },
    });
    await assertRejects(() => fetching, InterruptedError, "stopped");
    assert((await Deno.stat(`${path}.part`)).size > 0);
    assert(!await exists(path));
  }));

Deno.test("download() shows percent, rate and time left on a terminal", () =>
  withServer((request) => fileAnswer(request, FILE), async (server, path) => {
    const live: string[] = [];
    const lines: string[] = [];
    await get(server, path, {
      reporter: {
        ...silentReporter,
        terminal: true,
        line: (text) => lines.push(text),
        live: (text) => live.push(text),
      },
    });
    assertEquals(lines.length, 1);
    const shown = live.filter((text) => text !== "");
    assert(
      shown.every((text) => /^the file: \d+ % of 200\.0 kB, [\d.]+ \w+\/s, .* left$/.test(text)),
    );
    assert(shown.some((text) => text.includes("100 %")));
    assertEquals(live.at(-1), "");
  }));
