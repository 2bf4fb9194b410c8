/**
 * What `--backend auto` has found out about this machine, kept in the suite's cache folder so that it is
 * found out once.
 *
 * A file that is damaged, of another version or not ours counts as none, and what cannot be written is
 * found out again the next time.
 *
 * @module
 */

import { join } from "node:path";
import { writeIfPermitted } from "../../io/atomic.ts";
import { cacheDir } from "../../io/cache.ts";
import { isRecord } from "../../io/is_record.ts";
import { readRegularText } from "../../io/regular_file.ts";

/** All that a finding depends on: another value of any makes it worth nothing. */
export type FindingKey = Readonly<Record<string, string | number>>;

/** That WebGPU has no hardware here. */
export interface NoHardware {
  key: FindingKey;
  /** ISO 8601, UTC. */
  at: string;
}

/** How long the probe's step took on each backend. */
export interface Timing {
  key: FindingKey;
  /** Seconds of a step. */
  tensorflow: number;
  /** Seconds of a step. */
  webgpu: number;
  /** ISO 8601, UTC. */
  at: string;
}

/** Everything that was found out. */
export interface Findings {
  noHardware?: NoHardware | undefined;
  /** The newest one comes first. */
  timings: readonly Timing[];
}

/** Keeps findings between two processes. */
export interface FindingStore {
  read(): Promise<Findings>;
  /** Never fails: what is not kept is found out again. */
  write(findings: Findings): Promise<void>;
}

/** Of a file of another version nothing is taken. */
const VERSION = 1;

/** A machine has a few combinations of library, precision and threads. */
const MOST_TIMINGS = 32;

const MOST_BYTES = 1e6;

/** The file in a cache folder. */
export function findingsPath(folder: string = cacheDir()): string {
  return join(folder, "backends.json");
}

/** Findings in a file. */
export class FindingFile implements FindingStore {
  readonly #path: string;

  constructor(path: string = findingsPath()) {
    this.#path = path;
  }

  async read(): Promise<Findings> {
    try {
      return findingsIn(JSON.parse(await readRegularText(this.#path, { maxBytes: MOST_BYTES })));
    } catch {
      return { timings: [] };
    }
  }

  async write({ noHardware, timings }: Findings): Promise<void> {
    const content = { version: VERSION, noHardware, timings: timings.slice(0, MOST_TIMINGS) };
    await writeIfPermitted(this.#path, `${JSON.stringify(content, null, 2)}\n`);
  }
}

/** What is known, to which nothing is added. */
export const READ_ONLY_FINDINGS: FindingStore = {
  read: () => new FindingFile().read(),
  write: () => Promise.resolve(),
};

/** Whether two findings depend on the same. */
export function isSameKey(a: FindingKey, b: FindingKey): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function findingsIn(content: unknown): Findings {
  if (!isRecord(content) || content.version !== VERSION) return { timings: [] };
  const { noHardware, timings } = content;
  return {
    ...(isFinding(noHardware) && { noHardware }),
    timings: Array.isArray(timings) ? timings.filter(isTiming) : [],
  };
}

function isTiming(value: unknown): value is Timing {
  return isFinding(value) && ["tensorflow", "webgpu"].every((name) => {
    const seconds = (value as unknown as Record<string, unknown>)[name];
    return typeof seconds === "number" && seconds > 0 && Number.isFinite(seconds);
  });
}

function isFinding(value: unknown): value is NoHardware {
  return isRecord(value) && isKey(value.key) && typeof value.at === "string" &&
    !Number.isNaN(Date.parse(value.at));
}

function isKey(value: unknown): value is FindingKey {
  return isRecord(value) &&
    Object.values(value).every((part) => typeof part === "string" || typeof part === "number");
}
