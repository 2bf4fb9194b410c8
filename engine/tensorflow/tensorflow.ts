/**
 * One opened libtensorflow: its symbols, its status object and its eager context.
 *
 * @module
 */

import { engineIsGone } from "../gone.ts";
import { symbols as SYMBOLS, type TensorFlowLibrary } from "./c_api.ts";
import { STATUS_NAMES } from "./c_enums.ts";
import { loadApart } from "./library_scope.ts";
import { BLOCK_LIMITS, type BlockLimits } from "./matrix_blocks.ts";
import { explainOpenFailure } from "./open_failure.ts";
import { keepThreadCount, threadCount } from "./threads.ts";

/** A device of the eager context. */
export interface DeviceInfo {
  /** Full name, such as `/job:localhost/replica:0/task:0/device:GPU:0`. */
  name: string;
  /** TensorFlow's kind of device, `CPU` or `GPU`. */
  type: string;
}

export interface TensorFlowOptions {
  /**
   * Leave GPUs out of the context.
   *
   * @default {false}
   */
  cpuOnly?: boolean;
  /**
   * Loads the shared library; tests count through it what is released.
   *
   * @default {Deno.dlopen}
   */
  load?: (path: string, symbols: typeof SYMBOLS) => TensorFlowLibrary;
  /**
   * Threads to compute with, 1..1024; see {@linkcode threadCount}.
   *
   * @default {as TF_NUM_INTRAOP_THREADS says, or one for each processor}
   */
  threads?: number | undefined;
  /**
   * What large matrices are cut by; tests have small ones cut.
   *
   * @default {BLOCK_LIMITS}
   */
  blockLimits?: BlockLimits;
}

/** A failed TensorFlow call. */
export class TensorFlowError extends Error {
  override name = "TensorFlowError";
  /** `TF_Code` as text, such as `INVALID_ARGUMENT`. */
  readonly code: string;
  readonly detail: string;

  /** Says which action failed, with TensorFlow's code and message. */
  constructor(action: string, code: string, detail: string) {
    super(`${action}: ${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}

/**
 * A loaded library with one eager context; everything native in the engine goes through it. Once it is
 * closed, each of its members that leads to native memory throws instead.
 */
export class TensorFlow {
  /** TensorFlow's version, such as `2.21.0`. */
  readonly version: string;
  /** Threads that an operation is spread over. */
  readonly threads: number;
  /** What large matrices are cut by. */
  readonly blockLimits: BlockLimits;
  #library: TensorFlowLibrary;
  #options: TensorFlowOptions;
  #status: Deno.PointerObject | undefined;
  #context: Deno.PointerObject | undefined;
  #devices: readonly DeviceInfo[] = [];
  #names = new Map<string, Uint8Array<ArrayBuffer>>();

  private constructor(library: TensorFlowLibrary, options: TensorFlowOptions, threads: number) {
    this.#library = library;
    this.#options = options;
    this.threads = threads;
    this.blockLimits = options.blockLimits ?? BLOCK_LIMITS;
    this.version = readCString(library.symbols.TF_Version());
    this.reopen();
  }

  /**
   * Loads the library and makes a context.
   *
   * @param path The shared library to open.
   * @throws {StudyError} If the file cannot be opened as libtensorflow, or it cannot
   *   compute with so many threads, with the remedy.
   */
  static open(path: string, options: TensorFlowOptions = {}): TensorFlow {
    const { load = Deno.dlopen } = options;
    const threads = threadCount(options.threads);
    let library: TensorFlowLibrary;
    try {
      loadApart(path);
      library = load(path, SYMBOLS);
    } catch (error) {
      throw explainOpenFailure(path, error);
    }
    return new TensorFlow(library, options, threads);
  }

  /** Makes a context in place of the one that was closed. */
  reopen(): void {
    if (!this.closed) return;
    const { TF_NewStatus, TF_DeleteStatus } = this.#library.symbols;
    const status = notNull(TF_NewStatus(), "TF_NewStatus");
    this.#status = status;
    try {
      this.#context = this.#newContext(this.#options);
      keepThreadCount(this.threads);
      this.#devices = this.#listDevices();
    } catch (error) {
      if (this.#context === undefined) {
        this.#status = undefined;
        TF_DeleteStatus(status);
      } else this.close();
      throw error;
    }
  }

  /** Whether its context is gone. */
  get closed(): boolean {
    return this.#status === undefined;
  }

  /** @throws {Error} If it is closed. */
  requireOpen(): void {
    if (this.closed) engineIsGone();
  }

  /** The library's functions; an error once it is closed. */
  get symbols(): TensorFlowLibrary["symbols"] {
    this.requireOpen();
    return this.#library.symbols;
  }

  /** `TF_Status*`, reused by every call: the engine runs on one thread. */
  get status(): Deno.PointerObject {
    return this.#status ?? engineIsGone();
  }

  /** The eager context, a `TFE_Context*`. */
  get context(): Deno.PointerObject {
    return this.#context ?? engineIsGone();
  }

  /** Devices the context may place kernels on. */
  get devices(): readonly DeviceInfo[] {
    return this.#devices;
  }

  /** The device kernels run on unless told otherwise: the first GPU, else the CPU. */
  get device(): DeviceInfo {
    return this.devices.find((device) => device.type === "GPU") ?? this.devices[0]!;
  }

  /** Throws a {@linkcode TensorFlowError} if the last call failed. */
  check(action: string): void {
    const code = this.symbols.TF_GetCode(this.status);
    if (code === 0) return;
    const message = readCString(this.symbols.TF_Message(this.status));
    throw new TensorFlowError(action, STATUS_NAMES[code] ?? `code ${code}`, message);
  }

  /** `text` as a NUL-terminated C string; each distinct name is encoded once. */
  cString(text: string): Uint8Array<ArrayBuffer> {
    let bytes = this.#names.get(text);
    if (bytes === undefined) {
      bytes = new TextEncoder().encode(text + "\0");
      this.#names.set(text, bytes);
    }
    return bytes;
  }

  /** Deletes the context. The library itself stays mapped: TensorFlow cannot be unloaded safely. */
  close(): void {
    if (this.closed) return;
    const { context, status, symbols } = this;
    this.#context = this.#status = undefined;
    symbols.TFE_DeleteContext(context);
    symbols.TF_DeleteStatus(status);
  }

  #newContext(options: TensorFlowOptions): Deno.PointerObject {
    const contextOptions = this.symbols.TFE_NewContextOptions();
    try {
      const config = sessionConfig(options);
      this.symbols.TFE_ContextOptionsSetConfig(
        contextOptions,
        config,
        BigInt(config.length),
        this.status,
      );
      this.check("Cannot set TensorFlow's options");
      const context = this.symbols.TFE_NewContext(contextOptions, this.status);
      this.check("Cannot start TensorFlow");
      return notNull(context, "TFE_NewContext");
    } finally {
      this.symbols.TFE_DeleteContextOptions(contextOptions);
    }
  }

  #listDevices(): DeviceInfo[] {
    const list = this.symbols.TFE_ContextListDevices(this.context, this.status);
    this.check("Cannot list TensorFlow's devices");
    try {
      return Array.from({ length: this.symbols.TF_DeviceListCount(list) }, (_, index) => {
        const type = readCString(this.symbols.TF_DeviceListType(list, index, this.status));
        this.check("Cannot read a device's type");
        const name = readCString(this.symbols.TF_DeviceListName(list, index, this.status));
        this.check("Cannot read a device's name");
        return { name, type };
      });
    } finally {
      this.symbols.TF_DeleteDeviceList(list);
    }
  }
}

/**
 * Bytes up to which a function keeps what its constants alone determine, instead of computing it at each
 * call; TensorFlow's own limit is 10 MiB. Indices of a convolution's tiles take megabytes, and no time.
 */
const FOLDED_BYTES = 1 << 13;

/**
 * A serialised `tensorflow.ConfigProto`: GPU memory grows on demand (`gpu_options.allow_growth`,
 * fields 6 and 4), constants are folded up to {@linkcode FOLDED_BYTES}
 * (`graph_options.optimizer_options.max_folded_constant_in_bytes`, fields 10, 3 and 6) and, if asked, no
 * GPU at all (`device_count["GPU"] = 0`, field 1) and a number of threads
 * (`intra_op_parallelism_threads` and `inter_op_parallelism_threads`, fields 2 and 5).
 */
function sessionConfig({ cpuOnly = false, threads }: TensorFlowOptions): Uint8Array<ArrayBuffer> {
  const allowGrowth = [0x32, 0x02, 0x20, 0x01];
  const folded = [0x30, ...varint(FOLDED_BYTES)];
  const graphOptions = [0x52, folded.length + 2, 0x1a, folded.length, ...folded];
  const noGpu = [0x0a, 0x07, 0x0a, 0x03, 0x47, 0x50, 0x55, 0x10, 0x00];
  return Uint8Array.from([
    ...allowGrowth,
    ...graphOptions,
    ...(cpuOnly ? noGpu : []),
    ...(threads === undefined ? [] : [0x10, ...varint(threads), 0x28, ...varint(threads)]),
  ]);
}

/** Protocol Buffers' form of a number up to 2¹⁴ - 1. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [0x80 | value & 0x7f, value >> 7];
}

/** Text at a `const char*`; empty for null. */
function readCString(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** The pointer, or an error naming the call that returned null. */
export function notNull(pointer: Deno.PointerValue, call: string): Deno.PointerObject {
  if (pointer === null) throw new TensorFlowError(call, "INTERNAL", "returned a null pointer");
  return pointer;
}
