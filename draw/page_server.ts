/**
 * The server of the page that one draws on.
 *
 * @module
 */

import { IMAGE_PIXELS } from "../data/idx.ts";
import { StudyError } from "../io/errors.ts";
import { AnswerQueue, OvertakenError } from "./answer_queue.ts";
import { type Answer, ANSWER_PATH } from "./page/protocol.ts";
import type { PageFile } from "./page_files.ts";
import { localName, refusal, SECURITY_HEADERS } from "./request_guard.ts";

/** Options of {@linkcode servePage}. */
export interface PageServerOptions {
  /** Address to listen on. */
  host: string;
  /** 0 for any that is free. */
  port: number;
  /** By their addresses; that of the page itself is empty. */
  files: ReadonlyMap<string, PageFile>;
  /** For each model by its name: has it read [784] grey values, light on dark. */
  models: ReadonlyMap<string, (pixels: Uint8Array) => Promise<Answer>>;
}

/** A server that is running. */
export interface PageServer extends AsyncDisposable {
  /** Where the page is on this machine. */
  readonly address: string;
  /** Ends once the server has stopped. */
  readonly finished: Promise<void>;
  /** Stops it, once what is being answered is answered. */
  shutdown(): Promise<void>;
}

/**
 * Serves a page and its models' answers.
 *
 * @throws {StudyError} If the address or port is not to be used.
 */
export function servePage({ host, port, files, models }: PageServerOptions): PageServer {
  const queue = new AnswerQueue();
  const server = listen({ host, port }, async (request) => {
    const reason = refusal(request, { host, port: server.addr.port });
    if (reason !== undefined) return respond(reason, 403);
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === ANSWER_PATH) {
      const read = models.get(searchParams.get("model") ?? "");
      return await answer(request, { read, queue });
    }
    const file = files.get(pathname.slice(1));
    if (file === undefined) return respond("There is nothing here", 404);
    if (request.method !== "GET" && request.method !== "HEAD") return notAllowed("GET, HEAD");
    const content = request.method === "HEAD" ? null : file.content;
    return new Response(content, { headers: { ...SECURITY_HEADERS, "content-type": file.type } });
  });
  const shutdown = () => server.shutdown();
  return {
    address: `http://${localName(host)}:${server.addr.port}/`,
    finished: server.finished,
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

function listen(
  { host, port }: { host: string; port: number },
  handler: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  const onError = (error: unknown) => respond(`The server failed: ${error}`, 500);
  try {
    return Deno.serve({ hostname: host, port, onListen() {}, onError }, handler);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new StudyError(
        `Port ${port} is in use: choose another with --port, or --port 0 for any that is free`,
        { cause: error },
      );
    }
    if (error instanceof Deno.errors.AddrNotAvailable || error instanceof Deno.errors.NotCapable) {
      throw new StudyError(`This machine has no address ${host}: choose another with --host`, {
        cause: error,
      });
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new StudyError(
        `Port ${port} is not for every user: choose one from 1024 up with --port`,
        { cause: error },
      );
    }
    throw error;
  }
}

async function answer(
  request: Request,
  { read, queue }: {
    read: ((pixels: Uint8Array) => Promise<Answer>) | undefined;
    queue: AnswerQueue;
  },
): Promise<Response> {
  if (request.method !== "POST") return notAllowed("POST");
  if (read === undefined) return respond("There is no such model", 404);
  if (request.headers.get("content-type") !== "application/octet-stream") {
    return respond("A digit is sent as application/octet-stream", 415);
  }
  const pixels = await readExactly(request, IMAGE_PIXELS);
  if (pixels === undefined) return respond(`A digit has ${IMAGE_PIXELS} bytes`, 400);
  const kind = new URL(request.url).search;
  try {
    const result = await queue.run(kind, () => read(pixels));
    return Response.json(result, { headers: SECURITY_HEADERS });
  } catch (error) {
    if (error instanceof OvertakenError) return respond(error.message, 503);
    throw error;
  }
}

/** A request's body if it has that many bytes; of a longer one no more is read. */
async function readExactly(request: Request, length: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const piece of request.body ?? []) {
    if (filled + piece.length > length) return undefined;
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return filled === length ? bytes : undefined;
}

function notAllowed(allow: string): Response {
  const response = respond(`Only ${allow} is understood here`, 405);
  response.headers.set("allow", allow);
  return response;
}

function respond(text: string, status: number): Response {
  const headers = { ...SECURITY_HEADERS, "content-type": "text/plain; charset=utf-8" };
  return new Response(`${text}\n`, { status, headers });
}
