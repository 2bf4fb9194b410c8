/**
 * Features of a set's images on disk, computed once.
 *
 * A cache is a folder of files of {@linkcode SHARD_ROWS} images each, under a name made of everything
 * that decides the features. A set cut short by a limit uses the first of the same files. Every file
 * is read once and its checksum compared before a run uses it; one that is missing or damaged is
 * computed again, one that is too short is completed. A run that is interrupted keeps the batches it
 * has computed; one that is killed keeps its finished files. Rows are then read by position, so that
 * memory does not grow with the number of images. A set cut short that cannot use a larger set's file,
 * as that is unfinished or goes on within a group, leaves it alone, and has the rows of that one in
 * memory; where it lacks nothing else and that file is complete, it writes nothing and takes no lock.
 *
 * @module
 */

import { join } from "node:path";
import { cacheDir } from "../../io/cache.ts";
import { failureReason } from "../../io/disk_error.ts";
import { StudyError } from "../../io/errors.ts";
import { eventTurn } from "../../io/event_turn.ts";
import { type LiveLine, liveText, showLive } from "../../io/live_line.ts";
import { withLock } from "../../io/lock.ts";
import { formatDuration, type Reporter } from "../../io/reporter.ts";
import { sha256Hex } from "../../io/sha256.ts";
import type { FeatureRows } from "./feature_batches.ts";
import { EXTRACTION_BATCH, type FeatureSource } from "./feature_extractor.ts";
import { featureStoreError, type FewerFeatures } from "./feature_room.ts";
import {
  checkShard,
  HEADER_BYTES,
  readShard,
  rowsMissing,
  shardBytes,
  type ShardHeader,
  writeShard,
} from "./feature_shard.ts";

/** Images of one file, a multiple of the extraction's batch. */
export const SHARD_ROWS = 512;

/** Counts up when what is computed, or how it is stored, changes. */
const VERSION = 1;

/** Everything that decides features, by name. */
export type FeatureIdentity = Readonly<Record<string, string | number>>;

/** Options of {@linkcode FeatureCache}. */
export interface FeatureCacheOptions {
  /** Everything that decides the features: weights, data, transform, precision, device. */
  identity: FeatureIdentity;
  /** What the features are of, for people: `vgg16 training images`. */
  title: string;
  /** Number of images, from the set's first. */
  count: number;
  /** Features of one image. */
  columns: number;
  /**
   * Images of one file, a multiple of the extraction's batch.
   *
   * @default {SHARD_ROWS}
   */
  shardRows?: number;
  /**
   * Images of which a file's are computed together: the last bits of one's features may depend on its
   * group, and so on where the set ends.
   *
   * @default {1}
   */
  group?: number;
  /**
   * What helps besides another folder where they cannot be kept.
   *
   * @default {what part 4 has}
   */
  without?: FewerFeatures;
  /**
   * Folder of the cache; features have a folder of their own in it.
   *
   * @default {cacheDir()}
   */
  cache?: string;
}

/** How the work on a cache is shown and stopped. */
export interface CacheWork {
  reporter: Reporter;
  /** Aborts between two files or batches, or the waiting for another process; what is computed stays. */
  signal?: AbortSignal;
}

/** The features of a set's images, in files that are read by position. */
export class FeatureCache implements FeatureRows, Disposable {
  /** Where the files are. */
  readonly folder: string;
  readonly columns: number;
  #key: string;
  #title: string;
  #count: number;
  #shardRows: number;
  #group: number;
  #without: FewerFeatures | undefined;
  /** By file; `undefined` where it has to be computed. */
  #shards: (ShardHeader | undefined)[];
  #files = new Map<number, Deno.FsFile>();
  /** Complete files of a larger set that go on within a group: what this set has of them is in memory. */
  #cut = new Set<number>();
  /** Features of a file that was left to a larger set. */
  #inMemory = new Map<number, Float32Array>();

  /** Names the cache; nothing is read or written yet. */
  constructor(options: FeatureCacheOptions) {
    const { identity, title, count, columns, shardRows = SHARD_ROWS, group = 1, without } = options;
    const { cache = cacheDir() } = options;
    this.#key = sha256Hex(
      new TextEncoder().encode(JSON.stringify([VERSION, Object.entries(identity).sort()])),
    );
    this.folder = join(cache, "features", this.#key.slice(0, 32));
    this.columns = columns;
    this.#title = title;
    this.#count = count;
    this.#shardRows = shardRows;
    this.#group = group;
    this.#without = without;
    this.#shards = Array.from({ length: Math.ceil(count / shardRows) });
  }

  /**
   * Images whose features have to be computed, after {@linkcode FeatureCache.survey}; of a file that is
   * to be completed all count.
   */
  get missingRows(): number {
    return this.#missing().reduce((sum, index) => sum + this.#rowsOf(index), 0);
  }

  /** Bytes that they will take on disk. */
  get missingBytes(): number {
    return this.#missing().filter((index) => !this.#cut.has(index))
      .reduce((sum, index) => sum + shardBytes(this.#rowsOf(index), this.columns), 0);
  }

  /** Seconds that computing the features of these images took, whenever that was. */
  get seconds(): number {
    return this.#shards.reduce(
      (sum, header, index) =>
        header === undefined ? sum : sum + header.seconds * this.#rowsOf(index) / header.rows,
      0,
    );
  }

  /**
   * Reads every file and finds out which have to be computed.
   *
   * @throws {InterruptedError} If aborted.
   */
  async survey({ reporter, signal }: CacheWork): Promise<void> {
    for (const index of this.#missing()) {
      await eventTurn(signal);
      const done = index * this.#shardRows;
      showLive(reporter, {
        fields: [`Checking features of ${this.#title}`, `${done}/${this.#count}`],
        share: done / this.#count,
      });
      if (await this.#check(index) === "damaged") {
        reporter.warn(`${this.#path(index)} is damaged: its features are computed again`);
      }
    }
    reporter.live("");
  }

  /**
   * Computes what is missing. A second process at the same cache waits for the first, unless it has
   * nothing to write.
   *
   * @throws {StudyError} If a file cannot be written.
   * @throws {InterruptedError} If aborted.
   */
  async fill(source: FeatureSource, work: CacheWork): Promise<void> {
    const missing = this.#missing();
    if (missing.length === 0) return;
    if (missing.every((index) => this.#cut.has(index))) return await this.#computeAll(source, work);
    const { reporter, signal } = work;
    await Deno.mkdir(this.folder, { recursive: true }).catch((error) => {
      throw this.#noRoom(error);
    });
    const onWait = () => reporter.line(`Another run computes features of ${this.#title}: waiting`);
    await withLock(join(this.folder, ".lock"), async () => {
      await this.#removeTemporaries();
      await this.#computeAll(source, work);
    }, { onWait, ...(signal && { signal }) });
  }

  /** @throws {StudyError} If a file has vanished or become shorter since it was checked. */
  read(indices: Int32Array): Float32Array {
    const { columns } = this;
    const values = new Float32Array(indices.length * columns);
    const bytes = new Uint8Array(values.buffer);
    const width = 4 * columns;
    indices.forEach((index, i) => {
      const shard = Math.floor(index / this.#shardRows);
      const row = index % this.#shardRows;
      const held = this.#inMemory.get(shard);
      if (held !== undefined) {
        values.set(held.subarray(row * columns, (row + 1) * columns), i * columns);
        return;
      }
      const file = this.#open(shard);
      file.seekSync(HEADER_BYTES + row * width, Deno.SeekMode.Start);
      for (let done = 0; done < width;) {
        const count = file.readSync(bytes.subarray(i * width + done, (i + 1) * width));
        if (count === null) throw this.#gone();
        done += count;
      }
    });
    return values;
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
    this.#inMemory.clear();
  }

  #missing(): number[] {
    return [...this.#shards.keys()].filter((index) => this.#shards[index] === undefined);
  }

  #rowsOf(index: number): number {
    return Math.min(this.#shardRows, this.#count - index * this.#shardRows);
  }

  #path(index: number): string {
    return join(this.folder, `${String(index).padStart(5, "0")}.features`);
  }

  /** What a file's header must say. */
  #wanted(index: number) {
    const { columns } = this;
    return { key: this.#key, first: index * this.#shardRows, rows: this.#rowsOf(index), columns };
  }

  /** Looks at a file, and takes it if it can be used. */
  async #check(index: number): Promise<ShardHeader | string> {
    const found = await checkShard(this.#path(index), this.#wanted(index));
    if (typeof found === "string") return found;
    if (!this.#isCutAlike(found.rows, index)) {
      this.#cut.add(index);
      return "short";
    }
    this.#shards[index] = found;
    return found;
  }

  /** Whether the images of a file are in the same groups in a set with so many of it as in this one. */
  #isCutAlike(rows: number, index: number): boolean {
    const wanted = this.#rowsOf(index);
    return rows === wanted || (rows > wanted && wanted % this.#group === 0);
  }

  /** Computes what is missing, file by file. */
  async #computeAll(source: FeatureSource, work: CacheWork): Promise<void> {
    const { reporter } = work;
    const started = performance.now();
    const rows = this.missingRows;
    let done = 0;
    for (const index of this.#missing()) {
      // The one waited for may have computed it meanwhile.
      if (!this.#cut.has(index)) await this.#check(index);
      const show = (now: number) => this.#show(done + now, { rows, started, reporter });
      if (this.#shards[index] === undefined) await this.#compute(index, source, work, show);
      done += this.#rowsOf(index);
      if (!reporter.terminal) reporter.line(liveText(this.#progress(done, { rows, started })));
    }
    reporter.live("");
    if (reporter.terminal) reporter.line(liveText(this.#progress(done, { rows, started })));
  }

  /** Computes a file, from where an interruption or a smaller set has left it. */
  async #compute(
    index: number,
    source: FeatureSource,
    { signal, reporter }: CacheWork,
    onProgress: (done: number) => void,
  ): Promise<void> {
    const { columns } = this;
    const { group = EXTRACTION_BATCH } = source;
    const wanted = this.#wanted(index);
    const earlier = await readShard(this.#path(index), wanted);
    const values = new Float32Array(wanted.rows * columns).fill(NaN);
    // Of another number of images only whole groups are those of this one.
    const known = earlier.values.length / columns;
    const isWhole = known === wanted.rows && this.#isCutAlike(earlier.fileRows, index);
    const kept = isWhole ? known : Math.floor(known / group) * group;
    const keptSeconds = known === 0 ? 0 : earlier.seconds * kept / known;
    values.set(earlier.values.subarray(0, kept * columns));
    const before = rowsMissing(values, columns).length;
    const started = performance.now();
    const isLeftAlone = this.#cut.has(index) || earlier.fileRows > wanted.rows;
    const write = async (missing: readonly number[]) => {
      const seconds = keptSeconds + (performance.now() - started) / 1000;
      // As a rule those that are left are the last ones.
      const present = wanted.rows - missing.length;
      const rows = missing[0] === present ? present : wanted.rows;
      const header = {
        ...{ ...wanted, rows, seconds },
        ...(rows > present && { missing: missing.length }),
      };
      if (isLeftAlone) this.#inMemory.set(index, values);
      else await writeShard(this.#path(index), header, values.subarray(0, rows * columns));
      return header;
    };
    try {
      for (let row = 0; row < wanted.rows; row += group) {
        const count = Math.min(group, wanted.rows - row);
        const part = values.subarray(row * columns, (row + count) * columns);
        if (rowsMissing(part, columns).length === 0) continue;
        const computed = await source.extract(wanted.first + row, count, {
          values: part,
          onProgress: (done) => onProgress(row + done),
          ...(signal && { signal }),
        });
        if (computed !== part) part.set(computed);
      }
    } catch (error) {
      // What cannot be kept now is no reason to hide why it ended.
      const missing = rowsMissing(values, columns);
      const computed = before - missing.length;
      if (computed > 0 && isLeftAlone) {
        reporter.warn(
          `The last ${computed} features are not kept, so as to keep the file of a larger set`,
        );
      } else if (computed > 0) {
        await write(missing).catch((error) => {
          reporter.warn(`The last ${computed} features are not kept: ${failureReason(error)}`);
        });
      }
      throw error;
    }
    this.#shards[index] = await write([]).catch((error) => {
      throw this.#noRoom(error);
    });
  }

  #show(done: number, progress: { rows: number; started: number; reporter: Reporter }): void {
    showLive(progress.reporter, this.#progress(done, progress));
  }

  #progress(done: number, { rows, started }: { rows: number; started: number }): LiveLine {
    const seconds = (performance.now() - started) / 1000;
    const rate = done / seconds;
    const time = done < rows
      ? `${formatDuration((rows - done) / rate)} left`
      : formatDuration(seconds);
    return {
      fields: [
        [`Features of ${this.#title}: ${done}/${rows}`, `features ${done}/${rows}`],
        [`${rate.toFixed(1)} images/s`, ""],
        time,
      ],
      separator: ", ",
      share: done / rows,
    };
  }

  #open(index: number): Deno.FsFile {
    let file = this.#files.get(index);
    if (file === undefined) {
      try {
        file = Deno.openSync(this.#path(index));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) throw this.#gone();
        throw error;
      }
      this.#files.set(index, file);
    }
    return file;
  }

  #noRoom(error: unknown): StudyError {
    return featureStoreError(this.folder, error, this.#without);
  }

  #gone(): StudyError {
    return new StudyError(
      `Features in ${this.folder} were removed while they were used: run it again`,
    );
  }

  /** What a killed process left; the lock keeps others' out of reach. */
  async #removeTemporaries(): Promise<void> {
    for await (const { name } of Deno.readDir(this.folder)) {
      if (name.endsWith(".tmp")) await Deno.remove(join(this.folder, name));
    }
  }
}
