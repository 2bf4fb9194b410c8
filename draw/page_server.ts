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

/** Milliseconds in which what is being answered may still be, once the server is to stop. */
const LAST_ANSWERS_MS = 1000;

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
  /**
   * Milliseconds in which a digit must have been sent.
   *
   * @default {10_000}
   */
  sendingMs?: number;
}

/** A server that is running. */
export interface PageServer extends AsyncDisposable {
  /** Where the page is on this machine. */
  readonly address: string;
  /** Ends once the server has stopped. */
  readonly finished: Promise<void>;
  /** Stops it, once what is being answered is answered or a second has passed. */
  shutdown(): Promise<void>;
}

/**
 * Serves a page and its models' answers.
 *
 * @throws {StudyError} If the address or port is not to be used.
 */
export function servePage(
  { host, port, files, models, sendingMs = 10_000 }: PageServerOptions,
): PageServer {
  const queue = new AnswerQueue();
  const stop = new AbortController();
  const unfinished = new Set<Promise<void>>();
  const handle = async (request: Request): Promise<Response> => {
    const reason = refusal(request, { host, port: server.addr.port });
    if (reason !== undefined) return respond(reason, 403);
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === ANSWER_PATH) {
      const model = searchParams.get("model") ?? "";
      return await answer(request, { model, read: models.get(model), queue, sendingMs });
    }
    const file = files.get(pathname.slice(1));
    if (file === undefined) return respond("There is nothing here", 404);
    if (request.method !== "GET" && request.method !== "HEAD") return notAllowed("GET, HEAD");
    const content = request.method === "HEAD" ? null : file.content;
    return new Response(content, { headers: { ...SECURITY_HEADERS, "content-type": file.type } });
  };
  const server = listen({ host, port, signal: stop.signal }, (request, { completed }) => {
    const end = completed.catch(() => {}).finally(() => unfinished.delete(end));
    unfinished.add(end);
    return handle(request);
  });
  const shutdown = async () => {
    // The server's own shutdown waits without end for who is slow to ask or to listen, and once it has
    // begun Deno lets nothing be aborted.
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_ANSWERS_MS);
    await Promise.race([Promise.all(unfinished), late]);
    clearTimeout(timer);
    stop.abort();
    await server.finished;
    await queue.close();
  };
  return {
    address: `http://${localName(host)}:${server.addr.port}/`,
    finished: server.finished,
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

function listen(
  { host, port, signal }: { host: string; port: number; signal: AbortSignal },
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  const onError = (error: unknown) => respond(`The server failed: ${error}`, 500);
  try {
    return Deno.serve({ hostname: host, port, signal, onListen() {}, onError }, handler);
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
  { model, read, queue, sendingMs }: {
    model: string;
    read: ((pixels: Uint8Array) => Promise<Answer>) | undefined;
    queue: AnswerQueue;
    sendingMs: number;
  },
): Promise<Response> {
  if (request.method !== "POST") return notAllowed("POST");
  if (read === undefined) return respond("There is no such model", 404);
  if (request.headers.get("content-type") !== "application/octet-stream") {
    return respond("A digit is sent as application/octet-stream", 415);
  }
  const pixels = await readExactly(request, IMAGE_PIXELS, sendingMs);
  if (pixels === "late") return respond("The digit was too long in coming", 408);
  if (pixels === undefined) return respond(`A digit has ${IMAGE_PIXELS} bytes`, 400);
  try {
    const result = await queue.run(model, () => read(pixels));
    return Response.json(result, { headers: SECURITY_HEADERS });
  } catch (error) {
    if (error instanceof OvertakenError) return respond(error.message, 503);
    throw error;
  }
}

/**
 * A request's body if it has that many bytes; of a longer one no more is read, and none for longer than
 * it may take.
 */
async function readExactly(
  request: Request,
  length: number,
  limitMs: number,
): Promise<Uint8Array | "late" | undefined> {
  if (request.body === null) return undefined;
  const reader = request.body.getReader();
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), limitMs);
  const bytes = new Uint8Array(length);
  let filled = 0;
  try {
    for (;;) {
      const read = await Promise.race([reader.read(), late]);
      if (read === "late") return read;
      const { value: piece, done } = read;
      if (done) return filled === length ? bytes : undefined;
      if (filled + piece.length > length) return undefined;
      bytes.set(piece, filled);
      filled += piece.length;
    }
  } finally {
    clearTimeout(timer);
    // Ends once the rest has come, which may be never.
    reader.cancel().catch(() => {});
  }
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
