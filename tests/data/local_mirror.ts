/**
 * Mirrors on this machine, and a small published set behind them, for the tests of loading.
 *
 * @module
 */

import { join } from "node:path";
import type { DatasetSources } from "../../data/load_dataset.ts";
import { recordingReporter, samplePublished, withFolder } from "./idx_samples.ts";

/** Bytes that can be a response's body. */
export type Bytes = Uint8Array<ArrayBuffer>;
/** What a mirror does with a request for a file. */
export type Answer = (name: string, request: Request) => Response | Promise<Response>;

/** An address at which nobody listens. */
export const DEAD = "http://127.0.0.1:1/";

/** A mirror on this machine that counts its requests; `stop` ends it. */
export function mirror(
  answer: Answer,
): { url: string; asked: string[]; stop: () => Promise<void> } {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const name = new URL(request.url).pathname.slice(1);
    asked.push(name);
    return answer(name, request);
  });
  return { url: `http://127.0.0.1:${server.addr.port}/`, asked, stop: () => server.shutdown() };
}

/** Whole files; the right answer. */
export function serving(packed: Record<string, Bytes>): Answer {
  return (name) => new Response(packed[name] ?? null, { status: packed[name] ? 200 : 404 });
}

/** What a test of loading works with. */
export interface Setting {
  folder: string;
  sources: DatasetSources;
  packed: Record<string, Bytes>;
  reporter: ReturnType<typeof recordingReporter>;
}

/** Runs `action` with a small stand-in for MNIST, its mirrors being the given ones. */
export async function withSources(
  answers: readonly (Answer | "dead")[],
  action: (setting: Setting, asked: string[][]) => Promise<void>,
): Promise<void> {
  const mirrors = answers.map((answer) => answer === "dead" ? undefined : mirror(answer));
  try {
    await withFolder(async (folder) => {
      const mnist = samplePublished("mnist", mirrors.map((it) => it?.url ?? DEAD));
      const sources: DatasetSources = {
        mnist,
        fashion: samplePublished("fashion-mnist", [DEAD], 50),
        fashionFolder: join(folder, "fashion"),
        cache: join(folder, "cache"),
        connectTimeoutMs: 400,
        stallTimeoutMs: 400,
        retryDelaysMs: [1, 1],
      };
      await action(
        { folder, sources, packed: mnist.packed, reporter: recordingReporter() },
        mirrors.map((it) => it?.asked ?? []),
      );
    });
  } finally {
    await Promise.all(mirrors.map((it) => it?.stop()));
  }
}
