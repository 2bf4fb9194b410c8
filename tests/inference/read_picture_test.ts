/** Pictures of every kind, against Pillow's grey values; and what is none. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { PictureError } from "../../inference/picture_error.ts";
import { exifOrientation } from "../../inference/exif_orientation.ts";
import { readPicture } from "../../inference/read_picture.ts";
import { repositoryRoot } from "../../io/cache.ts";

const FOLDER = join(repositoryRoot(), "tests", "fixtures", "pictures");
const { pictures }: { pictures: Record<string, number[]> } = JSON.parse(
  await Deno.readTextFile(join(FOLDER, "expected.json")),
);

const fixture = (name: string) => Deno.readFile(join(FOLDER, name));

/** Levels of grey that Pillow may be off by: it rounds each channel, and its JPEG's cosines differ. */
const TOLERANCE = { png: 1.01, jpg: 4 } as const;

for (const [name, expected] of Object.entries(pictures)) {
  Deno.test(`readPicture() reads ${name} as Pillow does`, async () => {
    const { width, height, pixels } = readPicture(await fixture(name));
    assertEquals([width, height], [40, 24]);
    const worst = Math.max(...expected.map((grey, i) => Math.abs(grey - pixels[i]!)));
    assert(worst <= TOLERANCE[name.slice(-3) as "png" | "jpg"], `${worst} levels`);
  });
}

/** First column and row of each pass of an interlaced picture, and the steps to the next. */
const ADAM7: readonly (readonly [left: number, top: number, right: number, down: number])[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

Deno.test("readPicture() reads an interlaced PNG as the same without interlacing", () => {
  const [width, height] = [11, 7];
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i * 37) % 256);
  const rows: number[] = [];
  for (const [left, top, right, down] of ADAM7) {
    for (let y = top; y < height; y += down) {
      rows.push(0);
      for (let x = left; x < width; x += right) rows.push(data[y * width + x]!);
    }
  }
  const interlaced = readPicture(png({ width, height, interlace: 1 }, Uint8Array.from(rows)));
  assertEquals(Array.from(interlaced.pixels), Array.from(data));
});

Deno.test("readPicture() tells a JPEG of red, green and blue by its channels' names alone", async () => {
  const bytes = await fixture("rgb.jpg");
  const adobe = bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === 0xee);
  const length = 2 + 256 * bytes[adobe + 2]! + bytes[adobe + 3]!;
  const unnamed = [bytes.subarray(0, adobe), bytes.subarray(adobe + length)];
  assertEquals(readPicture(await new Blob(unnamed).bytes()), readPicture(bytes));
});

Deno.test("readPicture() does not unpack a PNG's profile of its colours", () => {
  // What no decoder unpacks stands for what unpacks to gigabytes.
  const profile = new TextEncoder().encode("all\0\0not compressed");
  const size = { width: 2, height: 1 };
  const rows = Uint8Array.from([0, 3, 250]);
  assertEquals(Array.from(readPicture(png(size, rows, { iCCP: profile })).pixels), [3, 250]);
});

Deno.test("readPicture() reads a PNG with bytes behind its pixels' end", () => {
  for (const interlace of [0, 1]) {
    const bytes = png({ width: 1, height: 1, interlace, behind: [1, 2, 3] }, Uint8Array.of(0, 7));
    assertEquals(Array.from(readPicture(bytes).pixels), [7]);
  }
});

Deno.test("readPicture() takes a colour for transparent only where there is no alpha", () => {
  const key = { tRNS: Uint8Array.of(0, 9, 0, 9, 0, 9) };
  const rgb = Uint8Array.of(0, 9, 9, 9, 200, 200, 200);
  const size = { width: 2, height: 1 };
  const { pixels } = readPicture(png({ ...size, colour: 2 }, rgb, key));
  assertEquals(Array.from(pixels, Math.round), [0, 200]);
  const rgba = Uint8Array.of(0, 9, 9, 9, 255, 200, 200, 200, 255);
  const opaque = readPicture(png({ ...size, colour: 6 }, rgba, key));
  assertEquals(Array.from(opaque.pixels, Math.round), [9, 200]);
});

/** The chunk of EXIF that Pillow writes into a PNG, right behind the header. */
const [EXIF_BEGIN, EXIF_END] = [33, 71];

Deno.test("readPicture() turns a PNG whose EXIF comes behind its pixels", async () => {
  const bytes = await fixture("exif6.png");
  const exif = bytes.subarray(EXIF_BEGIN, EXIF_END);
  assertEquals(new TextDecoder().decode(exif.subarray(4, 8)), "eXIf");
  const moved = [bytes.subarray(0, EXIF_BEGIN), bytes.subarray(EXIF_END, -12), exif];
  const behind = await new Blob([...moved, bytes.subarray(-12)]).bytes();
  assertEquals(readPicture(behind), readPicture(bytes));
});

Deno.test("exifOrientation() takes 1 to 8, and what is damaged for upright", async () => {
  for (let orientation = 2; orientation <= 8; orientation++) {
    const bytes = await fixture(`exif${orientation}.png`);
    const exif = bytes.slice(EXIF_BEGIN + 8, EXIF_END - 4);
    assertEquals(exifOrientation(exif), orientation);
    const prefixed = Uint8Array.from([...new TextEncoder().encode("Exif\0\0"), ...exif]);
    assertEquals(exifOrientation(prefixed), orientation);
    for (let end = 0; end < 20; end++) assertEquals(exifOrientation(exif.subarray(0, end)), 1);
    // Behind the value there are zeros alone.
    const at = exif.findLastIndex((byte) => byte === orientation);
    for (const other of [0, 1, 9, 255]) assertEquals(exifOrientation(exif.with(at, other)), 1);
  }
});

/** A PNG of this header, these rows, chunks between and bytes behind them, its checksums right. */
function png(
  { width, height, depth = 8, colour = 0, interlace = 0, behind = [] }: {
    width: number;
    height: number;
    depth?: number;
    colour?: number;
    interlace?: number;
    behind?: readonly number[];
  },
  rows: Uint8Array,
  others: Record<string, Uint8Array> = {},
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([depth, colour, 0, 0, interlace], 8);
  const chunks = [
    ["IHDR", header],
    ...Object.entries(others),
    ["IDAT", Uint8Array.from([...deflateSync(rows), ...behind])],
    ["IEND", new Uint8Array()],
  ] as const;
  const bytes = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  for (const [type, data] of chunks) {
    const named = [...new TextEncoder().encode(type), ...data];
    bytes.push(...bigEndian(data.length), ...named, ...bigEndian(crc32(named)));
  }
  return Uint8Array.from(bytes);
}

function bigEndian(value: number): number[] {
  return [24, 16, 8, 0].map((bits) => (value >>> bits) & 255);
}

function crc32(bytes: readonly number[]): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const refusals: Record<string, [() => Promise<Uint8Array> | Uint8Array, string]> = {
  "nothing": [() => new Uint8Array(), "it is empty"],
  "text": [() => new TextEncoder().encode("seven"), "it is not a picture that is known here"],
  "bytes that a TGA may begin with": [
    () => new Uint8Array(64),
    "it is not a picture that is known",
  ],
  "a GIF": [() => fixture("animation.gif"), "it is a GIF, which may be an animation"],
  "a WebP": [() => fixture("animation.webp"), "it is a WebP, which may be an animation"],
  "an animated PNG": [() => fixture("animation.png"), "it is an animation (APNG)"],
  "half a PNG": [async () => (await fixture("palette8.png")).subarray(0, 700), "it is cut off"],
  "half a PNG's header": [async () => (await fixture("grey.png")).subarray(0, 12), "it is damaged"],
  "half a JPEG": [async () => (await fixture("baseline.jpg")).subarray(0, 750), "it is cut off"],
  "half a JPEG with a small picture in its header": [async () => {
    const [whole, small] = await Promise.all([fixture("baseline.jpg"), fixture("grey.jpg")]);
    const length = small.length + 2;
    const note = [0xff, 0xe3, length >> 8, length & 255, ...small];
    return Uint8Array.from([...whole.subarray(0, 2), ...note, ...whole.subarray(2, 750)]);
  }, "it is cut off"],
  "half a JPEG's header": [
    async () => (await fixture("grey.jpg")).subarray(0, 30),
    "it is damaged",
  ],
  "a PNG with a flipped bit": [async () => {
    const bytes = await fixture("grey.png");
    bytes[60]! ^= 16;
    return bytes;
  }, "its pixels are damaged"],
  "a PNG that claims too many pixels": [
    () => png({ width: 100_000, height: 100_000 }, new Uint8Array(10)),
    "it has 100000×100000 pixels, more than 50 million",
  ],
  "a PNG of too many rows": [
    () => png({ width: 1, height: 65_536 }, new Uint8Array(10)),
    "it has 1×65536 pixels, more than 65535 of a side",
  ],
  "a JPEG that claims too many pixels": [async () => {
    const bytes = await fixture("baseline.jpg");
    const frame = bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === 0xc0);
    return bytes.fill(0xff, frame + 5, frame + 9);
  }, "it has 65535×65535 pixels, more than 50 million"],
  "a PNG with fewer rows than it says": [
    () => png({ width: 4, height: 4 }, new Uint8Array(15)),
    "it is cut off",
  ],
  "a PNG without a palette for its pixels": [
    () => png({ width: 4, height: 1, colour: 3 }, new Uint8Array(5)),
    "it is damaged (its palette has no colour 0)",
  ],
  "a PNG with an empty palette": [
    () => png({ width: 4, height: 1, colour: 3 }, new Uint8Array(5), { PLTE: new Uint8Array() }),
    "it is damaged (its palette has no colour 0)",
  ],
  "a PNG with pixels of no colour of its palette": [
    () => png({ width: 1, height: 1, colour: 3 }, Uint8Array.of(0, 7), { PLTE: new Uint8Array(6) }),
    "it is damaged (its palette has no colour 7)",
  ],
  "a PNG of a kind that there is not": [
    () => png({ width: 4, height: 1, depth: 4, colour: 2 }, new Uint8Array(7)),
    "it is damaged in its header",
  ],
  "a PNG with a filter that there is not": [
    () => png({ width: 4, height: 1 }, Uint8Array.of(5, 0, 0, 0, 0)),
    "it is damaged (a row has the filter 5)",
  ],
  "a PNG that unpacks to a byte more than its pixels": [
    () => png({ width: 4, height: 4 }, new Uint8Array(21)),
    "it unpacks to more than its pixels",
  ],
  "a PNG that unpacks to more than its pixels": [
    () => png({ width: 4, height: 4 }, new Uint8Array(1e6)),
    "it unpacks to more than its pixels",
  ],
};

for (const [what, [bytes, reason]] of Object.entries(refusals)) {
  Deno.test(`readPicture() refuses ${what}`, async () => {
    const given = await bytes();
    const { message } = assertThrows(() => readPicture(given), PictureError);
    assert(message.startsWith(reason), message);
  });
}
