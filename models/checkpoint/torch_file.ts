/**
 * Finds the tensors in what `torch.save` wrote: a zip archive since PyTorch 1.6, before that a stream
 * of pickles followed by the storages' bytes.
 *
 * Which dict of a checkpoint is taken is for {@linkcode chooseDict} to say; whatever else is beside it
 * is ignored. A pickled model or a TorchScript archive is refused.
 *
 * @module
 */

import { ByteCursor } from "./byte_cursor.ts";
import { chooseDict, type ChosenDict } from "./chosen_dict.ts";
import type { FileBytes, RandomBytes } from "./file_bytes.ts";
import { refuseZip } from "./foreign_formats.ts";
import { MAX_PICKLE_BYTES, SAVE_AGAIN, unpickle } from "./pickle.ts";
import type { PickleValue } from "./pickle_value.ts";
import { byteWidth, quoted } from "./state_dict.ts";
import { type CheckpointIndex, elementSpan } from "./stored_tensor.ts";
import { type PickleReferences, torchEnvironment } from "./torch_objects.ts";
import { ZipReader } from "./zip_reader.ts";

/** First value in the stream form. */
const STREAM_MAGIC = 0x1950a86a20f9469cfc6cn;
/** Second value in the stream form. */
const STREAM_PROTOCOL = 1001;

/**
 * Indexes the zip form.
 *
 * @throws {StudyError} If anything in it is not as `torch.save` writes it.
 */
export function indexTorchZip(file: FileBytes): CheckpointIndex {
  const zip = new ZipReader(file);
  const names = zip.names().filter((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  const folder = names[0]?.slice(0, -"data.pkl".length);
  if (folder === undefined || names.length > 1) refuseZip(file, zip.names());
  if (zip.open(`${folder}constants.pkl`) !== undefined) {
    file.refuse(
      "it is a TorchScript archive, not a checkpoint",
      "save its weights: torch.save(torch.jit.load(path).state_dict(), other_path)",
    );
  }
  const littleEndian = readByteOrder(file, zip.open(`${folder}byteorder`)) === "little";
  const pickle = zip.open(`${folder}data.pkl`)!;
  if (pickle.size > MAX_PICKLE_BYTES) file.refuse(`its data.pkl has ${pickle.size} bytes`);
  const cursor: ByteCursor = new ByteCursor(pickle, {
    start: 0,
    end: pickle.size,
    what: "its data.pkl",
  });
  const references: PickleReferences = { storages: new Map(), foreign: new Set() };
  const chosen = chooseDict(unpickle(cursor, torchEnvironment(cursor, references)), cursor);
  const places = new Map<string, StoragePlace>();
  for (const [key, { dtype, numel }] of references.storages) {
    const record = zip.open(`${folder}data/${key}`);
    if (record === undefined) file.refuse(`it lacks the storage ${quoted(key)}`);
    if (numel * byteWidth(dtype) > record.size) {
      file.refuse(`its storage ${quoted(key)} of ${numel} ${dtype} has only ${record.size} bytes`);
    }
    places.set(key, { source: record, start: 0, littleEndian });
  }
  return indexOf(chosen, references, places);
}

/**
 * Indexes the stream form.
 *
 * Its storages are little-endian whatever machine wrote them. (The size before each was not always,
 * so on a file from a big-endian machine both orders are tried.)
 *
 * @throws {StudyError} If anything in it is not as `torch.save` writes it.
 */
export function indexTorchStream(file: FileBytes): CheckpointIndex {
  let position = 0;
  const next = <T>(what: string, read: (cursor: ByteCursor) => T): T => {
    const end = position + MAX_PICKLE_BYTES;
    const cursor = new ByteCursor(file, { start: position, end, what: `its ${what}` });
    const value = read(cursor);
    position = cursor.position;
    return value;
  };
  const plain = (cursor: ByteCursor): PickleValue => unpickle(cursor, { globals: new Map() });
  if (next("first pickle", plain) !== STREAM_MAGIC) {
    file.refuse("it begins with a pickle that is not PyTorch's magic number", SAVE_AGAIN);
  }
  if (next("second pickle", plain) !== STREAM_PROTOCOL) {
    file.refuse(`it is not of PyTorch's protocol version ${STREAM_PROTOCOL}`, SAVE_AGAIN);
  }
  const system = next("system pickle", plain);
  const bigEndian = system instanceof Map && system.get("little_endian") === false;
  const references: PickleReferences = { storages: new Map(), foreign: new Set() };
  const { storages } = references;
  const chosen = next("object pickle", (cursor) => {
    return chooseDict(unpickle(cursor, torchEnvironment(cursor, references)), cursor);
  });
  const keys = next("list of storages", plain);
  if (!Array.isArray(keys) || keys.length !== storages.size) {
    file.refuse("its list of storages is not that of its tensors");
  }
  const places = new Map<string, StoragePlace>();
  for (const key of keys) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (typeof key !== "string" || storage === undefined || places.has(key)) {
      file.refuse("its list of storages is not that of its tensors");
    }
    const size = new DataView(file.read(position, 8).buffer);
    const numel = BigInt(storage.numel);
    if (
      size.getBigInt64(0, true) !== numel && !(bigEndian && size.getBigInt64(0, false) === numel)
    ) file.refuse(`its storage ${quoted(key)} does not have the ${numel} elements it should`);
    places.set(key, { source: file, start: position + 8, littleEndian: true });
    position += 8 + storage.numel * byteWidth(storage.dtype);
    if (position > file.size) {
      file.refuse(`its storage ${quoted(key)} ends at byte ${position} of a file of ${file.size}`);
    }
  }
  return indexOf(chosen, references, places);
}

function readByteOrder(
  file: FileBytes,
  record: RandomBytes | undefined,
): "little" | "big" {
  if (record === undefined) return "little";
  const order = new TextDecoder().decode(record.read(0, Math.min(record.size, 16)));
  if (order !== "little" && order !== "big") file.refuse(`its byte order is ${quoted(order)}`);
  return order;
}

/** Where a storage's bytes are. */
interface StoragePlace {
  source: RandomBytes;
  start: number;
  littleEndian: boolean;
}

/** Turns views of storages into places in the file, given where each storage is. */
function indexOf(
  { views, path, beside }: ChosenDict,
  { foreign }: PickleReferences,
  places: ReadonlyMap<string, StoragePlace>,
): CheckpointIndex {
  const tensors: CheckpointIndex["tensors"] = new Map();
  for (const [name, { key, dtype, offset, shape, strides }] of views) {
    const { source, start, littleEndian } = places.get(key)!;
    // Of an empty tensor nothing is read, and its offset was not checked.
    const isEmpty = elementSpan(shape, strides) === 0;
    const position = isEmpty ? 0 : start + offset * byteWidth(dtype);
    tensors.set(name, { dtype, shape, strides, position, littleEndian, source });
  }
  return { tensors, metadata: {}, structure: { path, beside, foreign: [...foreign] } };
}
