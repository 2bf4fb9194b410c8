/**
 * An HTTP server on 127.0.0.1 whose answers are written byte by byte, so that it can misbehave.
 *
 * @module
 */

/** One answer: the head's lines, the body's bytes, and whether to stay silent afterwards. */
export interface RawAnswer {
  /** Such as `200 OK`; empty for no answer at all, the connection being closed. */
  status: string;
  /** Header lines such as `content-length: 3`; `connection: close` is added. */
  headers?: string[];
  body?: Uint8Array;
  /** Keeps the connection open without another byte until the server is closed. */
  hang?: boolean;
  /** Sends the body byte by byte, so many milliseconds apart. */
  trickleMs?: number;
}

/** A running server. */
export interface RawServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  url: string;
  /** The requests so far: their first line and headers, lower case. */
  requests: string[];
}

/** Starts a server; undefined as an answer means silence. */
export function rawServer(answer: (request: string) => RawAnswer | undefined): RawServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: string[] = [];
  const open: Deno.Conn[] = [];
  const serve = async (connection: Deno.Conn) => {
    let request = "";
    const buffer = new Uint8Array(4096);
    while (!request.includes("\r\n\r\n")) {
      const count = await connection.read(buffer);
      if (count === null) return connection.close();
      request += new TextDecoder().decode(buffer.subarray(0, count));
    }
    requests.push(request.toLowerCase());
    const reply = answer(request.toLowerCase());
    if (reply !== undefined && reply.status !== "") {
      const head = [
        `HTTP/1.1 ${reply.status}`,
        ...reply.headers ?? [],
        "connection: close",
        "",
        "",
      ];
      let body = reply.body ?? new Uint8Array();
      if (reply.trickleMs !== undefined) {
        await connection.write(new TextEncoder().encode(head.splice(0).join("\r\n")));
        for (; body.length > 0; body = body.subarray(1)) {
          await connection.write(body.subarray(0, 1));
          await new Promise((resolve) => setTimeout(resolve, reply.trickleMs));
        }
      }
      for (const part of [new TextEncoder().encode(head.join("\r\n")), body]) {
        for (let at = 0; at < part.length;) at += await connection.write(part.subarray(at));
      }
    }
    if (reply === undefined || reply.hang) open.push(connection);
    else connection.close();
  };
  const done = (async () => {
    for await (const connection of listener) {
      await serve(connection).catch(() => {
        try {
          connection.close();
        } catch {
          // Closed already.
        }
      });
    }
  })();
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      await done;
    },
  };
}

/** The answer of a well-behaved file server, ranges included. */
export function fileAnswer(request: string, file: Uint8Array): RawAnswer {
  const range = /range: bytes=(\d+)-/.exec(request)?.[1];
  if (range === undefined) {
    return { status: "200 OK", headers: [`content-length: ${file.length}`], body: file };
  }
  const start = Number(range);
  if (start >= file.length) {
    return {
      status: "416 Range Not Satisfiable",
      headers: [`content-range: bytes */${file.length}`, "content-length: 0"],
    };
  }
  return {
    status: "206 Partial Content",
    headers: [
      `content-range: bytes ${start}-${file.length - 1}/${file.length}`,
      `content-length: ${file.length - start}`,
    ],
    body: file.subarray(start),
  };
}
