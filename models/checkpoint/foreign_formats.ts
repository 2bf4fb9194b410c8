/**
 * Files that are no checkpoints: what they are, and how to come to the checkpoint in them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { FileBytes } from "./file_bytes.ts";
import { SAVE_AGAIN } from "./pickle.ts";
import { quoted } from "./state_dict.ts";

/** Ends of the names of files that may be checkpoints. */
const CHECKPOINT_NAME = /\.(pth|pt|ckpt|bin|safetensors)$/i;

const UNPACK = "unpack it and give the .pth or .safetensors file in it";

/** Formats by how their files begin, in Latin-1. */
const BEGINNINGS: readonly (readonly [start: string, what: string, remedy: string])[] = [
  ["\x1f\x8b", "is compressed with gzip", "unpack it with gunzip, or a .tar.gz with tar -xzf"],
  ["BZh", "is compressed with bzip2", "unpack it with bunzip2, or a .tar.bz2 with tar -xjf"],
  ["\xfd7zXZ\0", "is compressed with xz", "unpack it with unxz, or a .tar.xz with tar -xJf"],
  ["\x28\xb5\x2f\xfd", "is compressed with zstd", "unpack it with unzstd"],
  ["7z\xbc\xaf\x27\x1c", "is a 7z archive", UNPACK],
  ["\x89HDF\r\n", "is an HDF5 file, as Keras writes", "save the weights from PyTorch"],
  ["\x93NUMPY", "is a numpy array", "save the weights from PyTorch"],
  ["GGUF", "is a GGUF file", "give the weights as PyTorch saves them"],
  [
    "version https://git-lfs",
    "is Git LFS's pointer to a file that has not been fetched",
    'fetch the file with "git lfs pull"',
  ],
];

/**
 * Refuses a file that begins like no checkpoint.
 *
 * @param head Its first 512 bytes in Latin-1.
 */
export function refuseForeignFormat(file: FileBytes, head: string): never {
  for (const [start, what, remedy] of BEGINNINGS) {
    if (head.startsWith(start)) file.refuse(`it ${what}`, remedy);
  }
  if (head.slice(257, 262) === "ustar") refuseTar(file);
  const start = head === "" ? "is empty" : `begins with ${quoted(head.slice(0, 16))}`;
  file.refuse(`it ${start}, unlike any .pth or .safetensors file`, "fetch or save it again");
}

/** Refuses a zip file that is not from `torch.save`. */
export function refuseZip(file: FileBytes, names: readonly string[]): never {
  const inside = names.find((name) => CHECKPOINT_NAME.test(name));
  if (inside !== undefined) file.refuse(`it is a zip file with ${quoted(inside)} in it`, UNPACK);
  if (names.some((name) => /(^|\/)archive_format$/.test(name))) {
    file.refuse("it is a program of torch.export, not a checkpoint", SAVE_AGAIN);
  }
  file.refuse("it is a zip file without one data.pkl, so not from torch.save", SAVE_AGAIN);
}

/** Entries of PyTorch's own tar form. */
const TORCH_ENTRIES = ["sys_info", "pickle", "tensors", "storages"];

/** Most entries of a tar archive that are looked at. */
const MAX_ENTRIES = 1000;

const BLOCK = 512;

function refuseTar(file: FileBytes): never {
  const names = tarNames(file);
  if (names.some((name) => TORCH_ENTRIES.includes(name))) {
    file.refuse("it has the tar form of the first PyTorch versions", `in PyTorch, ${SAVE_AGAIN}`);
  }
  const inside = names.find((name) => CHECKPOINT_NAME.test(name));
  const content = inside === undefined ? "" : ` with ${quoted(inside)} in it`;
  file.refuse(`it is a tar archive${content}`, `${UNPACK}: tar -xf`);
}

function tarNames(file: FileBytes): string[] {
  const names: string[] = [];
  for (let at = 0; at < file.size && names.length < MAX_ENTRIES;) {
    const block = file.read(at, Math.min(BLOCK, file.size - at));
    const header = Buffer.from(block.buffer).toString("latin1");
    if (header.slice(257, 262) !== "ustar") break;
    names.push(header.slice(0, 100).replace(/\0.*$/s, ""));
    const [octal = "0"] = /^[0-7]+/.exec(header.slice(124, 136).trimStart()) ?? [];
    at += BLOCK * (1 + Math.ceil(parseInt(octal, 8) / BLOCK));
  }
  return names;
}
