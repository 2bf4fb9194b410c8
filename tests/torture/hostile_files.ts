/**
 * Damaged and hostile files from a seeded generator, read by a process that may read them and write
 * into one folder, and nothing else.
 */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { formatRow, HEADER } from "../../report/record/results.ts";
import { idxImages, idxLabels } from "../data/idx_samples.ts";
import { tarGzOf, zipOf } from "../engine/library/fake_library.ts";
import {
  archive,
  bytes,
  dict,
  pickled,
  storage,
  tensor,
  text,
  zip,
} from "../models/checkpoint/torch_bytes.ts";
import { resultRow } from "../report/result_rows.ts";
import type { Campaign, Draw, Work } from "./campaign.ts";
import type { ReadEnd } from "./read_hostile.ts";

const FIXTURES = `${import.meta.dirname}/../fixtures/checkpoints/`;

/** Files read by one process. */
const BATCH = 60;

/** Most that a file may take to be read, and a process of them in memory. */
const LIMITS = { seconds: 5, bytes: 600e6 };

/** A campaign on sound files of some kind. */
function campaign(title: string, sound: () => Promise<Record<string, Uint8Array>>): Campaign {
  return {
    title,
    async run(work) {
      const files = Object.entries(await sound());
      while (work.goesOn) {
        const batch = Array.from({ length: BATCH }, () => {
          const [name, content] = work.draw.of(files);
          return [name, damaged(content, work.draw)] as const;
        });
        await work.attempt("", () => readAll(work, batch), BATCH);
      }
    },
  };
}

export const HOSTILE_CHECKPOINTS = campaign("hostile checkpoints", async () => {
  const found: Record<string, Uint8Array> = {};
  for (const { name, isFile } of Deno.readDirSync(FIXTURES)) {
    if (isFile && /\.(pth|pt|safetensors)$/.test(name)) {
      found[name] = await Deno.readFile(join(FIXTURES, name));
    }
  }
  const w = tensor(storage("FloatStorage", "0", 6), { size: [2, 3], stride: [3, 1] });
  const calls = bytes("cos\nsystem\n(", text("touch /tmp/escaped"), "tR");
  const storages = { "0": new Uint8Array(24) };
  found["sound.pth"] = zip(archive(pickled(dict(text("w"), w)), storages));
  found["calls.pth"] = zip(archive(pickled(dict(text("w"), w, text("x"), calls)), storages));
  return found;
});

export const HOSTILE_IDX = campaign("hostile IDX files", () =>
  Promise.resolve({
    "images.idx": idxImages(3),
    "labels.idx": idxLabels(7, 0, 9),
    "images.idx.gz": Uint8Array.from(gzipSync(idxImages(3))),
  }));

export const HOSTILE_CSV = campaign("hostile CSV files", () => {
  const rows = [resultRow(), resultRow({ model: 'a,"b"\n', error: "=cmd" })].map(formatRow);
  const table = `${HEADER}\n${rows.join("\n")}\n`;
  return Promise.resolve({
    "part1.csv": new TextEncoder().encode(table),
    "semicolons.csv": new TextEncoder().encode(table.replaceAll(",", ";")),
  });
});

export const HOSTILE_ARCHIVES = campaign("hostile archives", async () => {
  const member = new TextEncoder().encode("a library, or so it says. ".repeat(40));
  const escapes = { "../outside": member, "/tmp/outside": member, "lib/../../outside": member };
  const members = { "lib/wanted.so": member, ...escapes };
  return { "a.zip": await zipOf(members), "a.tar.gz": await tarGzOf(members) };
});

/** What a careless copy or an attacker makes of a file. */
function damaged(content: Uint8Array, draw: Draw): Uint8Array {
  let file: Uint8Array = Uint8Array.from(content);
  for (let times = 1 + draw.below(4); times > 0; times--) {
    const at = draw.below(Math.max(1, file.length));
    const length = 1 + draw.below(16);
    switch (draw.below(7)) {
      case 0:
        file[at]! ^= 1 << draw.below(8);
        break;
      case 1: // cut short
        file = file.slice(0, at);
        break;
      case 2: // a number as large as it can be
        file.fill(draw.of([0xff, 0x7f, 0x80]), at, at + length);
        break;
      case 3:
        file.fill(0, at, at + length);
        break;
      case 4: // a piece that comes twice
        file = bytes(file.subarray(0, at + length), file.subarray(at));
        break;
      case 5: // digits of a size or an offset
        file = file.map((byte, i) =>
          i >= at && byte >= 48 && byte <= 57 ? 48 + draw.below(10) : byte
        );
        break;
      default: // lines, separators, quotes, signs of direction
        file = bytes(
          file.subarray(0, at),
          draw.of([
            "\n",
            ",",
            '"',
            "\0",
            "\u00e2\u0080\u00ae",
            "1e999",
            "../",
            "{",
            "[".repeat(5000),
          ]),
          file.subarray(at),
        );
    }
  }
  return file;
}

/** Reads a batch; the files that are a fault stay. */
export async function readAll(
  work: Pick<Work, "folder">,
  batch: readonly (readonly [string, Uint8Array])[],
) {
  const folder = await Deno.makeTempDir({ dir: work.folder });
  const unpacked = join(folder, "unpacked");
  await Deno.mkdir(unpacked);
  for (const [i, [name, content]] of batch.entries()) {
    await Deno.writeFile(join(folder, `${i}-${name}`), content);
  }
  const script = `${import.meta.dirname}/read_hostile.ts`;
  const may = ["--allow-read", `--allow-write=${unpacked}`, "--no-prompt"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", ...may, script, folder],
    stdin: "null",
    signal: AbortSignal.timeout(1000 * LIMITS.seconds * 12),
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const ends: ReadEnd[] = lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  const last = ends.at(-1)?.file ?? "none";
  const said = new TextDecoder().decode(stderr).slice(0, 500);
  assertEquals([code, ends.length], [0, batch.length], `${folder}: ended after ${last}: ${said}`);
  for (const { file, fault, seconds, bytes } of ends) {
    assertEquals(fault, undefined, `${folder}/${file}`);
    assert(seconds < LIMITS.seconds, `${folder}/${file} takes ${seconds} s`);
    assert(bytes < LIMITS.bytes, `${folder}/${file}: ${bytes} bytes in memory`);
  }
  await Deno.remove(folder, { recursive: true });
}
