/**
 * The safetensors format, read and written.
 *
 * A file is the length of a header (64 bits, little-endian), the header in JSON, and the tensors'
 * bytes without gap or overlap. Tensors of wider dtypes come first, which keeps each aligned.
 *
 * @module
 */

import { writeFileAtomic } from "../../io/atomic.ts";
import { isRecord } from "../../io/is_record.ts";
import type { FileBytes } from "./file_bytes.ts";
import {
  byteWidth,
  type DType,
  DTYPES,
  elementCount,
  isTypedArrayOf,
  quoted,
  type StateDict,
  type StateTensor,
} from "./state_dict.ts";
import {
  type Checkpoint,
  type CheckpointIndex,
  readCheckpoint,
  rowMajorStrides,
  type StoredTensor,
} from "./stored_tensor.ts";

/** Longest header read, enough for some 150,000 tensors. */
const MAX_HEADER_BYTES = 1 << 24;

/** Most dimensions a tensor may have, as in PyTorch. */
const MAX_RANK = 64;

/** Name in the header of the file's own notes. */
const METADATA = "__metadata__";

/** The format's name of each dtype. */
const FORMAT_NAMES = {
  int64: "I64",
  float64: "F64",
  float32: "F32",
  int32: "I32",
  bfloat16: "BF16",
  float16: "F16",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
} as const satisfies Record<DType, string>;

const DTYPE_OF: ReadonlyMap<unknown, DType> = new Map(
  DTYPES.map((dtype) => [FORMAT_NAMES[dtype], dtype]),
);

/**
 * Opens a `.safetensors` file.
 *
 * @throws {StudyError} One line that says what is wrong with the file.
 */
export function openSafetensors(path: string): Promise<Checkpoint> {
  return readCheckpoint(path, (file) => ({ format: "safetensors", ...indexSafetensors(file) }));
}

/**
 * Indexes a safetensors file.
 *
 * @throws {StudyError} If it breaks the format's rules or has a dtype not known here.
 */
export function indexSafetensors(file: FileBytes): CheckpointIndex {
  const headerLength = file.read(0, 8);
  const length = Number(new DataView(headerLength.buffer).getBigUint64(0, true));
  if (length > file.size - 8) {
    file.refuse(`its header of ${length} bytes does not fit into the file's ${file.size}`);
  }
  if (length > MAX_HEADER_BYTES) file.refuse(`its header of ${length} bytes is too large`);
  const header = parseHeader(file, length);
  const start = 8 + length;
  const found: { name: string; tensor: StoredTensor; end: number }[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) metadata = readMetadata(file, entry);
    else found.push({ name, ...readEntry(file, { name, entry, start }) });
  }
  found.sort((a, b) => a.tensor.position - b.tensor.position || a.end - b.end);
  let end = start;
  for (const { name, tensor, end: tensorEnd } of found) {
    if (tensor.position !== end) {
      file.refuse(`its tensor ${quoted(name)} does not begin where the one before it ends`);
    }
    end = tensorEnd;
  }
  if (end !== file.size) file.refuse(`its tensors end at byte ${end} and the file at ${file.size}`);
  return {
    tensors: new Map(found.map(({ name, tensor }) => [name, tensor])),
    metadata,
    structure: { path: [], beside: [], foreign: [] },
  };
}

/**
 * Writes a `.safetensors` file that `safetensors.torch.load_file` reads.
 *
 * The file appears whole or not at all; its folder is made if missing. Only the header is built in
 * memory, the tensors are written from where they lie.
 *
 * @param path File to create or replace.
 * @param sd Tensors by name.
 * @param metadata Notes kept in the file's header.
 * @throws {TypeError} If a dtype is unknown, a tensor's data does not fit its dtype or shape, or a name
 *   is reserved.
 */
export async function saveCheckpoint(
  path: string,
  sd: StateDict,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const pending = [...sd].map(([name, { dtype, shape, data }]) =>
    [name, { dtype, shape, parts: () => [data] }] as const
  );
  await streamCheckpoint(path, new Map(pending), metadata);
}

/** Notes in a file's header. */
type Metadata = Readonly<Record<string, string>>;

/** A tensor that is made when it is written. */
export interface PendingTensor {
  dtype: DType;
  shape: readonly number[];
  /**
   * Makes its values in row-major order, in one part or in many, so that it need not be in memory as a
   * whole; called once. A part has been written when the next one is asked for.
   */
  parts(): Iterable<StateTensor["data"]>;
}

/**
 * {@linkcode saveCheckpoint} of tensors that are made one after the other while the file is written,
 * for more of them than should be in memory at a time.
 *
 * @param metadata Notes kept in the file's header. A function is asked for them before the first tensor
 *   is made and after the last; both answers must take as many bytes.
 * @throws {TypeError} If a tensor is not as announced, or a name is reserved.
 */
export async function streamCheckpoint(
  path: string,
  pending: ReadonlyMap<string, PendingTensor>,
  metadata: Metadata | (() => Metadata) = {},
): Promise<void> {
  if (pending.has(METADATA)) {
    throw new TypeError(`Cannot save a tensor as ${METADATA}: the format reserves the name`);
  }
  const order = (name: string) => DTYPES.indexOf(pending.get(name)!.dtype);
  const names = [...pending.keys()].sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
  const entries: [string, unknown][] = [];
  let end = 0;
  for (const name of names) {
    const { dtype, shape } = pending.get(name)!;
    if (!DTYPES.includes(dtype)) {
      throw new TypeError(
        `Cannot save ${name} as its dtype must be one of ${
          DTYPES.join(", ")
        }: current value is ${dtype}`,
      );
    }
    const begin = end;
    end += elementCount(shape) * byteWidth(dtype);
    entries.push([name, { dtype: FORMAT_NAMES[dtype], shape, data_offsets: [begin, end] }]);
  }
  const makeHeader = () => {
    const notes = typeof metadata === "function" ? metadata() : metadata;
    return header(Object.keys(notes).length > 0 ? [[METADATA, notes], ...entries] : entries);
  };
  const first = makeHeader();
  const tensors = names.map((name) => [name, pending.get(name)!] as const);
  const finalHead = () => {
    const last = makeHeader();
    if (last.length === first.length) return last;
    throw new RangeError(
      `Cannot save ${path} as its header must keep its ${first.length} bytes: it has ${last.length}`,
    );
  };
  await writeFileAtomic(path, pieces(first, tensors), { finalHead });
}

/** The file's beginning: the header's length, and the header, padded to whole words of 64 bits. */
function header(entries: readonly (readonly [string, unknown])[]): Uint8Array {
  const parts = entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  const json = new TextEncoder().encode(`{${parts.join(",")}}`);
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
}

function* pieces(
  header: Uint8Array,
  tensors: readonly (readonly [string, PendingTensor])[],
): Generator<Uint8Array> {
  yield header;
  for (const [name, { dtype, shape, parts }] of tensors) {
    let length = 0;
    for (const data of parts()) {
      checkValues(name, dtype, data);
      length += data.length;
      const { buffer, byteOffset, byteLength } = data;
      yield new Uint8Array(buffer, byteOffset, byteLength);
    }
    checkLength(name, shape, length);
  }
}

function checkValues(name: string, dtype: DType, data: StateTensor["data"]): void {
  if (!isTypedArrayOf(dtype, data)) {
    throw new TypeError(`Cannot save ${name}: a ${data.constructor.name} does not hold ${dtype}`);
  }
  if (dtype === "bool" && !(data as Uint8Array).every((value) => value <= 1)) {
    throw new TypeError(`Cannot save ${name}: a bool is neither 0 nor 1`);
  }
}

function checkLength(name: string, shape: readonly number[], length: number): void {
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new TypeError(`Cannot save ${name}: [${shape}] is not a shape`);
  }
  if (elementCount(shape) !== length) {
    throw new TypeError(
      `Cannot save ${name}: shape [${shape}] does not have ${length} elements`,
    );
  }
}

/** Parses the header, in which no name may come twice. */
function parseHeader(file: FileBytes, length: number): Record<string, unknown> {
  let text = "";
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file.read(8, length));
    header = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    file.refuse("its header is not JSON");
  }
  if (!isRecord(header)) file.refuse("its header is not a JSON object");
  refuseRepeats(file, text);
  return header;
}

/** Refuses a valid JSON text in which an object has a key twice, or is too deep for a header. */
function refuseRepeats(file: FileBytes, json: string): void {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    if (json[at] === "{" && open.push(new Set()) > 2) {
      file.refuse("its header is nested too deeply");
    }
    if (json[at] === "}") open.pop();
    if (json[at] !== '"') continue;
    const start = at++;
    while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
    let next = at + 1;
    while (/\s/.test(json[next] ?? "")) next++;
    if (json[next] !== ":") continue;
    const key: string = JSON.parse(json.slice(start, at + 1));
    const keys = open.at(-1)!;
    if (keys.has(key)) file.refuse(`its header names ${quoted(key)} twice`);
    keys.add(key);
  }
}

function readMetadata(file: FileBytes, entry: unknown): Record<string, string> {
  if (entry === null) return {};
  const isText = isRecord(entry) &&
    Object.values(entry).every((value) => typeof value === "string");
  if (!isText) file.refuse("its metadata is not a map from text to text");
  return entry as Record<string, string>;
}

function readEntry(
  file: FileBytes,
  { name, entry, start }: { name: string; entry: unknown; start: number },
): { tensor: StoredTensor; end: number } {
  const what = `its tensor ${quoted(name)}`;
  if (!isRecord(entry)) file.refuse(`${what} is not described by a JSON object`);
  const dtype = DTYPE_OF.get(entry.dtype);
  if (dtype === undefined) {
    const known = Object.values(FORMAT_NAMES).join(", ");
    const { dtype: given } = entry;
    file.refuse(
      `${what} is of dtype ${typeof given === "string" ? quoted(given) : "none"}`,
      `save it again in one of ${known}: in PyTorch, tensor.float() gives F32`,
    );
  }
  const { shape, data_offsets: offsets } = entry;
  if (!isLengths(shape) || !isLengths(offsets) || offsets.length !== 2) {
    file.refuse(`${what} has a shape or data_offsets that are no list of whole numbers`);
  }
  const [begin, end] = offsets as [number, number];
  if (end - begin !== elementCount(shape) * byteWidth(dtype)) {
    file.refuse(`${what} of ${dtype} [${shape}] does not take ${end - begin} bytes`);
  }
  if (start + end > file.size) {
    file.refuse(`${what} ends at byte ${start + end} of a file of ${file.size}`);
  }
  const strides = rowMajorStrides(shape);
  return {
    tensor: { dtype, shape, strides, position: start + begin, littleEndian: true },
    end: start + end,
  };
}

function isLengths(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_RANK &&
    value.every((length) => Number.isSafeInteger(length) && length >= 0);
}
